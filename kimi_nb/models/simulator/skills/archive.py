"""What was searched and opened so far, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from kimi_nb.models.simulator.memory import Done
from kimi_nb.models.simulator.script import Call

__all__ = ["Book", "Hit", "Page"]

_HIT = re.compile(r"(?m)^\[(\d+)\] (.*?)(?: — (.*))?$")
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")


class Hit(NamedTuple):
    """A line of a search."""

    id: int
    title: str
    snippet: str

    @property
    def year(self) -> int:
        """The latest year of its title; 0 if there is none."""
        return max((int(year) for year in _YEAR.findall(self.title)), default=0)


class Page(NamedTuple):
    """A document that was opened."""

    title: str
    text: str


class Book:
    """The calls so far by what they asked; those whose results are forgotten tell nothing."""

    def __init__(self, done: Sequence[Done]) -> None:
        self._searches: dict[str, str | None] = {}
        self._pages: dict[int, str | None] = {}

        for call in done:
            if call.name == "search":
                self._searches[str(call.arguments.get("query"))] = call.result
            elif call.name == "open":
                self._pages[call.arguments.get("document", 0)] = call.result

    def searched(self, query: str) -> bool:
        """Whether it was asked, remembered or not."""
        return query in self._searches

    def hits(self, query: str) -> tuple[Hit, ...]:
        """What it found, as far as that is remembered."""
        return _hits(self._searches.get(query) or "")

    def opened(self, document: int) -> bool:
        return document in self._pages

    def page(self, document: int) -> Page | None:
        """None: not opened, not there, or forgotten."""
        text = self._pages.get(document)
        return None if text is None or text.startswith("ERROR") else _page(text)

    def pages(self) -> Iterator[Page]:
        """All that were opened and are remembered, the oldest first."""
        return (page for id in self._pages if (page := self.page(id)) is not None)

    @staticmethod
    def search(query: str, limit: int) -> Call:
        return Call("search", {"query": query, "limit": limit})

    @staticmethod
    def open(document: int) -> Call:
        return Call("open", {"document": document})


@lru_cache(maxsize=4096)
def _hits(text: str) -> tuple[Hit, ...]:
    return tuple(Hit(int(n), title, snippet or "") for n, title, snippet in _HIT.findall(text))


@lru_cache(maxsize=4096)
def _page(text: str) -> Page:
    head, _, body = text.partition("\n")
    return Page(head.removeprefix("# "), body)
