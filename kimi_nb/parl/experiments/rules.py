"""What learns nothing, measured as the policies are: rules, and the least critical steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kimi_nb.parl.bounds import least, lower_bound
from kimi_nb.parl.expected import least_expected
from kimi_nb.parl.experiments.measure import LUCK, SETS, Families, by_family
from kimi_nb.parl.heuristics import HEURISTICS
from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import FAMILIES, Floats, Tasks
from kimi_nb.parl.world import World, play

__all__ = ["EXPECTED", "LEAST", "LOWER", "Rule", "measured"]

EXPECTED, LEAST, LOWER = "least expected", "least with luck", "lower bound"
BOUNDS: dict[str, Callable[[Tasks, Costs], Floats]] = {
    EXPECTED: least_expected,
    LEAST: least,
    LOWER: lower_bound,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One of HEURISTICS or of the bounds; it has no seed, and its rows have seed 0."""

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """None, as yet."""
        return {}


def measured(rule: Rule, on: str) -> Families:
    """What it does on the set of that name; of a bound only the critical steps are known."""
    chosen = SETS[on]
    tasks = chosen.tasks()

    if rule.name in BOUNDS:
        return _of_bound(tasks, BOUNDS[rule.name](tasks, chosen.costs))

    world = World(tasks, np.random.default_rng(LUCK), chosen.costs, chosen.noise)
    return by_family(tasks, play(world, HEURISTICS[rule.name]))


def _of_bound(tasks: Tasks, steps: Floats) -> Families:
    found: Families = {}

    for at, family in enumerate(FAMILIES):
        here = tasks.family == at

        if here.any():
            mean = round(float(steps[here].mean()), 4)
            found[family] = {"tasks": int(here.sum()), "critical_steps": mean}

    return found
