"""What an episode of the orchestrator's world is made of: its costs, its state, its outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any

import numpy as np

from kimi_nb.errors import UsageFault
from kimi_nb.parl.tasks import Bools, Floats, Ints, Tasks

__all__ = ["MOST", "Costs", "Outcome", "State", "begin"]

MOST = 10_000
"""The largest `Costs.most`: a world keeps room for so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What things cost, in steps, and how well they go. Raises UsageFault for what cannot be."""

    turn: float = 1.0
    """Main agent's steps of a stage with sub-agents, before any briefing."""
    briefing: float = 0.25
    """Main agent's steps for each sub-agent: briefing is serial."""
    start: float = 1.0
    """Steps of a sub-agent before its work."""
    straggling: float = 0.1
    """Chance that a sub-agent is a straggler."""
    straggler: float = 1.5
    """How many times as long a straggler takes."""
    done: float = 1.0
    """Steps of a sub-agent that finds its part done."""
    blocked: float = 0.5
    """Part of the work that a sub-agent spends on a part that still waits for others."""
    reliability: float = 0.95
    """Chance that a sub-agent completes a part without coupling."""
    fragility: float = 0.65
    """How much of that chance full coupling takes."""
    loss: float = 0.5
    """Quality that full coupling takes from a part done by a sub-agent."""
    report: float = 0.5
    """What each sub-agent's report adds to the main agent's context, in steps."""
    roomy: float = 12.0
    """Context up to which the main agent works at full quality, in steps."""
    pressure: float = 0.022
    """Quality that each further step of context takes."""
    floor: float = 0.2
    """The least quality of what the main agent does itself."""
    most: int = 8
    """Sub-agents of one stage."""

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)

            if what := _wrong(name, value):
                raise UsageFault(f"{name} is {what}, not {value!r}: type Costs({name}=…)")


_SHARES = {"straggling", "blocked", "reliability", "fragility", "loss", "floor"}


def _wrong(name: str, value: Any) -> str:
    """What the cost of that name has to be; "" where it is."""
    real = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)

    if name == "most":
        whole = isinstance(value, Integral) and 1 <= real <= MOST
        return "" if whole else f"a whole number from 1 to {MOST}"

    if name in _SHARES:
        return "" if 0 <= real <= 1 else "a number from 0 to 1"

    if name == "roomy":
        return "" if 0 < real < math.inf else "a number above 0"

    return "" if 0 <= real < math.inf else "a number from 0 on"


@dataclass(frozen=True, slots=True)
class State:
    """What a policy may see of E episodes of N parts; the arrays change as the world steps."""

    done: Bools
    """(E, N), as the next three."""
    ready: Bools
    """Present, not done, and waiting for nothing."""
    quality: Floats
    """0 until the part is done."""
    queued: Ints
    """Sub-agents assigned to it in this turn."""
    waiting: Ints
    """(E,), as all that follow: sub-agents assigned in this turn."""
    context: Floats
    """Of the main agent, in steps."""
    critical_steps: Floats
    """Spent so far, as the total."""
    total_steps: Floats
    stages: Ints
    sub_agents: Ints
    completed: Ints
    useless: Ints
    over: Bools


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of E episodes; every array is (E,)."""

    success: Bools
    """Submitted with every part done, within the budget."""
    quality: Floats
    """Mean over the parts; a part that is not done has 0."""
    critical_steps: Floats
    total_steps: Floats
    sub_agents: Ints
    completed: Ints
    """Parts that a sub-agent completed."""
    useless: Ints
    """Sub-agents whose part was done, blocked, or already assigned in the same turn."""
    stages: Ints


def begin(tasks: Tasks) -> State:
    """The state of one episode for each task, before any action."""
    shape, number = tasks.work.shape, len(tasks)
    return State(
        done=np.zeros(shape, bool),
        ready=tasks.present & ~tasks.needs.any(axis=2),
        quality=np.zeros(shape),
        queued=np.zeros(shape, int),
        waiting=np.zeros(number, int),
        context=np.zeros(number),
        critical_steps=np.zeros(number),
        total_steps=np.zeros(number),
        stages=np.zeros(number, int),
        sub_agents=np.zeros(number, int),
        completed=np.zeros(number, int),
        useless=np.zeros(number, int),
        over=np.zeros(number, bool),
    )
