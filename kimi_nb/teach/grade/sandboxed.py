"""One script of ours in the sandbox: a plan goes in, an outcome comes out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.teach import exercises
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.native import available
from kimi_nb.tools.native.fonts import furnished
from kimi_nb.tools.native.process import Hold, Job, launch
from kimi_nb.tools.native.rules import libraries
from kimi_nb.tools.native.scratch import scratch_folder

__all__ = ["PACKAGE", "Outcome", "refuse_without", "run_answer", "run_judge"]

PACKAGE = Path(__file__).resolve().parents[2]
HIDDEN = Path(exercises.__file__ or "").resolve().parent
NOTEBOOKS = PACKAGE / "curriculum"
"""In a wheel; the solutions are folded in them."""
HERE = Path(__file__).resolve().parent
NAME = "outcome.json"
MEMORY = 1_000_000_000
"""Bytes of address space."""
LARGEST = 2_000_000
"""Bytes of an outcome."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a script wrote, or why it wrote nothing."""

    found: Any
    why: str = ""
    """"timeout", "memory", "threads", "disk", "ended" or "unread"; "" where it wrote something."""


def refuse_without() -> None:
    """Raises UsageFault where the kernel has no sandbox."""
    if why := available():
        why = why.partition(";")[0]
        raise UsageFault(
            f"{why}. Students' code runs in a sandbox or not at all: grade on Linux 6.2 or newer, "
            "in a virtual machine if need be"
        )

    for folder in map(Path, sys.path):
        copy = folder / HIDDEN.relative_to(PACKAGE.parent)

        if copy.is_dir() and copy.resolve() != HIDDEN and _readable(copy.resolve()):
            raise UsageFault(
                f"{folder} has a second kimi_nb, whose solutions students' code could read; "
                "uninstall one: pip uninstall kimi-nb"
            )


def run_answer(plan: Mapping[str, Any], seconds: float, hold: Hold) -> Outcome:
    """A learner's cells. They see this package without the exercises' files and the notebooks."""
    return _run("child.py", plan, _without_solutions(), seconds, hold)


def run_judge(plan: Mapping[str, Any], seconds: float, hold: Hold) -> Outcome:
    """A judge of ours, on what a stranger's code made."""
    own = (Path(plan["file"]),) if plan["file"] else ()
    return _run("judge.py", plan, (PACKAGE, *own), seconds, hold)


def _readable(path: Path) -> bool:
    return any(path.is_relative_to(library) for library in libraries())


@cache
def _without_solutions() -> tuple[Path, ...]:
    teach = HIDDEN.parent
    beside = [path for path in PACKAGE.iterdir() if path not in {teach, NOTEBOOKS}]
    return (*beside, *(path for path in teach.iterdir() if path != HIDDEN))


def _run(
    script: str, plan: Mapping[str, Any], readable: tuple[Path, ...], seconds: float, hold: Hold
) -> Outcome:
    with scratch_folder() as folder:
        whole = orjson.dumps({"package": str(PACKAGE), **plan})

        def job(results: Path) -> Job:
            return Job(
                command=(sys.executable, "-I", str(HERE / script), str(results)),
                folder=folder,
                writable=True,
                seconds=seconds,
                memory=MEMORY,
                stdin=whole,
                readable=readable,
            )

        with furnished(job(Path())) as scratch:
            results = scratch / "results"
            results.mkdir()
            finished = launch(job(results), hold, scratch)

            if finished.why or finished.code or not (results / NAME).exists():
                return Outcome(None, finished.why or "ended")

            return _read(scratch)


def _read(scratch: Path) -> Outcome:
    """Whatever lies there may be the work of the code that ran."""
    try:
        with Folder(scratch) as folder:
            return Outcome(orjson.loads(folder.read(("results", NAME), LARGEST)))
    except (ToolError, orjson.JSONDecodeError):
        return Outcome(None, "unread")
