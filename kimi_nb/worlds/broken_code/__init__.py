"""A Python package with faults, to be mended until its own tests pass.

Most of its modules stand alone and can be mended side by side. Some form chains, of which
each imports the one before: what their tests say is true only once those below are mended.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kimi_nb.errors import UsageFault
from kimi_nb.tools import Toolset, grep, list_files, native, read_file
from kimi_nb.tools.run_tests import run_tests
from kimi_nb.tools.write import write_file
from kimi_nb.worlds.base import World, sized
from kimi_nb.worlds.broken_code.grader import graded
from kimi_nb.worlds.broken_code.package import planned

__all__ = ["make"]

STEPS = 12
"""Model calls for one module, of an agent that reads, mends and tests it alone."""

GOAL = (
    "The tests of the Python package {name}/ fail. They lie in tests/, one file for each module. "
    "Mend the package until its own pytest passes: debug what is wrong, build what is missing, "
    "and rename or move what the tests expect elsewhere. Change the package only, never its "
    "tests. Answer with a table: each module that you changed, and what you did there."
)


def make(items: int, seed: int) -> World:
    """The world with a package of so many modules.

    Raises UsageFault for a size outside 3 to 300, and where no sandbox can run its tests.
    """
    if why := native.available():
        raise UsageFault(f"the code world runs what models write, so it needs a sandbox: {why}")

    if importlib.util.find_spec("pytest") is None:
        raise UsageFault("the code world needs pytest; type: pip install 'kimi-nb[worlds]'")

    package = planned(sized(items), seed)
    return World(
        family="code",
        items=items,
        seed=seed,
        goal=GOAL.format(name=package.name),
        write=package.write,
        tools=_tools,
        grade=lambda answer, folder: graded(package, folder),  # noqa: ARG005 - what counts is the code
        steps=STEPS * items,
    )


def _tools(_: Path) -> Toolset:
    return Toolset([list_files, read_file, grep, write_file, run_tests])
