"""How far the trail is known: what to look up next, where it forks, or where it ends."""

from __future__ import annotations

from typing import Protocol

from kimi_nb.models.simulator.script import Call
from kimi_nb.models.simulator.skills.archive import Book
from kimi_nb.models.simulator.skills.deep.notes import LAST, Clue, Notes, Person
from kimi_nb.models.simulator.skills.deep.reading import is_papers, is_roll

__all__ = ["Start", "Walk"]

HITS = 8


class Start(Protocol):
    """Where a walk begins: at a person, or at one story of somebody's."""

    @property
    def first(self) -> Person | None: ...
    @property
    def story(self) -> Clue | None: ...
    @property
    def shared(self) -> bool: ...


class Walk:
    """Down the trail, the first story first; back where it ends in nothing."""

    def __init__(self, start: Start, known: Notes, book: Book, most: int) -> None:
        self._known = known
        self._book = book
        self._most = most
        self._shared = start.shared
        self.calls: tuple[Call, ...] = ()
        """What to ask next, at most `most` at once."""
        self.fork: tuple[Clue, ...] = ()
        """Two stories at the place that was reached, of neither of which anything is known."""
        self.at: Clue | None = None
        """The story that is followed now; None before the first."""
        self.depth = 0
        """Hand-overs until whoever it leads to."""
        self.trail: list[Person] = []
        """The owners so far, or all."""
        self.word = ""
        self.ending = "The trail is lost: I found nothing more."
        self._follow(start)

    def _follow(self, start: Start) -> None:
        """Depth first, without recursion: a trail can have hundreds of owners."""
        waiting: list[tuple[int, Person | Clue]] = [
            (0, at) for at in (start.first, start.story) if at
        ]
        calls: list[Call] = []
        path: list[Person] = []
        reached: list[Person] = []

        while waiting and len(calls) < self._most:
            depth, at = waiting.pop()

            if isinstance(at, Clue):
                self.at, self.depth = at, depth
                name = self._known.rolls.get(at)

                if name is None:
                    self._ask(self._roll(at), calls)
                else:
                    waiting.append((depth, Person(name, at.post)))

                continue

            path = [*path[:depth], at]
            reached = path if len(path) > len(reached) else reached
            papers = self._known.papers.get(at)

            if papers is None:
                self._ask(self._papers(at), calls)
            elif papers.end == LAST:
                self._end(path, papers.word)
                return
            elif len(papers.clues) > 1 and self._fresh(papers.clues):
                self.fork = self.fork or papers.clues

                if self._shared:
                    self.trail, self.ending = path, f"Two stories after {at.name}."
                    return

            if papers is not None:
                waiting += [(depth + 1, clue) for clue in reversed(papers.clues)]

        self.trail = reached
        self.calls = tuple(calls)

        if self._shared and not calls:
            self.ending = "The trail ends: this story leads nowhere."

    def _end(self, path: list[Person], word: str) -> None:
        self.trail, self.word = path, word
        self.ending = f"{path[-1].name} was the last owner."

    def _fresh(self, clues: tuple[Clue, ...]) -> bool:
        """Nothing was looked up of any of these yet."""
        return not any(
            clue in self._known.rolls or self._book.searched(_roll_query(clue)) for clue in clues
        )

    @staticmethod
    def _ask(call: Call | None, calls: list[Call]) -> None:
        if call is not None and call not in calls:
            calls.append(call)

    def _roll(self, clue: Clue) -> Call | None:
        query = _roll_query(clue)

        if not self._book.searched(query):
            return self._book.search(query, HITS)

        hits = (hit for hit in self._book.hits(query) if is_roll(hit.title, clue.post))
        return next((self._book.open(h.id) for h in hits if not self._book.opened(h.id)), None)

    def _papers(self, person: Person) -> Call | None:
        query = f'"Papers of {person.name}" {person.post}'

        if not self._book.searched(query):
            return self._book.search(query, HITS)

        hits = (hit for hit in self._book.hits(query) if is_papers(hit.title, person))
        return next((self._book.open(h.id) for h in hits if not self._book.opened(h.id)), None)


def _roll_query(clue: Clue) -> str:
    return f'Roll "{clue.post}"'
