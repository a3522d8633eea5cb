"""The cells that run for one exercise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.grade.code import Parsed, checked_names, parsed
from kimi_nb.teach.grade.submissions import Cell, Notebook, Submission

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
    """A notebook's cells, parsed once."""

    path: str
    cells: tuple[Cell, ...]
    read: tuple[Parsed | str, ...]
    checks: tuple[dict[str, str], ...]
    """Of each cell: the names that it checks, by exercise."""

    def exercises(self) -> set[str]:
        """Ids of what it has cells of."""
        tagged = {cell.exercise for cell in self.cells if cell.exercise}
        return tagged.union(*self.checks)

    def program(self, asked: Exercise) -> Program:
        """What runs for an exercise: the last answer to it, and what that needs.

        A cell that the learner added runs if it binds a name that the answer uses.
        """
        answers = self._answers(asked)
        written = [place for place in answers if not _untouched(self.cells[place], asked)]
        checks = [place for place, named in enumerate(self.checks) if asked.id in named]
        name = next((self.checks[place][asked.id] for place in reversed(checks)), "") or asked.name
        end = checks[-1] if checks and written else len(self.cells)
        root = written[-1] if written else None

        if root is not None and isinstance(trouble := self.read[root], str):
            return Program(cells=(self.cells[root].source,), name=name, trouble=trouble)

        places = self._needed(root, name, end, asked.id)
        cells = tuple(
            found.source for place in places if isinstance(found := self.read[place], Parsed)
        )
        note = f"answered in {len(written)} cells, the last counts" if len(written) > 1 else ""
        return Program(cells=cells, name=name, note=note)

    def _answers(self, asked: Exercise) -> list[int]:
        return [
            place
            for place, cell in enumerate(self.cells)
            if cell.exercise == asked.id and cell.role == ANSWER
        ]

    def _needed(self, root: int | None, name: str, end: int, identity: str) -> list[int]:
        """The places of the cells that run, in order."""
        chosen: set[int] = set() if root is None else {root}
        wanted = {"*"}
        found = None if root is None else self.read[root]
        wanted |= found.uses if isinstance(found, Parsed) else set()
        grown = True

        while grown:
            grown = False

            for place, cell in enumerate(self.cells):
                read = self.read[place]

                if place in chosen or isinstance(read, str) or not self._eligible(cell, identity):
                    continue

                own = cell.added and place < end and name in read.binds

                if own or (not read.binds.isdisjoint(wanted) and name not in read.binds):
                    chosen.add(place)
                    wanted |= read.uses
                    grown = True

        return sorted(chosen)

    @staticmethod
    def _eligible(cell: Cell, identity: str) -> bool:
        """Added, or the answer to another exercise."""
        return cell.added or (cell.role == ANSWER and cell.exercise != identity)


def work(submission: Submission) -> list[Work]:
    """A student's notebooks, parsed."""
    return [_work(notebook) for notebook in submission.notebooks]


def _work(notebook: Notebook) -> Work:
    read = tuple(parsed(cell.source) for cell in notebook.cells)
    checks = tuple(checked_names(each.tree) if isinstance(each, Parsed) else {} for each in read)
    return Work(notebook.path, notebook.cells, read, checks)


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
