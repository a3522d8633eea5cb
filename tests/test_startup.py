"""`%load_ext kimi_nb` is the first line of every notebook: it must not be felt."""

from __future__ import annotations

import json
import os
import subprocess
import sys

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
ROUNDS = 5

LOAD = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before, began = set(sys.modules), time.process_time()
shell.run_line_magic("load_ext", "kimi_nb")
print(json.dumps([time.process_time() - began, sorted(set(sys.modules) - before)]))
"""
IMPORT = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
before, began = set(sys.modules), time.process_time()
import openai
print(json.dumps([time.process_time() - began, sorted(set(sys.modules) - before)]))
"""


def fresh(code: str) -> tuple[float, list[str]]:
    """CPU seconds and newly imported modules of `code` in an interpreter of its own."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    seconds, imported = json.loads(done.stdout.splitlines()[-1])
    return seconds, imported


def test_the_extension_is_loaded_and_nothing_heavy_with_it() -> None:
    _, imported = fresh(LOAD)
    assert "kimi_nb.magics" in imported
    assert HEAVY & {name.partition(".")[0] for name in imported} == set()


def test_the_check_for_heavy_modules_can_fail() -> None:
    _, imported = fresh(IMPORT)
    assert "openai" in HEAVY & {name.partition(".")[0] for name in imported}


def test_loading_costs_less_than_a_third_of_importing_openai() -> None:
    """Interleaved, the best of each: what else the machine does hits both alike."""
    rounds = [(fresh(LOAD)[0], fresh(IMPORT)[0]) for _ in range(ROUNDS)]
    load, openai = (min(times) for times in zip(*rounds, strict=True))
    print(f"\n%load_ext kimi_nb {load:.3f} s, import openai {openai:.3f} s: {load / openai:.2f}")  # noqa: T201
    assert load / openai < 0.3
