"""Which things there are: the latest register of the place, all its parts."""

from __future__ import annotations

import re
from typing import NamedTuple

from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Call
from kimi_nb.models.simulator.skills.archive import Book, Hit
from kimi_nb.models.simulator.skills.wide.task import Task

__all__ = ["Listed", "look_up", "noted_names"]

_NOTE = re.compile(r"(?m)^In the register \(\d+\): (.+)$")
_LINE = re.compile(r"(?m)^\s*(?:[-*•]|\d+[.)])\s+(.+?)\s*$")
HITS = 40


class Listed(NamedTuple):
    """The names, or what to do to find them, or why they cannot be found."""

    names: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    problem: str = ""

    @property
    def note(self) -> str:
        """The names as the agent writes them down."""
        return f"In the register ({len(self.names)}): {'; '.join(self.names)}"


def noted_names(past: Past) -> tuple[str, ...]:
    """The names that the agent has written down; () if it has not yet."""
    for text in past.said:
        if found := _NOTE.search(text):
            return tuple(found[1].split("; "))

    return ()


def look_up(task: Task, book: Book, options: Options) -> Listed:
    """Search for the register, then open each part of its latest edition."""
    query = f'"register of lighthouses" "{task.place}"'

    if not book.searched(query):
        return Listed(calls=(book.search(query, HITS),))

    parts = _latest(book.hits(query), task.place)
    unread = [hit.id for hit in parts if not book.opened(hit.id)]

    if unread:
        return Listed(calls=tuple(map(book.open, unread[: options.calls_per_turn])))

    names: dict[str, None] = {}

    for hit in parts:
        page = book.page(hit.id)
        names.update(dict.fromkeys(_LINE.findall(page.text) if page else ()))

    if not names:
        return Listed(problem=f"I found no register of the lighthouses of the {task.place}.")

    return Listed(names=tuple(names))


def _latest(hits: tuple[Hit, ...], place: str) -> list[Hit]:
    of_place = [hit for hit in hits if place in hit.title and "egister" in hit.title]
    latest = max((hit.year for hit in of_place), default=0)
    return sorted((hit for hit in of_place if hit.year == latest), key=lambda hit: hit.title)
