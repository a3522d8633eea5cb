"""A folder of office files, and a report of what stands in them.

The same rules make the orchestrator, its sub-agents and an agent that works alone: list the
files, read each with the tool for its kind, add up, draw, write.
"""

from __future__ import annotations

from kimi_nb.models.simulator.division import Division, Part, label
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn
from kimi_nb.models.simulator.skills.office.desk import Desk
from kimi_nb.models.simulator.skills.office.report import Report
from kimi_nb.models.simulator.skills.office.task import share_of, understand
from kimi_nb.models.simulator.skills.team import can_hand_out, divided, hand_out

__all__ = ["division", "turn"]

AGENT = "file-reader"
ROLE = (
    "You read office files with your tools, one after the other, and report exactly the facts "
    "that were asked for, as found. Do not guess: leave out what is not there."
)


def turn(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The next turn; None if the goal is not of this kind."""
    task = understand(past.goal)

    if task is None:
        return None

    desk = Desk(task, past, options)
    return desk.listing() or _delegated(desk, tools) or desk.reading() or _end(desk)


def division(past: Past, options: Options) -> Division | Turn | None:
    """The goal in groups of files, none of which needs another; see `skills.divided_goal`."""
    task = understand(past.goal)

    if task is None or task.is_share:
        return None

    desk = Desk(task, past, options)

    if (first := desk.listing()) is not None:
        return first

    groups = divided(past, _mixed(past, desk.files)) if desk.files else []
    return Division(
        parts=tuple(
            Part(
                name=label(group),
                task=share_of(task, group),
                work=len(group),
                done=not desk.calls_for(group),
            )
            for group in groups
        ),
        agent=AGENT,
        role=ROLE,
        alone=lambda place: desk.reading(groups[place]),
        join=Report(desk).turn,
        note=desk.note(),
    )


def _delegated(desk: Desk, tools: frozenset[str]) -> Turn | None:
    """The turn that hands out the files; None: all reports are in, or nobody can help."""
    if desk.task.is_share or not desk.files or not can_hand_out(desk.past, tools):
        return None

    groups = divided(desk.past, _mixed(desk.past, desk.files))
    thinking = (
        f"{len(desk.files)} files, each to be read by itself. I share them out among "
        f"{len(groups)} sub-agents, join their tables, and write the report."
    )
    tasks = [share_of(desk.task, group) for group in groups]
    return hand_out(desk.past, AGENT, ROLE, tasks, thinking)


def _mixed(past: Past, files: list[str]) -> list[str]:
    """In such an order that every group has some of each kind: they differ in length."""
    number = len(divided(past, files))
    return [file for first in range(number) for file in files[first::number]]


def _end(desk: Desk) -> Turn:
    if desk.task.is_share:
        return Turn(text=desk.answer())

    return Report(desk).turn()
