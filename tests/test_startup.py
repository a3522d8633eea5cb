"""`%load_ext kimi_nb` is the first line of every notebook: it must not be felt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

import pytest

HEAVY = {
    "aiohttp",
    "anywidget",
    "distributed",
    "matplotlib",
    "networkx",
    "numpy",
    "openai",
    "pandas",
    "pydantic",
    "pydantic_monty",
    "torch",
}

LOAD = "shell.run_line_magic('load_ext', 'kimi_nb')"
IMPORT = "import openai"
COUNTED = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before, steps = set(sys.modules), 0
def count(*_):
    global steps
    steps += 1
sys.setprofile(count)
{code}
sys.setprofile(None)
print(json.dumps([steps, sorted(set(sys.modules) - before)]))
"""


class Done(NamedTuple):
    """What an interpreter of its own did."""

    steps: int
    """Calls and returns. Seconds would be another number each time, on a busy machine a large one:
    of `import openai` loading took 0.24 to 0.31 then, and 0.18 of its steps each time."""
    imported: list[str]


def fresh(code: str) -> Done:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", COUNTED.format(code=code)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return Done(*json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def load() -> Done:
    return fresh(LOAD)


@pytest.fixture(scope="module")
def openai() -> Done:
    return fresh(IMPORT)


def test_the_extension_is_loaded_and_nothing_heavy_with_it(load: Done) -> None:
    assert "kimi_nb.magics" in load.imported
    assert HEAVY & {name.partition(".")[0] for name in load.imported} == set()


def test_the_check_for_heavy_modules_can_fail(openai: Done) -> None:
    assert "openai" in HEAVY & {name.partition(".")[0] for name in openai.imported}


def test_loading_costs_less_than_a_fifth_of_importing_openai(load: Done, openai: Done) -> None:
    assert load.steps / openai.steps < 0.2
