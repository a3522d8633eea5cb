"""The sandbox computes on files and does nothing else; no worker outlives its use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset, python_tool, snippet
from kimi_nb.tools.sandbox import Sandbox

ROOT = str(Path(__file__).parents[1])


class Python:
    """The tool with a working folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sandbox = Sandbox(workers=2)
        self.tools = Toolset([python_tool(self.sandbox)])

    async def __call__(self, code: str) -> ToolOutcome:
        arguments = json.dumps({"code": textwrap.dedent(code)})
        context = ToolContext(folder=self.folder, agent="a1", run="r1")
        return await self.tools.call("python", arguments, context)

    async def endless(self) -> tuple[asyncio.Task[ToolOutcome], int]:
        """A call that never ends, once its code runs, and the worker that runs it."""
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        class Printed(snippet._Printed):
            def __call__(self, stream: str, text: str) -> None:
                super().__call__(stream, text)
                loop.call_soon_threadsafe(begun.set)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(snippet, "_Printed", Printed)
            call = asyncio.create_task(self("print('began')\nwhile True:\n    pass"))
            await begun.wait()

        (held,) = self.sandbox._pool._calls
        assert held._pid is not None
        return call, held._pid


@pytest.fixture
async def python(tmp_path: Path) -> AsyncIterator[Python]:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("the canary sings")
    made = Python(folder)
    yield made
    await made.tools.close()
    assert workers() == []


def workers(parent: int | None = None) -> list[psutil.Process]:
    """Running sandbox processes of a process."""
    found: list[psutil.Process] = []

    for child in psutil.Process(parent).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == "monty" and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)

    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it; the test's own time limit ends what never comes."""
    while not condition():  # noqa: ASYNC110 -- of other processes
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1 + 1", "2"),
        ("'as it is'", "as it is"),
        ("print('a')\nprint('b', end='')\n[1, 'x']", "a\nb\n[1, 'x']"),
        ("x = 1", "[no output: print something, or end with an expression]"),
        ("None", "[no output: print something, or end with an expression]"),
        ("import time\ntime.sleep(1000)\n5", "5"),
        ("'\\ud800'", "\ufffd"),
        ("import math\nmath.pi", "3.141592653589793"),
    ],
)
async def test_what_is_printed_and_the_last_value_come_back(
    python: Python, code: str, text: str
) -> None:
    assert await python(code) == ToolOutcome(ok=True, text=text)


async def test_each_call_starts_afresh(python: Python) -> None:
    assert (await python("x = 1\nx")).text == "1"
    assert "NameError" in (await python("x")).text


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", "museum,price\nLouvre,17.5\nUffizi,25\nÉcole,3\n"),
        ("utf-8-sig", "museum,price\nLouvre,17.5\nÉcole,3\n"),
        ("utf-16", "museum,price\nLouvre,17.5\nÉcole,3\n"),
        ("latin-1", "museum,price\nLouvre,17.5\nÉcole,3\n"),
        ("cp1252", "museum,price\r\nLouvre,17.5\r\nÉcole €,3\r\n"),
        ("gb18030", "museum,price\n故宫,60\n颐和园,30\n"),
        ("shift_jis", "museum,price\n東京,60\n"),
        ("koi8-r", "museum,price\nЭрмитаж,60\n"),
    ],
)
async def test_csv_files_are_read_in_any_encoding(
    python: Python, encoding: str, content: str
) -> None:
    (python.folder / "m.csv").write_bytes(content.encode(encoding))
    rows = [line.split(",") for line in content.splitlines()]
    expected = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    outcome = await python(f"""
        import csv, json
        with open('/data/m.csv', encoding='{encoding}', newline='') as file:
            rows = list(csv.DictReader(file))
        json.dumps(rows)
    """)
    assert json.loads(outcome.text) == expected


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("open('m.txt', encoding='latin-1').read()", "é\n\nz"),
        ("open('m.txt', errors='replace').read()", "\ufffd\n\nz"),
        ("open('m.txt', 'r', encoding='utf-8', errors='ignore').read()", "\n\nz"),
        ("open('m.txt', 'rb').read()", "b'\\xe9\\r\\n\\nz'"),
        ("list(open('m.txt', encoding='latin-1'))", "['é\\n', '\\n', 'z']"),
        ("list(open('m.txt', encoding='latin-1', newline=''))", "['é\\r\\n', '\\n', 'z']"),
        ("open('m.txt', encoding='latin-1').readlines()", "['é\\n', '\\n', 'z']"),
        ("f = open('m.txt', encoding='latin-1')\n(f.readline(), f.read(), f.readline())",
         "('é\\n', '\\nz', '')"),
        ("[n for n, line in enumerate(open('m.txt', encoding='cp1252'))]", "[0, 1, 2]"),
        ("from pathlib import Path\nlen(Path('/data/m.txt').read_bytes())", "5"),
        ("import os\nsorted(os.listdir())", "['m.txt']"),
    ],
)  # fmt: skip
async def test_files_are_opened_as_in_python(python: Python, code: str, text: str) -> None:
    (python.folder / "m.txt").write_bytes(b"\xe9\r\n\nz")
    assert await python(code) == ToolOutcome(ok=True, text=text)


async def test_an_error_is_the_codes_own_and_says_what_to_do(python: Python) -> None:
    (python.folder / "m.txt").write_bytes(b"\xe9")
    undecodable = await python("def f():\n    return open('m.txt').read()\nprint('so far')\nf()")
    assert undecodable.text == (
        "ERROR: so far\n"
        "line 4: f()\n"
        "line 2: return open('m.txt').read()\n"
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 0: "
        "unexpected end of data\n"
        "[the file is not UTF-8: try open(path, encoding='cp1252') or encoding='gb18030', "
        "or errors='replace']"
    )
    missing = await python("open('n.txt', encoding='latin-1')")
    assert missing.text.startswith("ERROR: line 1: open('n.txt', encoding='latin-1')\nFileNot")
    assert "this Python has: asyncio, " in (await python("import pandas")).text
    assert "no yield" in (await python("def f():\n    yield 1")).text
    assert "unknown encoding" in (await python("open('m.txt', encoding='idna')")).text
    assert not (await python("def (")).ok


@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/passwd').read()",
        "open('/data/../secret.txt').read()",
        "open('../secret.txt').read()",
        "open('/data/link').read()",
        "open('/data/relative').read()",
        "open('/data/fifo').read()",
        "open('/data/folder/secret.txt').read()",
        "open('/proc/self/environ').read()",
        "open('/dev/zero', 'rb').read(1)",
        "from pathlib import Path\nPath('/data/../secret.txt').read_text()",
        "from pathlib import Path\nlist(Path('/').iterdir())",
        "import os\nos.listdir('/')",
        "import os\nos.environ['HOME']",
        "import os\nos.system('id')",
        "import os\nos.fork()",
        "import os\nos.kill(1, 9)",
        "import os\nos.remove('/data/a.txt')",
        "open('/data/a.txt', 'w').write('x')",
        "open('/data/a.txt', 'a', encoding='latin-1').write('x')",
        "from pathlib import Path\nPath('/data/a.txt').write_text('x')",
        "import subprocess",
        "import socket",
        "import urllib.request",
        "import ctypes",
        "import importlib",
        "__import__('os').system('id')",
        "().__class__.__bases__[0].__subclasses__()",
        "_decode.__globals__",
        "_decode(b'x', 'unicode_escape', 'strict')",
        "print.__self__",
        "import sys\nsys.modules['os'].system('id')",
    ],
)
async def test_there_is_no_way_out(python: Python, code: str) -> None:
    (python.folder / "a.txt").write_text("kept")
    (python.folder / "link").symlink_to(python.folder.parent / "secret.txt")
    (python.folder / "relative").symlink_to("../secret.txt")
    (python.folder / "folder").symlink_to(python.folder.parent)
    os.mkfifo(python.folder / "fifo")
    outcome = await python(code)
    assert not outcome.ok
    assert "canary" not in outcome.text
    assert (python.folder / "a.txt").read_text() == "kept"


async def test_workers_get_no_environment(python: Python, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-canary")
    await python("1")
    assert workers()
    assert not any("sk-canary" in json.dumps(worker.environ()) for worker in workers())


async def test_what_takes_too_long_ends(python: Python) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snippet, "SECONDS", 1.0)
        endless = await python("print('began')\nwhile True:\n    pass")

    assert not endless.ok
    assert endless.text.startswith("ERROR: began\n")
    assert "TimeoutError" in endless.text
    assert (await python("1 + 1")).text == "2"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = [0]\nwhile True:\n    x = x + x", "MemoryError: memory limit exceeded"),
        ("'a' * 10**10", "MemoryError: memory limit exceeded"),
        ("10 ** 10 ** 8", "MemoryError: memory limit exceeded"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError"),
        ("eval('(' * 10000 + '1' + ')' * 10000)", "too deeply nested"),
        ("while True:\n    print('x' * 100000)", "xxx"),
    ],
)
async def test_what_takes_too_much_ends(python: Python, code: str, error: str) -> None:
    outcome = await python(code)
    assert not outcome.ok
    assert error in outcome.text
    assert len(outcome.text) <= 20_000
    assert (await python("1 + 1")).text == "2"


async def test_a_worker_that_is_killed_is_replaced(python: Python) -> None:
    call, worker = await python.endless()
    os.kill(worker, signal.SIGKILL)
    outcome = await call
    assert not outcome.ok
    assert "the next call gets a new one" in outcome.text
    assert (await python("1 + 1")).text == "2"


async def test_workers_that_died_while_idle_cost_no_call(python: Python) -> None:
    busy = "n = 0\nfor i in range(100000):\n    n += i\nn"

    for _ in range(30):  # the pool sees it in time, or it does not
        await asyncio.gather(python(busy), python(busy))

        for worker in workers():
            worker.kill()

        assert [(await python("1 + 1")).text for _ in range(3)] == ["2"] * 3


async def test_a_cancelled_call_ends_its_worker(python: Python) -> None:
    call, busy = await python.endless()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call

    await until(lambda: busy not in {worker.pid for worker in workers()})
    assert (await python("1 + 1")).text == "2"


async def test_a_call_that_is_cancelled_before_it_begins_starts_no_worker(
    python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, over = threading.Event(), threading.Event()
    run = python.sandbox._pool.run

    def late(*given: Any) -> str:
        cancelled.wait()

        try:
            return run(*given)
        finally:
            over.set()

    monkeypatch.setattr(python.sandbox._pool, "run", late)
    call = asyncio.create_task(python("1"))
    await asyncio.sleep(0)
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call

    await python.tools.close()
    cancelled.set()
    await asyncio.to_thread(over.wait)
    assert python.sandbox._pool._monty is None


async def test_many_calls_share_few_workers(python: Python) -> None:
    found = await asyncio.gather(*(python(f"{number} ** 2") for number in range(30)))
    assert [outcome.text for outcome in found] == [str(number**2) for number in range(30)]
    assert 1 <= len(workers()) <= 2


async def test_closing_ends_running_code_and_all_workers(python: Python) -> None:
    call, _ = await python.endless()
    await python.tools.close()
    assert workers() == []
    assert not (await call).ok
    assert (await python("1 + 1")).text == "2"


async def test_without_a_sandbox_nothing_is_run(
    python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    outcome = await python("1 + 1")
    assert outcome.text == (
        "ERROR: there is no Python sandbox here; install it with: "
        "pip install 'pydantic-monty==1.4.0'"
    )


async def test_another_version_of_the_sandbox_is_refused(
    python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pydantic_monty.__version__", "1.5.0")
    assert "pydantic-monty 1.5.0 is installed" in (await python("1 + 1")).text


async def test_a_missing_worker_program_is_named(
    python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.files", lambda _: [])
    assert "the worker program of the Python sandbox is not there" in (await python("1")).text
    monkeypatch.setattr("kimi_nb.tools.sandbox._binary", lambda: Path("/nonexistent/monty"))
    assert "pip install" in (await python("1")).text


async def test_a_missing_working_folder_is_an_answer(tmp_path: Path) -> None:
    made = Python(tmp_path / "gone")
    assert "cannot be mounted" in (await made("1")).text
    await made.tools.close()


SCRIPT = """
    import asyncio, sys, threading
    from pathlib import Path
    from kimi_nb.tools import ToolContext, snippet, standard_tools

    snippet.SECONDS = {seconds}
    begun = threading.Event()

    class Printed(snippet._Printed):
        def __call__(self, stream, text):
            begun.set()

    snippet._Printed = Printed
    tools = standard_tools()
    here = ToolContext(folder=Path({folder!r}), agent="", run="")

    async def forever():
        await tools.call("python", '{{"code": "print(1)\\\\nwhile True: pass"}}', here)

    def ready():
        print("running", flush=True)
        sys.stdin.read()

    async def main():
        await tools.call("python", '{{"code": "1"}}', here)
        {then}

    asyncio.run(main())
"""
ABANDONED = """task = asyncio.create_task(forever())
        await asyncio.to_thread(begun.wait)
        ready()"""
ELSEWHERE = """threading.Thread(target=asyncio.run, args=(forever(),), daemon=True).start()
        begun.wait()
        ready()"""


def start(folder: Path, then: str, seconds: float = 1000) -> subprocess.Popen[str]:
    """A process that has come to `ready`; it goes on when its input ends."""
    code = textwrap.dedent(SCRIPT.format(folder=str(folder), then=then, seconds=seconds))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


@pytest.mark.parametrize(
    "then", ["ready()", ABANDONED, "ready(); sys.exit(0)", "ready(); await tools.close()"]
)
async def test_nothing_is_left_when_the_interpreter_exits(tmp_path: Path, then: str) -> None:
    with start(tmp_path, then) as process:
        left = workers(process.pid)
        assert left
        output, errors = process.communicate()

    assert (process.returncode, output, errors) == (0, "", "")
    await until(lambda: not any(map(alive, left)))


async def test_nothing_is_left_when_the_loop_is_in_another_thread(tmp_path: Path) -> None:
    # As in a kernel: nobody cancels the calls of a daemon thread when the interpreter exits.
    with start(tmp_path, ELSEWHERE) as process:
        left = workers(process.pid)
        assert left
        _, errors = process.communicate()

    assert (process.returncode, errors) == (0, "")
    assert not any(map(alive, left))


async def test_nothing_is_left_when_the_kernel_is_killed(tmp_path: Path) -> None:
    # An idle worker sees at once that it is alone; a busy one when its time is up.
    with start(tmp_path, ABANDONED, seconds=1) as process:
        left = workers(process.pid)
        assert left
        process.send_signal(signal.SIGKILL)
        process.wait()

    await until(lambda: not any(map(alive, left)))


def alive(worker: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE

    return False
