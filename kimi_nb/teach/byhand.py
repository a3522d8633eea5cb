"""Traces that one writes down instead of running: every step takes one second, no model takes part.

What measures, schedules and diagnoses a run reads them like any other trace, to the exact figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from kimi_nb.errors import UsageFault
from kimi_nb.events import (
    AgentBegan,
    AgentEnded,
    Fact,
    RunBegan,
    RunEnded,
    StepBegan,
    StepEnded,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.trace import Record, Trace

__all__ = ["MAIN", "planned", "staged"]

MAIN = "a0"
"""The orchestrator; its sub-agents are a1, a2 …"""
_Timed = tuple[float, str, Fact]


def staged(stages: Iterable[Sequence[int]]) -> Trace:
    """A run of stages: the orchestrator takes a step, then the sub-agents take so many each.

    A stage without sub-agents, [], is a step of the orchestrator's own. Raises UsageFault for a
    sub-agent of no step.
    """
    facts = [_began(MAIN, role="orchestrator")]
    now, subs = 0.0, 0

    for number, steps in enumerate(stages, start=1):
        _check(steps)
        names = [f"a{subs + place}" for place in range(1, len(steps) + 1)]
        facts.append((now, MAIN, StepBegan(step=number)))
        now += 1
        facts += [(now, MAIN, _called(number, call, name)) for call, name in enumerate(names)]
        facts.append((now, MAIN, _ended(number, "tool_calls" if names else "stop")))

        for call, (name, count) in enumerate(zip(names, steps, strict=True)):
            facts.append(_began(name, now, parent=MAIN, stage=number, call=call))
            facts += _worked(name, now, count)

        now += max(steps, default=0)
        back = (ToolReturned(step=number, call=n, ok=True, text="done") for n in range(len(names)))
        facts += [(now, MAIN, fact) for fact in back]
        subs += len(names)

    facts.append((now, MAIN, AgentEnded(outcome="finished", text="done")))
    return _trace(facts, now)


def planned(steps: Mapping[str, int], after: Mapping[str, Sequence[str]] | None = None) -> Trace:
    """A run of a task graph: `steps` of each task, and `after` which others it begins.

    Each begins as soon as those have ended, with as many workers as that takes. Raises UsageFault
    for a task of no step, one that is not there, and tasks that wait for each other.
    """
    _check(steps.values())
    before = {name: tuple((after or {}).get(name, ())) for name in steps}

    for name in {*(after or {}), *(each for names in before.values() for each in names)}:
        if name not in steps:
            message = f"no task {name!r}; there are {', '.join(steps)}"
            raise UsageFault(message)

    facts: list[_Timed] = []
    ends: dict[str, float] = {}
    level: dict[str, int] = {}

    for name in _sorted(before):
        level[name] = 1 + max((level[other] for other in before[name]), default=0)

    for name in sorted(steps, key=level.__getitem__):  # as given, among those that begin together
        began = max((ends[other] for other in before[name]), default=0.0)
        facts.append(_began(name, began, stage=level[name], after=" ".join(before[name])))
        facts += _worked(name, began, steps[name])
        ends[name] = began + steps[name]

    return _trace(facts, max(ends.values(), default=0.0))


def _sorted(before: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError as error:
        message = f"these wait for each other: {' → '.join(error.args[1])}"
        raise UsageFault(message) from None


def _check(steps: Iterable[int]) -> None:
    for count in steps:
        if count < 1:
            message = f"a sub-agent of {count} steps did nothing; give at least 1"
            raise UsageFault(message)


def _worked(name: str, began: float, steps: int) -> list[_Timed]:
    facts: list[_Timed] = []

    for number in range(1, steps + 1):
        facts.append((began + number - 1, name, StepBegan(step=number)))
        facts.append((began + number, name, _ended(number, "stop")))

    return [*facts, (began + steps, name, AgentEnded(outcome="finished", text="done"))]


def _began(
    name: str,
    t: float = 0.0,
    *,
    role: str = "sub-agent",
    parent: str = "",
    stage: int = 0,
    call: int = -1,
    after: str = "",
) -> _Timed:
    task = f"Do {name}."
    fact = AgentBegan(
        role=role, name=name, task=task, parent=parent, stage=stage, call=call, after=after
    )
    return t, name, fact


def _ended(step: int, finish: str) -> StepEnded:
    return StepEnded(step=step, finish=finish, tokens_in=0, tokens_out=0, tokens_cached=0)


def _called(step: int, call: int, name: str) -> ToolCalled:
    given = f'{{"agent": "{name}", "prompt": "Do {name}."}}'
    return ToolCalled(
        step=step, call=call, call_id=f"{name}:{call}", tool="assign_task", arguments=given
    )


def _trace(facts: list[_Timed], end: float) -> Trace:
    first = RunBegan(
        goal="by hand",
        model="by hand",
        simulated=True,
        seed=0,
        started=0.0,
        version="",
        options="{}",
    )
    last = RunEnded(status="finished", answer="done")
    ordered = sorted(facts, key=lambda timed: timed[0])  # stable: what is written first stays so
    every = [(0.0, "", first), *ordered, (end, "", last)]
    return Trace(Record(seq, t, agent, fact) for seq, (t, agent, fact) in enumerate(every))
