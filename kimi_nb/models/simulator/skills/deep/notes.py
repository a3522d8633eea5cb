"""What was read of owners and posts, and how an agent writes it down."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

__all__ = ["COPY", "LAST", "UNCLEAR", "Clue", "Notes", "Papers", "Person", "written"]

COPY, LAST, UNCLEAR = "a copy", "the last owner", "nothing of it"


class Person(NamedTuple):
    name: str
    post: str


class Clue(NamedTuple):
    """To whom it is said to have gone."""

    post: str
    year: int


class Papers(NamedTuple):
    """What the papers of a person say of the compass."""

    clues: tuple[Clue, ...]
    end: str = ""
    """`COPY`, `LAST` or `UNCLEAR` where they name nobody else."""
    word: str = ""
    """What is engraved, of the last owner's."""


_PAPERS = re.compile(r"(?m)^- (\w+ \w+), ([^:;]+): (?:went to (.+)|(a copy|nothing of it)|"
                     r"the last owner(?:, engraved (\w+))?)$")  # fmt: skip
_CLUE = re.compile(r"the ([^:;]+?) in (\d{4})(?: or |$)")
_ROLL = re.compile(r"(?m)^- ([^:;]+) in (\d{4}): (\w+ \w+)$")


class Notes:
    """All that was written down in these texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.papers: dict[Person, Papers] = {}
        self.rolls: dict[Clue, str] = {}

        for text in texts:
            papers, rolls = _noted(text)
            self.papers.update(papers)
            self.rolls.update(rolls)


def written(known: Notes, already: Notes) -> str:
    """What is known and was not written down before, a line for each; "" if there is nothing."""
    lines = [
        f"- {clue.post} in {clue.year}: {name}"
        for clue, name in known.rolls.items()
        if clue not in already.rolls
    ]
    lines += [
        f"- {person.name}, {person.post}: {_told(papers)}"
        for person, papers in known.papers.items()
        if person not in already.papers
    ]
    return "\n".join(lines)


def _told(papers: Papers) -> str:
    if papers.clues:
        return "went to " + " or ".join(f"the {post} in {year}" for post, year in papers.clues)

    return papers.end + (f", engraved {papers.word}" if papers.word and papers.end == LAST else "")


@lru_cache(maxsize=8192)
def _noted(text: str) -> tuple[dict[Person, Papers], dict[Clue, str]]:
    papers: dict[Person, Papers] = {}

    for name, post, went, end, word in _PAPERS.findall(text):
        clues = tuple(Clue(to, int(year)) for to, year in _CLUE.findall(went))
        papers[Person(name, post)] = Papers(clues, "" if clues else end or LAST, word)

    rolls = {Clue(post, int(year)): name for post, year, name in _ROLL.findall(text)}
    return papers, rolls
