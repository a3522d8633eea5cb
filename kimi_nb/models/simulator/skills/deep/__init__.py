"""Deep search: from clue to clue, where each needs the answer to the one before.

The same rules for all: read the papers of an owner, look up who held the post that they name, and
go on from there. Where papers tell two stories the first is followed to its end, then the other.
An orchestrator hands both out at once, as far as it may, each up to the next fork.
"""

from __future__ import annotations

from typing import NamedTuple

from kimi_nb.models.simulator.division import Division, Part
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn
from kimi_nb.models.simulator.skills.archive import Book
from kimi_nb.models.simulator.skills.deep.lead import AGENT, ROLE, hand_out_stories
from kimi_nb.models.simulator.skills.deep.notes import Notes, written
from kimi_nb.models.simulator.skills.deep.reading import read
from kimi_nb.models.simulator.skills.deep.task import (
    Task,
    answer,
    prompt,
    report,
    task_of,
)
from kimi_nb.models.simulator.skills.deep.walk import Walk
from kimi_nb.models.simulator.skills.team import can_hand_out, reports

__all__ = ["division", "turn"]

CALLS = 4
"""For one hand-over, reckoned beforehand: find and open a roll, find and open papers."""


def turn(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The next turn; None if the goal is no trail through an archive."""
    task = task_of(past.goal)

    if task is None:
        return None

    known, walk, note = _gone(task, past, options)

    if can_hand_out(past, tools) and walk.fork and not task.shared:
        handed = hand_out_stories(walk.fork, past, note)

        if handed is not None:
            return handed

    if walk.calls:
        return Turn(text=note, calls=walk.calls)

    return Turn(text=report(walk, known) if task.shared else answer(task, walk))


def division(past: Past, options: Options) -> Division | Turn | None:
    """The goal in hand-overs, each of which needs the one before; see `skills.divided_goal`.

    Where papers tell two stories, the next one is in two parts. Who goes on alone begins with the
    first of them, whichever was chosen.
    """
    task = task_of(past.goal)

    if task is None or task.shared:
        return None

    _, walk, note = _gone(task, past, options)

    if walk.at is None and walk.calls:  # the first papers say where the trail goes
        return Turn(text=note, calls=walk.calls)

    return Division(
        parts=tuple(_parts(task, walk)),
        agent=AGENT,
        role=ROLE,
        alone=lambda _place: Turn(calls=walk.calls) if walk.calls else None,
        join=lambda: Turn(text=answer(task, walk)),
        note=note,
    )


class _Gone(NamedTuple):
    known: Notes
    walk: Walk
    note: str
    """What is to be written down."""


def _gone(task: Task, past: Past, options: Options) -> _Gone:
    """How far the trail is known by what was read, said and reported."""
    book = Book(past.done)
    said = [*past.said, *(text for _, text in reports(past))] if options.notes else []
    said = said or [text for _, text in reports(past)]
    noted = Notes(said)
    known = read(book, noted, task.story)
    note = written(known, noted) if options.notes else ""
    return _Gone(known, Walk(task, known, book, options.calls_per_turn), note)


def _parts(task: Task, walk: Walk) -> list[Part]:
    """The hand-overs behind, the one that is next, and those of which nothing is known yet."""
    over = not walk.calls
    reached = len(walk.trail) if over else walk.depth
    parts = [_step(n, (n - 2,) if n > 1 else (), done=True) for n in range(1, reached)]
    before = (len(parts) - 1,) if parts else ()
    next_ = [] if over or walk.at is None else list(walk.fork or (walk.at,))
    parts += [
        Part(name=f"{_nth(reached)}: {at.post}", task=prompt(at), work=CALLS, needs=before)
        for at in next_
    ]
    behind = tuple(range(len(parts) - len(next_), len(parts)))

    for number in range(reached + 1, 1 if over else task.steps + 1):
        parts.append(_step(number, behind, done=False))
        behind = (len(parts) - 1,)

    return parts


def _step(number: int, needs: tuple[int, ...], *, done: bool) -> Part:
    """A hand-over that is known, or of which nobody can say yet where it began."""
    task = f"Find out how the compass went on at its {_nth(number)}."
    return Part(name=_nth(number), task=task, work=CALLS, needs=needs, done=done)


def _nth(number: int) -> str:
    return f"hand-over {number}"
