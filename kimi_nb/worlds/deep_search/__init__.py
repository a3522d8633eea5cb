"""A chain of clues, each of which needs the answer to the one before, with stories that mislead.

After BrowseComp: hard to find, easy to check.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kimi_nb.tools import Toolset
from kimi_nb.worlds.base import Grade, World, sized
from kimi_nb.worlds.deep_search.grading import grade_trail
from kimi_nb.worlds.deep_search.trail import Owner, Trail, trail

__all__ = ["make"]

CORPUS = "corpus.sqlite"
STEPS = 16
"""Model calls for one hand-over, plentifully, dead ends included."""


def make(items: int, seed: int) -> World:
    """The world of so many hand-overs. Success: the exact word; quality as `grade_trail` has it.

    Raises UsageFault for a size outside 3 to 300.
    """
    items = sized(items)

    def write(folder: Path) -> None:
        from kimi_nb.tools.corpus import build
        from kimi_nb.worlds.deep_search.documents import documents

        build(folder / CORPUS, documents(_truth(items, seed), seed))

    def tools(folder: Path) -> Toolset:
        from kimi_nb.tools.corpus import corpus_tools

        return Toolset(corpus_tools(folder / CORPUS))

    def grade(answer: str, _folder: Path) -> Grade:
        return grade_trail(answer, _truth(items, seed))

    return World(
        family="deep",
        items=items,
        seed=seed,
        goal=_goal(items, _truth(items, seed).owners[0]),
        write=write,
        tools=tools,
        grade=grade,
        steps=STEPS * (items + 3),
    )


@lru_cache(maxsize=8)
def _truth(items: int, seed: int) -> Trail:
    return trail(items, seed)


def _goal(items: int, first: Owner) -> str:
    return (
        f"In {first.year} a compass belonged to {first.name}, {first.post}. It was handed on "
        f"{items} times. `search` and `open` give you an archive: papers of its owners, which say "
        "to whom it went next, by post and not by name; and rolls, which say who held a post and "
        "when. Some papers tell two stories, of which one leads on. There were copies, other "
        "compasses, and people of the same name. Which word is engraved on the compass, by the "
        "papers of its last owner?\n\n"
        "End your answer with these two lines:\n"
        f"TRAIL: the names of all owners in order, from {first.name} on, with → between them\n"
        "ANSWER: the word alone"
    )
