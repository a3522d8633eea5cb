"""A table of lighthouses, to be filled from an archive of thousands of documents.

After WideSearch: the rows must be found first, then the cells of each, which stand in several
documents, outdated ones and those of namesakes beside them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kimi_nb.tools import Toolset
from kimi_nb.worlds.base import Grade, World, sized
from kimi_nb.worlds.wide_search.coast import COLUMNS, coast
from kimi_nb.worlds.wide_search.grading import (
    Score,
    Truth,
    grade_rows,
    grade_text,
    key_of,
    truth_of,
)

__all__ = ["COLUMNS", "grade_rows", "key_of", "make", "truth"]

CORPUS = "corpus.sqlite"
STEPS = 20
"""Model calls for one lighthouse, plentifully."""


def make(items: int, seed: int) -> World:
    """The world of so many lighthouses. Quality is item-F1; success: every row is right.

    Raises UsageFault for a size outside 3 to 300.
    """
    items = sized(items)

    def write(folder: Path) -> None:
        from kimi_nb.tools.corpus import build
        from kimi_nb.worlds.wide_search.documents import documents

        build(folder / CORPUS, documents(coast(items, seed), seed))

    def tools(folder: Path) -> Toolset:
        from kimi_nb.tools.corpus import corpus_tools

        return Toolset(corpus_tools(folder / CORPUS))

    def grade(answer: str, _folder: Path) -> Grade:
        return _grade(grade_text(answer, truth(items, seed)), items)

    return World(
        family="wide",
        items=items,
        seed=seed,
        goal=_goal(coast(items, seed).name),
        write=write,
        tools=tools,
        grade=grade,
        steps=STEPS * (items + 3),
    )


@lru_cache(maxsize=8)
def truth(items: int, seed: int) -> Truth:
    """What the answer is held against; from the seed alone."""
    return truth_of(coast(items, seed))


def _goal(where: str) -> str:
    return (
        f"Fill in a table of all lighthouses in service on the {where}. `search` and `open` give "
        "you an archive of several coasts, in English and Chinese: registers of lighthouses, of "
        "which the latest holds, and documents about each. Facts change: the latest counts. "
        "Lighthouses of the same name stand on other coasts, and theirs do not count.\n\n"
        "Answer with one Markdown table, a row for each lighthouse, with exactly these columns:\n"
        f"{' | '.join(COLUMNS)}\n\n"
        "Height (m): of the tower, not of the light above the sea, in whole metres. First lit: the "
        "year. Range (nmi): in whole nautical miles. Operator: who runs it now. Visitors: of the "
        "latest year that was counted."
    )


def _grade(found: Score, items: int) -> Grade:
    why = (
        f"{found.whole} of {items} rows are right; {found.right} of {found.wanted} cells, "
        f"of {found.given} given: item precision {found.precision:.3f}, recall {found.recall:.3f}"
    )
    return Grade(found.perfect, found.f1, why)
