"""What papers and rolls say, by rules."""

from __future__ import annotations

import re
from functools import lru_cache

from kimi_nb.models.simulator.skills.archive import Book, Page
from kimi_nb.models.simulator.skills.deep.notes import (
    COPY,
    LAST,
    UNCLEAR,
    Clue,
    Notes,
    Papers,
    Person,
)

__all__ = ["holder", "is_papers", "is_roll", "read"]

_TITLE = re.compile(r"^Papers of ([A-Z]\w+ [A-Z]\w+), (.+)$")
_ROLL = re.compile(r"^Roll: (.+)$")
_HELD = re.compile(r"(?m)^(\d{4})[–-](\d{4}): (.+?)\s*$")
_POST = r"the ([a-z][a-z ]+ of (?:the |St )[A-Z][\w ]*? in [A-Z][a-z]+)"
_WENT = re.compile(
    rf"In (?P<a>\d{{4}}) the compass was given to {_POST}|"
    rf"(?:compass|it) went to {_POST} in (?P<b>\d{{4}})|"
    rf"will of (?P<c>\d{{4}}) the compass was left to {_POST}"
)
_WORD = re.compile(r"[Tt]he word (\w+) was engraved")
_FALSE = re.compile(r"was a copy|never had the compass")
_KEPT = re.compile(r"kept the compass to the end")


def is_papers(title: str, person: Person) -> bool:
    """Whether a title is that of this person's papers, not of a namesake's."""
    found = _TITLE.match(title)
    return found is not None and Person(found[1], found[2]) == person


def is_roll(title: str, post: str) -> bool:
    """Whether a title is that of the roll of this post."""
    found = _ROLL.match(title)
    return found is not None and found[1] == post


def holder(page: Page, year: int) -> str:
    """Who held the post of a roll in that year; "" if it does not say."""
    for began, ended, name in _HELD.findall(page.text):
        if int(began) <= year < int(ended):
            return name

    return ""


def read(book: Book, noted: Notes, story: Clue | None) -> Notes:
    """What was noted, and what the remembered documents say; of `story` too, a clue of its own."""
    known = Notes(())
    known.papers.update(noted.papers)
    known.rolls.update(noted.rolls)
    posts: dict[str, Page] = {}

    for page in book.pages():
        if found := _TITLE.match(page.title):
            known.papers.setdefault(Person(found[1], found[2]), _papers(page))
        elif found := _ROLL.match(page.title):
            posts[found[1]] = page

    clues = [clue for papers in known.papers.values() for clue in papers.clues]

    for clue in [*([story] if story else []), *clues]:
        if clue.post in posts and (name := holder(posts[clue.post], clue.year)):
            known.rolls.setdefault(clue, name)

    return known


@lru_cache(maxsize=4096)
def _papers(page: Page) -> Papers:
    clues: list[Clue] = []

    for found in _WENT.finditer(page.text):
        year = found["a"] or found["b"] or found["c"]
        post = next(group for group in found.groups() if group and not group.isdigit())
        clues.append(Clue(post, int(year)))

    word = _WORD.search(page.text)

    if clues:
        return Papers(tuple(clues))

    if _FALSE.search(page.text):
        return Papers((), COPY)

    return Papers((), LAST if _KEPT.search(page.text) else UNCLEAR, word[1] if word else "")
