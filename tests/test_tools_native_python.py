"""`python_native`: what a model gets back from it."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.native import (
    available,
    fonts,
    probe,
    process,
    python_native_tool,
    tool,
    watch,
)

sandboxed = pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox")


async def ran(code: str, folder: Path) -> ToolOutcome:
    tools = Toolset([python_native_tool()])
    context = ToolContext(folder=folder, agent="a", run="r")
    return await tools.call("python_native", json.dumps({"code": code}), context)


def size(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])


@sandboxed
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1 + 1", "2"),
        ("print('a')\n'b'", "a\nb"),
        ("print('a', end='')\n'b'", "a\nb"),
        ("x = 3", "[no output: print something, or end with an expression]"),
        ("None", "[no output: print something, or end with an expression]"),
        ("def f(n):\n    yield n\n\nclass A(str): pass\nlist(f(A('é')))", "['é']"),
        ("import sys\nprint('on')\nsys.exit()", "on"),
        ("import warnings\nwarnings.warn('mind')", "line 2: UserWarning: mind"),
        ("__name__", "__main__"),
        (
            "from dataclasses import dataclass\n@dataclass\nclass P:\n    n: int = 1\nP()",
            "P(n=1)",
        ),
        (
            "import inspect\ndef f():\n    return 1\ninspect.getsource(f)",
            "def f():\n    return 1\n",
        ),
        ("open('data.txt').read()", "data"),
    ],
)
async def test_output_and_value(tmp_path: Path, code: str, text: str) -> None:
    (tmp_path / "data.txt").write_text("data")
    outcome = await ran(code, tmp_path)
    assert (outcome.ok, outcome.text.rstrip("\n")) == (True, text.rstrip("\n"))
    assert outcome.images == ()


@sandboxed
@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "def f(n):\n    return 1 / n\nprint('so far')\nf(0)",
            "so far\nline 4: f(0)\nline 2: return 1 / n\nZeroDivisionError: division by zero",
        ),
        ("import json\njson.loads('{')", "line 2: json.loads('{')\njson.decoder.JSONDecodeError: "),
        ("x = (", '  File "<code>", line 1\n    x = (\n        ^\nSyntaxError: '),
        ("import sys\nsys.exit('no')", "line 2: sys.exit('no')\nSystemExit: no"),
        ("import nothing_of_this_name", "[packages here: "),
        ("open('x', 'w')", "[only the working folder can be read"),
        ("bytearray(10**12)", "[the memory for one call is used up"),
        ("def f(): f()\nf()", "more\nline 1: def f(): f()"),
        ("import os\nprint('on')\nos._exit(0)", "on\n[Python ended before the code did]"),
        ("import os\nos._exit(3)", "[Python ended early, with status 3]"),
        ("import os\nos.abort()", "[Python ended early, with signal 6]"),
        ("while True:\n    print('x' * 999)", "[more than 1,000,000 characters were printed"),
    ],
)
async def test_errors_show_the_models_own_lines(tmp_path: Path, code: str, text: str) -> None:
    outcome = await ran(code, tmp_path)
    assert not outcome.ok

    if "characters were printed" in text:  # which the Toolset has capped
        assert "xxx" in outcome.text
        return

    assert text in outcome.text
    assert "runner.py" not in outcome.text
    assert text.startswith("[") or outcome.text.startswith(f"ERROR: {text}") or "more" in text


@sandboxed
async def test_time_that_is_up_is_said_with_what_was_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock leaps when the code has printed, however long the machine took until then."""
    leap = 0.0

    class Output(watch._Output):
        def read(self) -> None:
            nonlocal leap
            super().read()
            leap = tool.SECONDS if self.text else 0.0

    monkeypatch.setattr(watch, "_Output", Output)
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + leap)
    monkeypatch.setattr(watch, "time", clock)
    outcome = await ran("print('so far')\nwhile True: pass", tmp_path)
    assert not outcome.ok
    assert outcome.text.startswith("ERROR: so far\n[the 30 seconds for one call are up")


@sandboxed
async def test_figures_come_back(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    outcome = await ran(
        "import matplotlib.pyplot as plt\n"
        "for n in range(10):\n    plt.figure(figsize=(n + 1, 4)); plt.plot([1, n])\nplt.show()\n"
        "plt.figure(1); plt.close()",
        tmp_path,
    )
    assert outcome.ok
    assert outcome.text == "[1 more figures are open; 8 can be shown]"
    assert [size(image.data) for image in outcome.images] == [(n * 100, 400) for n in range(2, 10)]


@sandboxed
async def test_a_large_figure_is_made_smaller(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code = "import matplotlib.pyplot as plt\nplt.figure(figsize=(40, 20)); plt.show()\n'done'"
    outcome = await ran(code, tmp_path)
    assert (outcome.ok, outcome.text) == (True, "done")
    assert [size(image.data) for image in outcome.images] == [(1024, 512)]


@sandboxed
async def test_the_list_of_fonts_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    made: list[int] = []
    real = fonts._made
    monkeypatch.setattr(fonts, "_made", lambda: (made.append(1), real())[1])
    fonts._fonts.cache_clear()
    code = """
import os, pathlib
lists = [*pathlib.Path(os.environ["MPLCONFIGDIR"]).glob("fontlist*")]
before = [path.read_bytes() for path in lists]
import matplotlib.pyplot
len(lists), before == [path.read_bytes() for path in lists]
"""
    assert [(await ran(code, tmp_path)).text for _ in range(2)] == ["(1, True)"] * 2
    assert made == [1]


@sandboxed
async def test_the_folder_does_not_shadow_packages(tmp_path: Path) -> None:
    pytest.importorskip("numpy")

    for name in ("numpy", "json", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")

    assert (await ran("import numpy, json; int(numpy.arange(3).sum())", tmp_path)).text == "3"


@sandboxed
@pytest.mark.parametrize(
    "planted",
    [
        "'null'",
        "'[' * 100_000",
        '\'{"value": "", "error": "", "figures": "x", "more": 0}\'',
        "' ' * 9_000_000",
    ],
)
async def test_planted_results_do_no_harm(tmp_path: Path, planted: str) -> None:
    code = (
        "import os\nplace = os.environ['TMPDIR'] + '/results/outcome.json'\n"
        f"open(place, 'w').write({planted}); os._exit(0)"
    )
    outcome = await ran(code, tmp_path)
    assert not outcome.ok
    assert outcome.text == "ERROR: [Python ended before the code did]"


@sandboxed
async def test_a_planted_picture_that_is_none_is_refused(tmp_path: Path) -> None:
    code = """
import json, os
results = os.environ["TMPDIR"] + "/results/"
outcome = {"value": "", "error": "", "figures": 1, "more": 0}
open(results + "outcome.json", "w").write(json.dumps(outcome))
open(results + "0.png", "w").write("<svg/>")
os._exit(0)
"""
    outcome = await ran(code, tmp_path)
    assert (outcome.ok, outcome.images) == (False, ())
    assert "not a PNG" in outcome.text


async def test_without_a_sandbox_every_call_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "landlock_abi", lambda: 0)
    outcome = await ran("print(1)", tmp_path)
    assert not outcome.ok
    assert "no landlock" in outcome.text


def test_the_description_names_what_is_installed() -> None:
    assert "Packages: numpy, " in python_native_tool().description
    assert "torch" not in python_native_tool().description


@pytest.mark.parametrize(
    ("command", "stdin", "draws"),
    [
        (["python", "-c", "import matplotlib.pyplot"], b"", True),
        (["python", "draws.py"], b"", True),
        (["python", "runner"], b"frame.plot()", True),
        (["python", "other.py", "missing.py"], b"import numpy", False),
        (["python", "-m", "pytest"], b"", False),
    ],
)
def test_who_draws_is_guessed(
    tmp_path: Path, command: list[str], stdin: bytes, *, draws: bool
) -> None:
    (tmp_path / "draws.py").write_text("from matplotlib import pyplot")
    (tmp_path / "other.py").write_text("import numpy")
    job = process.Job(
        command=command, folder=tmp_path, writable=False, seconds=1, memory=1, stdin=stdin
    )
    assert fonts._draws(job) is draws
