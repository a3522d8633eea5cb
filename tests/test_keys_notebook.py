"""Notebooks that leak a key in every way that is known, run in real kernels and saved."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from faults.server import FaultServer, say
from nbclient import NotebookClient
from test_keys import KEY, OTHERS, is_free
from test_magics import PATIENCE, ROOT, Kernel

# jupyter_client's clients make event loops that they never close.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(180),  # whole notebooks are run in it
]

SETUP = """
%load_ext kimi_nb
%xmode Verbose
import asyncio, dataclasses, json, logging, os, subprocess, sys, threading, warnings
import kimi_nb as kn
from IPython.display import HTML, JSON, Markdown, display
KEY = os.environ["MOONSHOT_API_KEY"]
HEADERS = {"Authorization": f"Bearer {KEY}", "Accept": "*/*"}
URL = f"https://example.org/v1?key={KEY}"
"""

# None of them has the key in its source, and each of them shows it.
LEAKS = {
    "a value": "KEY",
    "a verbose traceback": "def connect(key, headers):\n    return 1 / 0\n\nconnect(KEY, HEADERS)",
    "a verbose traceback of a coroutine": (
        "async def connect(key):\n    copy = [key]\n    return 1 / 0\n\nawait connect(KEY)"
    ),
    "a chain of exceptions": (
        "try:\n    raise ValueError(KEY)\n"
        "except ValueError as error:\n    raise KeyError(HEADERS) from error"
    ),
    "a group of exceptions": "raise ExceptionGroup(KEY, [ValueError(KEY), OSError(URL)])",
    "a dataclass": (
        "@dataclasses.dataclass\nclass Settings:\n    key: str\n    url: str\n\nSettings(KEY, URL)"
    ),
    "a pydantic ValidationError": (
        "import pydantic\nclass Settings(pydantic.BaseModel):\n    key: int\n    headers: list\n\n"
        "Settings(key=KEY, headers=HEADERS)"
    ),
    "a pydantic ValidationError of a long value": (
        "pydantic.TypeAdapter(list[int]).validate_python({'a': KEY, 'b': KEY})"
    ),
    "a dict of headers": "HEADERS",
    "a key in a URL": (
        "from urllib.request import urlopen\nurlopen(URL.replace('https', 'nowhere'))"
    ),
    "os.environ": "os.environ",
    "os.environ, printed": "print(os.environ)",
    "one of os.environ by magic": "%env MOONSHOT_API_KEY",
    "all of os.environ by magic": "%env",
    "a password widget": "import ipywidgets\nbox = ipywidgets.Password(value=KEY)\nbox",
    "a widget that changes": (
        "text = ipywidgets.Text()\ndisplay(text)\ntext.value = KEY\ntext.description = URL"
    ),
    "an output widget": (
        "out = ipywidgets.Output()\nwith out:\n    print(KEY)\n    display(HEADERS)\nout"
    ),
    "print": "print(KEY, HEADERS, URL)",
    "print of parts": (
        "sys.stdout.write(KEY[:24]); sys.stdout.flush(); sys.stdout.write(KEY[24:] + '\\n')"
    ),
    "standard error": "sys.stderr.write(KEY)",
    "the file descriptor": "_ = os.write(1, KEY.encode() + b'\\n')",
    "a thread": "t = threading.Thread(target=print, args=[KEY])\nt.start()\nt.join()",
    "a thread's error": (
        "def work(key):\n    raise ValueError(key)\n\n"
        "t = threading.Thread(target=work, args=[KEY])\nt.start()\nt.join()"
    ),
    "a task": "await asyncio.create_task(asyncio.to_thread(print, KEY))",
    # Not `!echo`: its pseudo-terminal forks the kernel with all its threads, which can hang.
    "a child": "%sx echo $MOONSHOT_API_KEY",
    "a child of one's own": (
        "subprocess.run(['sh', '-c', 'echo $MOONSHOT_API_KEY'], capture_output=True, text=True)"
    ),
    "a warning": "warnings.warn(f'the key is {KEY}')",
    "a log record": "logging.getLogger('x').error('sent %s with %r', URL, HEADERS)",
    "a log file": (
        "logger = logging.getLogger('file')\nlogger.addHandler(logging.FileHandler('x.log'))\n"
        "logger.error('sent %s', HEADERS)\nlogger.error('sent %s', 'nothing')"
    ),
    "html, markdown, json": (
        "display(HTML(f'<b>{KEY}</b>'), Markdown(f'`{KEY}`'), JSON({'a': [KEY], KEY: 1}))"
    ),
    "a display that is updated": (
        "shown = display('nothing yet', display_id=True)\nshown.update(HEADERS)"
    ),
    "a display that fails": (
        "class Bad:\n    def _repr_html_(self):\n        raise ValueError(KEY)\n\nBad()"
    ),
    "a key set a moment ago": (
        "os.environ['LATER_API_KEY'] = KEY[::-1]\nprint(os.environ, flush=True)"
    ),
    "captured output": "%%capture caught\nprint(KEY)",
    "captured output, shown": "caught.show()",
    "the goal of a run": "run = await kn.swarm(f'List {KEY}', model='simulator', key=KEY)\nrun",
    "a run that cannot be": "kn.swarm('x', key=KEY, base_url=KEY)",
    "the trace of a run": "print(run.path.read_text(), list(run.trace))",
    "the doctor": "from kimi_nb.swarm.doctor import examine\nexamine('m', 'ftp://x', KEY)",
}
IN_WIDGETS = {"a password widget", "a widget that changes", "an output widget"}
SILENT = {"captured output", "a log file", "all of os.environ by magic", "the doctor"} | {
    "the file descriptor"  # which is read by a thread, perhaps after the cell
}
PLAIN = [
    "import os, sys, warnings\nfrom IPython.display import HTML, JSON, display",
    "print('\\x1b[31mred\\x1b[0m', '密钥', '\\U0001f511', 'sk-12', 'task-f47ac10b-58cc-4372')",
    "{'a': [1, 2.5, None, True], 'b': ('x', {3})}",
    "display(HTML('<p class=\"sk-estimator sk-toggleable__content\">&amp;</p>'))",
    "display(JSON([1, {'a': 2}]))",
    "display({'image/png': 'iVBORw0KGgo=', 'text/plain': 'x'}, raw=True)",
    # At the end of a cell stdout goes out first, and in a slow one whatever was written first.
    "sys.stderr.write('one\\ntwo')\nsys.stderr.flush()\nsys.stdout.write('three')",
    "def f(a):\n    return a / 0\n\nf(1)",
    "%xmode Verbose\nf(2)",
    "(",
    "warnings.warn('careful')",
    "%sx echo hello",
]


def run_notebook(cells: list[str], folder: Path, **env: str) -> nbformat.NotebookNode:
    """Run the cells one after the other, whatever they raise, in a kernel of their own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    client = NotebookClient(
        notebook,
        allow_errors=True,
        kernel_name="python3",
        timeout=PATIENCE,
        resources={"metadata": {"path": str(folder)}},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.delenv("PYTEST_CURRENT_TEST")  # with it ipykernel leaves the file descriptors alone

        for name, value in env.items():
            patch.setenv(name, value)

        client.execute()

    return notebook


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> tuple[nbformat.NotebookNode, Path]:
    folder = tmp_path_factory.mktemp("leaky")
    notebook = run_notebook([SETUP, *LEAKS.values()], folder, MOONSHOT_API_KEY=KEY)
    return notebook, folder


def test_a_saved_notebook_has_no_key(leaky: tuple[nbformat.NotebookNode, Path]) -> None:
    notebook, folder = leaky
    nbformat.write(notebook, folder / "saved.ipynb")
    saved = (folder / "saved.ipynb").read_bytes()
    assert is_free(saved)
    assert KEY[::-1] not in saved.decode()
    assert saved.count(b"[key]") > len(LEAKS)
    assert b"PasswordModel" in saved  # the state of widgets is in it


@pytest.mark.parametrize("leak", LEAKS)
def test_a_cell_shows_everything_but_the_key(
    leaky: tuple[nbformat.NotebookNode, Path], leak: str
) -> None:
    notebook, _ = leaky
    cell = notebook.cells[1 + list(LEAKS).index(leak)]
    shown = json.dumps(cell.outputs, ensure_ascii=False)
    states = json.dumps(notebook.metadata.get("widgets", {}))
    assert is_free(shown)
    assert "[key]" in (states if leak in IN_WIDGETS else shown) or leak in SILENT


def test_files_of_a_notebook_have_no_key(leaky: tuple[nbformat.NotebookNode, Path]) -> None:
    _, folder = leaky
    log = (folder / "x.log").read_text()
    assert log == "sent {'Authorization': 'Bearer [key]', 'Accept': '*/*'}\nsent nothing\n"
    traces = list(folder.rglob("*.jsonl"))
    assert traces
    assert all(is_free(trace.read_bytes()) for trace in traces)


def test_where_no_key_is_nothing_changes(tmp_path: Path) -> None:
    key = {"MOONSHOT_API_KEY": KEY}
    bare = run_notebook(["1", *PLAIN], tmp_path, **key)
    loaded = run_notebook(["%load_ext kimi_nb", *PLAIN], tmp_path, **key)

    for one, other in zip(bare.cells[1:], loaded.cells[1:], strict=True):
        assert stripped(one.outputs) == stripped(other.outputs)

    assert sum(len(cell.outputs) for cell in bare.cells) > len(PLAIN)


def stripped(outputs: list[Any]) -> str:
    """As text; the number of a process, which a name in a traceback may have, aside."""
    return re.sub(r"ipykernel_\d+", "ipykernel_N", json.dumps(outputs, ensure_ascii=False))


def test_a_key_in_a_cell_is_told_once_in_plain_words(tmp_path: Path) -> None:
    call = f"kn.swarm('x', key='{OTHERS}', base_url='ftp://a')"
    notebook = run_notebook(["%load_ext kimi_nb\nimport kimi_nb as kn", call, call], tmp_path)
    told = [
        "".join(output.text for output in cell.outputs if output.output_type == "stream")
        for cell in notebook.cells
    ]
    assert told[0] == told[2] == ""
    assert "this cell holds a key, and saving the notebook saves it too" in told[1]
    assert "revoke it, then set MOONSHOT_API_KEY" in told[1]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    made = Kernel(tmp_path)
    yield made
    made.close()


def test_unloading_leaves_everything_as_it_was(kernel: Kernel) -> None:
    look = (
        "(id(get_ipython().kernel.session.pack), id(logging.getLogRecordFactory()), "
        "len(get_ipython().events.callbacks['post_run_cell']))"
    )
    kernel.run("import logging, os\nos.environ['X_API_KEY'] = 'a-secret-01234'")
    before = kernel.run(look).text
    kernel.run("%load_ext kimi_nb")
    assert kernel.run("os.environ['X_API_KEY']").text == "'[key]'"
    kernel.run("%reload_ext kimi_nb")
    assert kernel.run("os.environ['X_API_KEY']").text == "'[key]'"
    kernel.run("%unload_ext kimi_nb")
    assert kernel.run(look).text == before
    assert kernel.run("os.environ['X_API_KEY']").text == "'a-secret-01234'"


def typed(kernel: Kernel, code: str, answer: str) -> tuple[str, list[dict[str, Any]]]:
    """What a cell shows that asks for something, and its questions."""
    asked: list[dict[str, Any]] = []
    shown: list[str] = []

    def on_stdin(message: dict[str, Any]) -> None:
        asked.append(message["content"])
        kernel.client.input(answer)

    kernel.client.execute_interactive(
        code,
        allow_stdin=True,
        stdin_hook=on_stdin,
        output_hook=lambda message: shown.append(json.dumps(message["content"])),
        timeout=PATIENCE,
    )
    return "".join(shown), asked


async def test_a_typed_key_goes_to_its_endpoint_only(kernel: Kernel) -> None:
    async with (
        FaultServer(lambda _body: say("done")) as own,
        FaultServer(lambda _body: say("done")) as other,
    ):
        heads = await asyncio.to_thread(typed_everywhere, kernel, own.base_url, other.base_url)
        sent = [seen.headers.get("Authorization") for seen in own.requests]
        elsewhere = [seen.headers.get("Authorization") for seen in other.requests]

    assert heads == [True]
    assert sent == [f"Bearer {KEY}", f"Bearer {KEY}", None]
    assert elsewhere == [None]


def typed_everywhere(kernel: Kernel, own: str, other: str) -> list[bool]:
    """Whether the key was asked for without echo, each time that it was."""
    kernel.run("%load_ext kimi_nb\n%config SwarmMagics.model = 'm'")
    kernel.run(f"%config SwarmMagics.base_url = '{own}'")
    shown, asked = typed(kernel, "%swarm key", f" {KEY}\n")
    assert is_free(shown)
    assert f"kept until this kernel ends, for {own} only" in shown
    assert own in asked[0]["prompt"]
    assert kernel.run("%%swarm one --single --trace one.jsonl\ngo").text.startswith("✓ finished")
    kernel.run(f"%%swarm two --single --base-url {other}\ngo")
    log = Path(kernel.run("print(one.path.absolute())").stream.strip())
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:3]))
    assert kernel.run(f"%swarm resume {log} one").status == "ok"
    assert "SwarmMagics" in kernel.run("%config SwarmMagics").stream
    assert is_free(kernel.run("%config SwarmMagics").stream)
    assert is_free(kernel.run("vars(get_ipython().find_magic('swarm').__self__)").text)
    assert kernel.run("%swarm key forget").text == "forgotten; what runs goes on with it"
    kernel.run("%%swarm three --single\ngo")
    refused = kernel.run(f"%swarm key {KEY}")
    assert "asks for the key itself" in refused.stream
    assert typed(kernel, "%swarm key", "  ")[0].count("nothing was typed")
    return [each["password"] for each in asked]


def test_nobody_to_ask_and_binder_are_told_so(kernel: Kernel, tmp_path: Path) -> None:
    kernel.run("%load_ext kimi_nb\nimport os")
    notebook = run_notebook(["%load_ext kimi_nb", "%swarm key"], tmp_path)
    assert "nobody can be asked here; set MOONSHOT_API_KEY" in json.dumps(notebook.cells[1].outputs)
    kernel.run("os.environ['BINDER_REPO_URL'] = 'https://example.org'")
    cell = kernel.run("%swarm key")
    assert "a key is refused on Binder" in cell.error
    assert cell.error.count("\n") == 0


def test_errors_in_a_terminal(tmp_path: Path) -> None:
    lines = (
        "%load_ext kimi_nb",
        "%xmode Verbose",
        "import os; key = os.environ['MOONSHOT_API_KEY']",
        "def connect(secret): return 1 / 0",
        "connect(key)",
        "%unload_ext kimi_nb",
        "raise ValueError(len(key))",
    )
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--simple-prompt",
        "--no-banner",
        "--colors=nocolor",
    ]
    done = subprocess.run(
        command,
        input="\n".join(lines) + "\n",
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MOONSHOT_API_KEY": KEY,
            "IPYTHONDIR": str(tmp_path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert "secret = '[key]'" in shown
    assert is_free(shown.partition("ValueError")[0])
    assert str(len(KEY)) in shown
