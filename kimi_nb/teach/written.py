"""An orchestrator that does as it is told, stage by stage: a lesson has the run it is about.

Its sub-agents are the simulator, and do real work with real tools.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.models.simulator import Options, Simulator
from kimi_nb.models.simulator.memory import Past, recall
from kimi_nb.models.simulator.respond import respond
from kimi_nb.models.simulator.script import Call, Script, Turn, perform

__all__ = ["written"]

ASSIGN, CREATE = "assign_task", "create_subagent"
NAME = "worker"
ROLE = "Carry out your task and report the result."
Stages = Sequence[Sequence[str]]


def written(
    stages: Stages,
    answer: Callable[[list[str]], str] = "\n\n".join,
    options: Options | None = None,
) -> Simulator:
    """A model that assigns these tasks, one list of them in each turn, and then answers.

    answer: makes the final answer of what all sub-agents reported, in the order of the tasks. A
        run with `single=True` is the simulator alone: there is nobody to assign anything to.

    Raises UsageFault for a stage that is a text: its letters would be tasks.
    """
    if any(isinstance(stage, str) for stage in stages):
        raise UsageFault("a stage is a list of tasks: [[first, second], [third]]")

    told = [tuple(stage) for stage in stages]

    def turn(request: dict[str, Any], options: Options) -> Script:
        tools = {spec["function"]["name"] for spec in request.get("tools") or ()}

        if ASSIGN not in tools:
            return respond(request, options)

        past = recall(request["messages"], frozenset({ASSIGN}), options.memory_chars)
        return perform(_next(told, answer, past), request, options, past.calls)

    return Simulator(options, name="simulator, orchestrated by hand", answer=turn)


def _next(stages: Stages, answer: Callable[[list[str]], str], past: Past) -> Turn:
    if not past.done:
        return Turn(calls=(Call(CREATE, {"name": NAME, "system_prompt": ROLE}),))

    reports = [done.result or "" for done in past.done if done.name == ASSIGN]
    begun = 0

    for stage in stages:
        if len(reports) == begun:
            return Turn(
                calls=tuple(Call(ASSIGN, {"agent": NAME, "prompt": task}) for task in stage)
            )

        begun += len(stage)

    return Turn(text=answer(reports))
