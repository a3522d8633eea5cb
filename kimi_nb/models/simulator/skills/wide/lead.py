"""The orchestrator: share the names out, join the tables, hand out once more what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.orchestrator import most_agents
from kimi_nb.models.simulator.script import Call, Turn
from kimi_nb.models.simulator.skills.archive import Book
from kimi_nb.models.simulator.skills.team import ASSIGN, divided, hand_out, reports
from kimi_nb.models.simulator.skills.wide.rows import look
from kimi_nb.models.simulator.skills.wide.task import Task, answer, prompt, rows_of

__all__ = ["AGENT", "ROLE", "lead"]

AGENT = "archive-reader"
ROLE = (
    "You look up one lighthouse after the other in the archive and report exactly what it says. "
    "Do not guess: leave a cell empty where you find nothing."
)


def lead(
    task: Task, names: Sequence[str], book: Book, past: Past, options: Options, note: str
) -> Turn:
    """The next turn of who may launch sub-agents."""
    given = reports(past)

    if not given:
        groups = divided(past, names)
        tasks = [prompt(task, group) for group in groups]
        thinking = phrases.plan(len(names), len(groups), chinese=False)
        made = hand_out(past, AGENT, ROLE, tasks, thinking)
        return replace(made or Turn(), text=note)

    rows = {name: row for _, text in given for name, row in rows_of(task, text).items()}
    missing = [name for name in names if name not in rows]

    if missing:
        turn = _again(task, missing, past) or _alone(task, missing, book, past, options)

        if isinstance(turn, Turn):
            return turn

        rows |= turn

    text = answer(task, names, rows, final=True)
    return Turn(thinking=phrases.joining(chinese=False), text=text)


def _again(task: Task, missing: Sequence[str], past: Past) -> Turn | None:
    """Hand out the missing ones, once, if sub-agents are left."""
    assigned = [done for done in past.done if done.name == ASSIGN]
    left = most_agents(past.system) - len(assigned)

    if len({done.turn for done in assigned}) > 1 or left < 1:
        return None

    number = min(left, len(missing))
    groups = [
        missing[len(missing) * n // number : len(missing) * (n + 1) // number]
        for n in range(number)
    ]
    calls = (Call(ASSIGN, {"agent": AGENT, "prompt": prompt(task, group)}) for group in groups)
    thinking = phrases.trying_again(len(missing), chinese=False)
    return Turn(thinking=thinking, calls=tuple(calls))


def _alone(
    task: Task, missing: Sequence[str], book: Book, past: Past, options: Options
) -> Turn | dict[str, tuple[str, ...]]:
    """Look up what nobody brought; the rows once all is done."""
    found = look(task, missing, book, past, options)

    if found.calls:
        thinking = phrases.doing_rest(len(missing), chinese=False)
        return Turn(thinking=thinking, text=found.note, calls=found.calls)

    return dict(found.rows)
