"""Wide search: one row for each of many things, out of an archive that can be searched.

The same rules for all. An agent alone finds the list, then looks up one row after the other. An
orchestrator finds the list, shares it out, and joins the tables that come back. What was found is
written down row by row, and read again from there.
"""

from __future__ import annotations

from dataclasses import replace

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn
from kimi_nb.models.simulator.skills.archive import Book
from kimi_nb.models.simulator.skills.team import can_hand_out
from kimi_nb.models.simulator.skills.wide.lead import lead
from kimi_nb.models.simulator.skills.wide.listed import look_up, noted_names
from kimi_nb.models.simulator.skills.wide.rows import look
from kimi_nb.models.simulator.skills.wide.task import Task, answer, task_of

__all__ = ["turn"]


def turn(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The next turn; None if the goal is no table of an archive's things."""
    task = task_of(past.goal)

    if task is None:
        return None

    book = Book(past.done)
    names = task.names or noted_names(past)
    note = ""

    if not names:
        listed = look_up(task, book, options)

        if listed.calls:
            return Turn(calls=listed.calls)

        if not listed.names:
            return Turn(text=f"{listed.problem}\n\n{phrases.signature(chinese=False)}")

        names, note = listed.names, listed.note

    if can_hand_out(past, tools) and not task.names:
        return lead(task, names, book, past, options, note)

    return _alone(task, names, book, past, options, note)


def _alone(
    task: Task, names: tuple[str, ...], book: Book, past: Past, options: Options, note: str
) -> Turn:
    found = look(task, names, book, past, options)

    if found.calls:
        text = "\n".join(filter(None, [note, found.note]))
        return Turn(text=text, calls=found.calls)

    text = answer(task, names, found.rows, final=not task.names)
    return replace(Turn(), text=text)
