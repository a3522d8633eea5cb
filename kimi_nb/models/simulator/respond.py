"""From a chat request to the script of its answer. Pure: no clock, no files, no chance."""

from __future__ import annotations

from typing import Any, NamedTuple

from kimi_nb.models.simulator import answers, phrases
from kimi_nb.models.simulator.division import Division
from kimi_nb.models.simulator.goal import Goal, are_tables, understand
from kimi_nb.models.simulator.listing import Listing, folders_seen, list_items, needs_tables
from kimi_nb.models.simulator.memory import Past, recall
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.orchestrator import Orchestrator, most_agents
from kimi_nb.models.simulator.script import Script, Turn, perform
from kimi_nb.models.simulator.skills import divided_goal, skilled
from kimi_nb.models.simulator.toolbox import Toolbox, open_toolbox
from kimi_nb.models.simulator.worker import NOTHING, Work

__all__ = ["Divided", "divide", "respond"]


def respond(request: dict[str, Any], options: Options) -> Script:
    """The answer to a `chat.completions` request: the same request, the same script.

    `request["seed"]` distinguishes attempts, so that a retry can meet another fate.
    """
    tools, past, names = _seen(request, options)
    turn = skilled(past, names, options) or _decide(past, tools, options)
    return perform(turn, request, options, past.calls)


class Divided(NamedTuple):
    """An orchestrator's request: what it has done so far, and what there is to decide."""

    past: Past
    goal: Division | Turn | None
    """The parts; a turn where one must look first; None for a goal that is in no parts."""


def divide(request: dict[str, Any], options: Options) -> Divided:
    """The goal of a request in parts, by the rules by which `respond` hands them out."""
    tools, past, names = _seen(request, options)
    return Divided(past, divided_goal(past, names, options) or _in_items(past, tools, options))


def _in_items(past: Past, tools: Toolbox, options: Options) -> Division | Turn | None:
    goal, listing = _look(past, tools)

    if _is_beyond(goal, listing):
        return None

    return _first(goal, listing) or Orchestrator(goal, listing, tools, past, options).division()


def _seen(request: dict[str, Any], options: Options) -> tuple[Toolbox, Past, frozenset[str]]:
    tools = open_toolbox(request.get("tools") or ())
    past = recall(request["messages"], tools.kept, options.memory_chars)
    names = frozenset(str(spec["function"]["name"]) for spec in request.get("tools") or ())
    return tools, past, names


def _decide(past: Past, tools: Toolbox, options: Options) -> Turn:
    goal, listing = _look(past, tools)

    if _is_beyond(goal, listing):
        return Turn(text=answers.beyond(goal))

    if (first := _first(goal, listing)) is not None:
        return first

    if tools.can_spawn and most_agents(past.system) > 0:
        return Orchestrator(goal, listing, tools, past, options).turn()

    return _work(goal, listing, tools, past)


def _is_beyond(goal: Goal, listing: Listing) -> bool:
    """The goal is none that these rules can reach."""
    source = goal.source
    promising = source.named_folder or source.here or (source.kind and source.vague)
    unclear = not goal.understood or (source.vague and not goal.shared)
    return bool(unclear and not (listing.call and promising))


def _first(goal: Goal, listing: Listing) -> Turn | None:
    """The turn that lists the items, or says why there are none; None once they are known."""
    if listing.call:
        thinking = "" if goal.shared else phrases.looking(chinese=goal.chinese)
        return Turn(thinking=thinking, calls=(listing.call,))

    if listing.problem:
        return Turn(text=answers.plain_problem(goal, listing.problem))

    return None


def _look(past: Past, tools: Toolbox) -> tuple[Goal, Listing]:
    """The goal and its items; what was listed tells what the goal's words mean."""
    goal = understand(past.goal)
    folders = folders_seen(goal, tools, past.done)
    goal = understand(past.goal, folders)
    listing = list_items(goal, tools, past.done)

    if listing.kind == "files" and not goal.shared and are_tables(listing.items):
        reading = understand(past.goal, folders, tables=True)

        if needs_tables(reading):
            return reading, list_items(reading, tools, past.done)

    return goal, listing


def _work(goal: Goal, listing: Listing, tools: Toolbox, past: Past) -> Turn:
    work = Work(goal, listing, tools)
    calls = work.next_calls(listing.items, past.done)

    if calls:
        return Turn(calls=tuple(calls))

    rows = work.rows(listing.items, past.done)

    if goal.shared:
        return Turn(text=answers.table_of(goal, listing.kind, rows))

    blank = sum(all(cell == NOTHING for cell in row.cells) for row in rows)
    return Turn(text=answers.full_answer(goal, listing, rows, blank))
