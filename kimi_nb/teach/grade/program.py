"""The cells that run for one exercise."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.grade.code import Parsed, checked_names, definitions, parsed
from kimi_nb.teach.grade.submissions import LESSON, Cell, Notebook, Submission

__all__ = ["Program", "Work", "chosen", "work"]

ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An answer as it runs."""

    cells: tuple[str, ...]
    """In order; none where nothing was answered."""
    name: str
    """What they bind."""
    trouble: str = ""
    """Why the answer's cell is no Python; "" if it is."""
    note: str = ""
    """For the teacher: what was chosen of several."""


@dataclass(frozen=True, slots=True)
class Work:
    """A notebook's cells, parsed once: of a cell that is not the learner's what may run."""

    path: str
    cells: tuple[Cell, ...]
    read: tuple[Parsed | str, ...]
    checks: tuple[dict[str, str], ...]
    """Of each cell: the names that it checks, by exercise."""
    giving: dict[str, list[int]]
    """The places of the cells that bind a name."""

    def exercises(self) -> set[str]:
        """Ids of what it has cells of."""
        tagged = {cell.exercise for cell in self.cells if cell.exercise}
        return tagged.union(*self.checks)

    def program(self, asked: Exercise) -> Program:
        """What runs for an exercise: the last answer to it, and what that needs.

        A cell that the learner added runs if it binds a name that the answer uses.
        """
        written = self._written(asked)
        checks = [place for place, named in enumerate(self.checks) if asked.id in named]
        name = next((self.checks[place][asked.id] for place in reversed(checks)), "") or asked.name
        naming = [place for place in written if self._binds(place, name)]
        root = next(reversed(naming or written), None)

        if root is not None and isinstance(trouble := self.read[root], str):
            return Program(cells=(self.cells[root].source,), name=name, trouble=trouble)

        end = checks[-1] if checks else len(self.cells)
        places = self._needed(root, name, end, asked)
        cells = tuple(
            found.source for place in places if isinstance(found := self.read[place], Parsed)
        )
        note = f"answered in {len(naming)} cells, the last counts" if len(naming) > 1 else ""
        return Program(cells=cells, name=name, note=note)

    def _written(self, asked: Exercise) -> list[int]:
        """Its cells that are more than the stub; those that are no Python only if none is."""
        found = [
            place
            for place, cell in enumerate(self.cells)
            if cell.exercise == asked.id and cell.role == ANSWER and not _untouched(cell, asked)
        ]
        return [place for place in found if isinstance(self.read[place], Parsed)] or found

    def _binds(self, place: int, name: str) -> bool:
        read = self.read[place]
        return isinstance(read, Parsed) and name in read.binds

    def _needed(self, root: int | None, name: str, end: int, asked: Exercise) -> list[int]:
        """The places of the cells that run, in order."""
        own = self._own(name, asked)
        own = [place for place in own if place < end] or ([] if self._names(root, name) else own)
        chosen = set(own) if root is None else {root, *own}
        waiting = {"*"}.union(*map(self._uses, chosen))
        asked_for: set[str] = {name}

        while new := waiting - asked_for:
            asked_for |= new
            places = {place for each in new for place in self._giving(each, name, end)}
            waiting |= set().union(*map(self._uses, places))
            chosen |= places

        return sorted(chosen)

    def _own(self, name: str, asked: Exercise) -> list[int]:
        """Cells that the learner added, and that give the answer."""
        return [
            place
            for place, cell in enumerate(self.cells)
            if cell.added and self._binds(place, name) and not _untouched(cell, asked)
        ]

    def _names(self, root: int | None, name: str) -> bool:
        return root is not None and self._binds(root, name)

    def _uses(self, place: int) -> frozenset[str]:
        read = self.read[place]
        return read.uses if isinstance(read, Parsed) else frozenset()

    def _giving(self, wanted: str, name: str, end: int) -> list[int]:
        """Cells that give a name its value: those before the check, else those after it.

        Further down a learner may use the name, as `sum`, for something else.
        """
        found = [place for place in self.giving.get(wanted, ()) if not self._binds(place, name)]
        before = [place for place in found if place < end]
        return before or ([] if hasattr(builtins, wanted) else found)


def work(submission: Submission) -> list[Work]:
    """A student's notebooks, parsed."""
    return [_work(notebook) for notebook in submission.notebooks]


def _work(notebook: Notebook) -> Work:
    whole = tuple(parsed(cell.source) for cell in notebook.cells)
    checks = tuple(checked_names(each.tree) if isinstance(each, Parsed) else {} for each in whole)
    read = tuple(_runnable(cell, each) for cell, each in zip(notebook.cells, whole, strict=True))
    giving: dict[str, list[int]] = {}

    for place, each in enumerate(read):
        for name in each.binds if isinstance(each, Parsed) else ():
            giving.setdefault(name, []).append(place)

    return Work(notebook.path, notebook.cells, read, checks, giving)


def _runnable(cell: Cell, read: Parsed | str) -> Parsed | str:
    """All of an answer and of a learner's own cell; what others define; nothing of a check."""
    if isinstance(read, str) or cell.added or cell.role == ANSWER:
        return read

    return definitions(read) if cell.role == LESSON else "a cell of the lesson"


def chosen(works: Sequence[Work], asked: Exercise) -> Program | None:
    """Of several notebooks the last one, by name, that answers; None where none has it."""
    having = [each for each in works if asked.id in each.exercises()]
    programs = [(each.path, each.program(asked)) for each in having]
    answering = [(path, program) for path, program in programs if program.cells]

    if not answering:
        return programs[-1][1] if programs else None

    path, program = answering[-1]

    if len(answering) == 1:
        return program

    note = f"answered in {len(answering)} notebooks, {path} counts"
    return Program(cells=program.cells, name=program.name, trouble=program.trouble, note=note)


def _untouched(cell: Cell, asked: Exercise) -> bool:
    """Whether it is the stub, or empty."""
    rows = [row.rstrip() for row in cell.source.strip().splitlines()]
    return not any(rows) or rows == [row.rstrip() for row in asked.stub.strip().splitlines()]
