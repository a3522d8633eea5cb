"""One row after the other: search for a fact, open what may tell it, go on until it is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Call
from kimi_nb.models.simulator.skills.archive import Book, Hit
from kimi_nb.models.simulator.skills.wide.facts import (
    KINDS,
    Fact,
    Kind,
    about,
    facts_in,
    kind_of,
    names_it,
)
from kimi_nb.models.simulator.skills.wide.task import Rows, Task
from kimi_nb.models.simulator.tables import write_table

__all__ = ["Found", "look"]

HITS = 10
"""Lines of a search."""
LAST_RESORT = 2
"""Documents without a cue that are opened where nothing else told a fact."""


class Found(NamedTuple):
    """What is known of the rows, and what to ask next; without calls all is done."""

    calls: tuple[Call, ...]
    rows: Rows
    """Those that are done."""
    note: str
    """The rows that became known just now, as the agent writes them down; "" for none."""


def look(task: Task, names: Sequence[str], book: Book, past: Past, options: Options) -> Found:
    """Go on with the first row that is not done: two at once would crowd the memory."""
    rows = _noted(task, past) if options.notes else {}
    fresh: list[tuple[str, ...]] = []
    calls: list[Call] = []

    for name in names:
        if name in rows:
            continue

        wanted = _Row(task, name, book)
        calls = wanted.next_calls(options.calls_per_turn)

        if calls:
            break

        rows[name] = wanted.cells
        fresh.append(wanted.cells)

    note = "\n".join(map(_line, fresh)) if options.notes else ""
    return Found(tuple(calls), rows, note)


def _line(row: tuple[str, ...]) -> str:
    """A row without a heading: the agent's note to itself."""
    return write_table(row, []).splitlines()[0]


def _noted(task: Task, past: Past) -> dict[str, tuple[str, ...]]:
    rows: dict[str, tuple[str, ...]] = {}

    for text in past.said:
        for row in _rows_in(text):
            if len(row) == len(task.columns):
                rows[row[0]] = row

    return rows


@lru_cache(maxsize=8192)
def _rows_in(text: str) -> tuple[tuple[str, ...], ...]:
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return tuple(tuple(cell.strip() for cell in line[1:-1].split("|")) for line in lines)


class _Row:
    """One lighthouse: what of it is known and what may still be asked."""

    def __init__(self, task: Task, name: str, book: Book) -> None:
        self._task = task
        self._name = name
        self._book = book
        self._kinds = [kind for column in task.columns[1:] if (kind := kind_of(column))]
        self._hits = {kind: book.hits(self._query(kind)) for kind in self._kinds}
        self._latest = self._known()

    @property
    def cells(self) -> tuple[str, ...]:
        """The row; "" for what is not known."""
        values = (self._latest.get(kind_of(column)) for column in self._task.columns[1:])
        return (self._name, *(fact.value if fact else "" for fact in values))

    def next_calls(self, most: int) -> list[Call]:
        """At most so many calls that need no other's result; [] once the row is done."""
        calls: list[Call] = []
        open_: set[int] = set()

        for kind in self._kinds:
            if len(calls) == most:
                return calls

            call = self._next(kind, open_)
            calls += [call] if call else []

        return calls

    def _query(self, kind: str) -> str:
        return f'"{self._name}" "{self._task.place}" {KINDS[kind].words}'

    def _known(self) -> dict[str, Fact]:
        """The latest fact of each kind in all that is remembered."""
        latest: dict[str, Fact] = {}

        for page in self._book.pages():
            for fact in facts_in(page, self._name, self._task.place):
                known = latest.get(fact.kind)

                if known is None or fact.year > known.year:
                    latest[fact.kind] = fact

        return latest

    def _next(self, kind: str, taken: set[int]) -> Call | None:
        """A search or a document that may tell this fact; `taken`: asked for in this turn."""
        known = self._latest.get(kind)

        if known and not KINDS[kind].changes:
            return None

        query = self._query(kind)

        if not self._book.searched(query):
            return self._book.search(query, HITS)

        for hit in self._promising(kind, known):
            if not self._book.opened(hit.id) and hit.id not in taken:
                taken.add(hit.id)
                return self._book.open(hit.id)

        return None

    def _promising(self, kind: str, known: Fact | None) -> list[Hit]:
        """Hits about this lighthouse that speak of the fact and are not older than what is known.

        The newest first, then those that do not say when; where there are none, a few others.
        """
        ours = [hit for hit in self._hits[kind] if self._may_be(hit)]
        cue = [hit for hit in ours if _speaks(KINDS[kind], hit)]

        if not cue and not known:
            cue = ours[:LAST_RESORT]

        newer = [h for h in cue if not (h.year and known and h.year <= known.year)]
        return sorted(newer, key=lambda hit: -hit.year)

    def _may_be(self, hit: Hit) -> bool:
        """By its title and snippet it can be about this one."""
        if not names_it(hit.title, self._name):
            return False

        seen = f"{hit.title} {hit.snippet}"
        return about(seen, self._name, self._task.place)


def _speaks(kind: Kind, hit: Hit) -> bool:
    return kind.cue.search(f"{hit.title} {hit.snippet}") is not None
