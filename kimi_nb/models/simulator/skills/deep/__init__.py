"""Deep search: from clue to clue, where each needs the answer to the one before.

The same rules for all: read the papers of an owner, look up who held the post that they name, and
go on from there. Where papers tell two stories the first is followed to its end, then the other.
An orchestrator hands both out at once, as far as it may, each up to the next fork.
"""

from __future__ import annotations

from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn
from kimi_nb.models.simulator.skills.archive import Book
from kimi_nb.models.simulator.skills.deep.lead import hand_out_stories
from kimi_nb.models.simulator.skills.deep.notes import Notes, written
from kimi_nb.models.simulator.skills.deep.reading import read
from kimi_nb.models.simulator.skills.deep.task import Task, answer, report, task_of
from kimi_nb.models.simulator.skills.deep.walk import Walk
from kimi_nb.models.simulator.skills.team import can_hand_out, reports

__all__ = ["turn"]


def turn(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The next turn; None if the goal is no trail through an archive."""
    task = task_of(past.goal)

    if task is None:
        return None

    book = Book(past.done)
    said = [*past.said, *(text for _, text in reports(past))] if options.notes else []
    said = said or [text for _, text in reports(past)]
    noted = Notes(said)
    known = read(book, noted, task.story)
    note = written(known, noted) if options.notes else ""
    walk = Walk(task, known, book, options.calls_per_turn)

    if can_hand_out(past, tools) and walk.fork and not task.shared:
        handed = hand_out_stories(walk.fork, past, note)

        if handed is not None:
            return handed

    if walk.calls:
        return Turn(text=note, calls=walk.calls)

    return Turn(text=_last(task, walk, known))


def _last(task: Task, walk: Walk, known: Notes) -> str:
    return report(walk, known) if task.shared else answer(task, walk)
