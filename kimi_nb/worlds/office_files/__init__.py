"""A folder of a company's files, of which a report with figures is to be written.

Quality is 0.9 × F1 of the facts in the report + 0.1 × the share of its figures that are right.
F1 is over all facts that the goal asks for, some two of each file and the totals; what the
report claims and is not true, or claims in two ways, lowers it. A run succeeds if the report
is there, all totals and figures are right, and F1 is at least 0.9.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from kimi_nb.errors import UsageFault
from kimi_nb.worlds.base import Grade, World, sized
from kimi_nb.worlds.office_files.folder import Company, company
from kimi_nb.worlds.office_files.goal import goal_of
from kimi_nb.worlds.office_files.grading import graded
from kimi_nb.worlds.office_files.toolset import office_tools

__all__ = ["make"]

_LIBRARIES = ("docx", "matplotlib", "openpyxl", "PIL", "pypdf", "reportlab")


def make(items: int, seed: int) -> World:
    """The world. Raises UsageFault for a wrong size, and where a library is missing."""
    _check_libraries()
    firm = company(sized(items), seed)
    return World(
        family="office",
        items=items,
        seed=seed,
        goal=goal_of(firm),
        write=partial(_write, firm),
        tools=office_tools,
        grade=partial(_grade, items, seed),
    )


def _check_libraries() -> None:
    from importlib.util import find_spec

    missing = [name for name in _LIBRARIES if find_spec(name) is None]

    if missing:
        raise UsageFault(
            f"this world needs {', '.join(missing)}: pip install 'kimi-nb[office,images]'"
        )


def _write(firm: Company, folder: Path) -> None:
    for paper in firm.papers:
        path = folder / paper.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(paper.data())


def _grade(items: int, seed: int, answer: str, folder: Path) -> Grade:
    return graded(company(items, seed), answer, folder)
