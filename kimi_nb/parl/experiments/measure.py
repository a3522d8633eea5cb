"""What a policy does on tasks that no training saw, the same tasks and the same luck for all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from kimi_nb.parl.reward import r_perf
from kimi_nb.parl.rollout import roll_out
from kimi_nb.parl.state import Costs, Outcome
from kimi_nb.parl.tasks import FAMILIES, Floats, Tasks, draw

__all__ = [
    "BLURRED",
    "FANS",
    "LUCK",
    "SETS",
    "SURE",
    "WIDER",
    "Families",
    "TaskSet",
    "by_family",
    "mean",
    "of_policy",
]

Families = dict[str, dict[str, float]]
"""For each family: how many tasks, and the means over them."""

HELD_OUT, LUCK = 10**6, 10**6 + 1
"""Seeds of the tasks and of what chance does in them; trainings have the small ones."""
FANS = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class TaskSet:
    """Tasks to measure on, made anew from their seed, and the costs of their world."""

    number: int
    families: tuple[str, ...] = FAMILIES
    parts: int | None = None
    most: int | None = None
    """Sub-agents of one stage, where it is not as usual."""
    sure: bool = False
    """A policy's likeliest actions, and none that are drawn; rules draw none anyway."""
    noise: float = 0.0
    """Standard deviation of what policies and rules see of the coupling."""

    @property
    def costs(self) -> Costs:
        return Costs() if self.most is None else Costs(most=self.most)

    def tasks(self) -> Tasks:
        return _drawn(self.number, self.families, self.parts)


@cache
def _drawn(number: int, families: tuple[str, ...], parts: int | None) -> Tasks:
    return draw(np.random.default_rng(HELD_OUT), number, families, parts)


WIDER = ("24 parts", *(f"fan-out {fan}" for fan in FANS))
SURE, BLURRED = "likeliest actions", "likeliest actions, noise 0.3"
SETS: Mapping[str, TaskSet] = {
    "held-out": TaskSet(1000),
    SURE: TaskSet(1000, sure=True),
    BLURRED: TaskSet(1000, sure=True, noise=0.3),
    "24 parts": TaskSet(500, parts=24),
    **{f"fan-out {fan}": TaskSet(200, ("wide",), fan + 1, fan) for fan in FANS},
}
"""By name; a wide task of a fan-out has one part more, which merges."""


def of_policy(weights: Floats, on: str, policy: str = "linear") -> Families:
    """What the policy with these weights does on the set of that name."""
    chosen = SETS[on]
    tasks = chosen.tasks()
    taken = roll_out(
        weights,
        tasks,
        np.random.default_rng(LUCK),
        chosen.costs,
        policy=policy,
        noise=chosen.noise,
        sure=chosen.sure,
    )
    return by_family(tasks, taken.outcome)


def mean(found: Families, measure: str, families: Sequence[str] = FAMILIES) -> float:
    """Over all tasks of these families; NaN where that was not measured."""
    means = [each for family, each in found.items() if family in families]
    tasks = sum(each["tasks"] for each in means)
    return sum(each["tasks"] * each.get(measure, math.nan) for each in means) / tasks


def by_family(tasks: Tasks, outcome: Outcome) -> Families:
    """Means over the tasks of each family that is there."""
    values = {
        "success_q": r_perf(outcome.success, outcome.quality),
        "success": outcome.success,
        "quality": outcome.quality,
        "critical_steps": outcome.critical_steps,
        "total_steps": outcome.total_steps,
        "sub_agents": outcome.sub_agents,
        "useless": outcome.useless,
    }
    found: Families = {}

    for at, family in enumerate(FAMILIES):
        here = tasks.family == at

        if here.any():
            means = {name: round(float(each[here].mean()), 4) for name, each in values.items()}
            found[family] = {"tasks": int(here.sum()), **means}

    return found
