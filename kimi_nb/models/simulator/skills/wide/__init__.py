"""Wide search: one row for each of many things, out of an archive that can be searched.

The same rules for all. An agent alone finds the list, then looks up one row after the other. An
orchestrator finds the list, shares it out, and joins the tables that come back. What was found is
written down row by row, and read again from there.
"""

from __future__ import annotations

from dataclasses import replace

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.division import Division, Part, label
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn
from kimi_nb.models.simulator.skills.archive import Book
from kimi_nb.models.simulator.skills.team import can_hand_out, divided, reports
from kimi_nb.models.simulator.skills.wide.lead import AGENT, ROLE, lead
from kimi_nb.models.simulator.skills.wide.listed import look_up, noted_names
from kimi_nb.models.simulator.skills.wide.rows import look
from kimi_nb.models.simulator.skills.wide.task import (
    Task,
    answer,
    prompt,
    rows_of,
    task_of,
)

__all__ = ["division", "turn"]

LOOKS = 2.5
"""Calls for one cell, reckoned beforehand: a search, and a document or two."""


def turn(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The next turn; None if the goal is no table of an archive's things."""
    task = task_of(past.goal)

    if task is None:
        return None

    book = Book(past.done)
    named = _named(task, book, past, options)

    if isinstance(named, Turn):
        return named

    names, note = named

    if can_hand_out(past, tools) and not task.names:
        return lead(task, names, book, past, options, note)

    return _alone(task, names, book, past, options, note)


def division(past: Past, options: Options) -> Division | Turn | None:
    """The goal in groups of rows, none of which needs another; see `skills.divided_goal`."""
    task = task_of(past.goal)

    if task is None or task.names:
        return None

    book = Book(past.done)
    named = _named(task, book, past, options)

    if isinstance(named, Turn):
        return named

    names, note = named
    rows = {name: row for _, text in reports(past) for name, row in rows_of(task, text).items()}
    groups = divided(past, names)
    found = [look(task, [n for n in g if n not in rows], book, past, options) for g in groups]
    work = LOOKS * (len(task.columns) - 1)

    def alone(place: int) -> Turn | None:
        calls = found[place].calls
        return Turn(calls=calls) if calls else None

    def join() -> Turn:
        known = {name: row for each in found for name, row in each.rows.items()} | rows
        return Turn(text=answer(task, names, known, final=True))

    return Division(
        parts=tuple(
            Part(
                name=label(group),
                task=prompt(task, group),
                work=work * len(group),
                done=not each.calls,
            )
            for group, each in zip(groups, found, strict=True)
        ),
        agent=AGENT,
        role=ROLE,
        alone=alone,
        join=join,
        note="\n".join(filter(None, [note, *(each.note for each in found)])),
    )


def _named(
    task: Task, book: Book, past: Past, options: Options
) -> tuple[tuple[str, ...], str] | Turn:
    """Which things there are, with what is to be noted of that; or how to find them."""
    if names := task.names or noted_names(past):
        return names, ""

    listed = look_up(task, book, options)

    if listed.calls:
        return Turn(calls=listed.calls)

    if not listed.names:
        return Turn(text=f"{listed.problem}\n\n{phrases.signature(chinese=False)}")

    return listed.names, listed.note


def _alone(
    task: Task, names: tuple[str, ...], book: Book, past: Past, options: Options, note: str
) -> Turn:
    found = look(task, names, book, past, options)

    if found.calls:
        text = "\n".join(filter(None, [note, found.note]))
        return Turn(text=text, calls=found.calls)

    text = answer(task, names, found.rows, final=not task.names)
    return replace(Turn(), text=text)
