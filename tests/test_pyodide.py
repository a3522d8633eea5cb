"""Swarms in a browser's Python: Pyodide, in Node, where no thread can be started.

It comes with what the front end is tested with; without Node it is skipped. Another one:
PYODIDE=/elsewhere/node_modules/pyodide.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent
PYODIDE = Path(os.environ.get("PYODIDE", ROOT / "widgets" / "node_modules" / "pyodide"))
pytestmark = pytest.mark.timeout(180)  # Pyodide takes ten seconds to begin, where others work too
PURE = ("networkx", "packaging")
"""What of the dependencies is Python only; Pyodide has the others, but not in its npm package."""


def carried_out(script: Path) -> str:
    """What a script prints in Pyodide."""
    node = shutil.which("node")

    if node is None or not PYODIDE.is_dir():
        pytest.skip(f"no Node, or no Pyodide in {PYODIDE}")

    specs = [importlib.util.find_spec(name) for name in PURE]
    pure = [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]
    packages = [ROOT / "kimi_nb", HERE / "pyodide" / "orjson.py", *pure]
    command = [node, HERE / "pyodide" / "run.mjs", PYODIDE, script, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return json.loads(carried_out(HERE / "pyodide" / "swarms.py").splitlines()[-1])


def test_no_thread_can_be_started_there(tmp_path: Path) -> None:
    script = tmp_path / "thread.py"
    script.write_text(
        "import threading\n"
        "try:\n    threading.Thread(target=print).start()\n"
        "except RuntimeError as error:\n    print(error)\n",
        "utf-8",
    )
    assert carried_out(script) == "can't start new thread\n"


def test_a_swarm_works_side_by_side_and_is_replayed(told: dict[str, Any]) -> None:
    assert (told["status"], told["why"]) == ("finished", "")
    assert told["most"] > 1
    assert told["replayed"]

    for museum, hours in {"zoo": "9:00-17:00", "opera": "10:00-20:00"}.items():
        assert f"museums/{museum}.md | {hours} |" in told["answer"]


def test_a_cancelled_swarm_goes_on_where_it_ended(told: dict[str, Any]) -> None:
    assert (told["cut"], told["resumed"]) == ("cancelled", "finished")


def test_who_would_block_the_page_is_told_to_await(told: dict[str, Any]) -> None:
    assert told["refused"].endswith("type: await run")
