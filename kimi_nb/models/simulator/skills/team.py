"""What all skills do alike as an orchestrator: create a sub-agent, hand out, collect."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_nb.models.simulator.memory import Done, Past
from kimi_nb.models.simulator.orchestrator import most_agents
from kimi_nb.models.simulator.script import Call, Turn

__all__ = ["ASSIGN", "can_hand_out", "divided", "hand_out", "reports"]

ASSIGN = "assign_task"


def can_hand_out(past: Past, tools: frozenset[str]) -> bool:
    """The agent is an orchestrator, and may launch sub-agents."""
    return {"create_subagent", ASSIGN} <= tools and most_agents(past.system) > 0


def divided(past: Past, items: Sequence[str]) -> list[list[str]]:
    """The items in order, in as many groups as sub-agents are allowed, of nearly equal size."""
    number = max(1, min(len(items), most_agents(past.system)))
    return [
        list(items[len(items) * n // number : len(items) * (n + 1) // number])
        for n in range(number)
    ]


def hand_out(
    past: Past, agent: str, system_prompt: str, tasks: Sequence[str], thinking: str = ""
) -> Turn | None:
    """The turn that creates the sub-agent, then the one that assigns all tasks at once.

    None: every one of these tasks was assigned, and its report is among `reports`.
    """
    if not any(_created(done, agent) for done in past.done):
        arguments = {"name": agent, "system_prompt": system_prompt}
        return Turn(thinking=thinking, calls=(Call("create_subagent", arguments),))

    given = {task for task, _ in reports(past)}
    missing = [task for task in tasks if task not in given]
    calls = tuple(Call(ASSIGN, {"agent": agent, "prompt": task}) for task in missing)
    return Turn(calls=calls) if calls else None


def reports(past: Past) -> list[tuple[str, str]]:
    """Each task that was assigned, with what came back."""
    return [
        (str(done.arguments.get("prompt", "")), done.result or "")
        for done in past.done
        if done.name == ASSIGN
    ]


def _created(done: Done, agent: str) -> bool:
    return done.name == "create_subagent" and done.arguments.get("name") == agent
