"""One training of a condition with a seed, and what its policy then does, as rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kimi_nb.events import IterationEnded
from kimi_nb.parl.experiments.conditions import Condition
from kimi_nb.parl.experiments.measure import of_policy
from kimi_nb.parl.experiments.rows import Row
from kimi_nb.parl.experiments.rules import Rule, measured
from kimi_nb.parl.learner import begin, learn
from kimi_nb.parl.policy import KINDS, table
from kimi_nb.parl.tasks import Floats

__all__ = ["CURVE", "Trial", "done"]

CURVE = ("r_perf", "sub_agents", "critical_steps", "total_steps")
"""What is kept of the training's own log, as means over STRETCH iterations each."""
STRETCH = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """A condition or a rule with a seed, the sets to measure on, and the weights it has, if any."""

    of: Condition | Rule
    seed: int
    on: tuple[str, ...]
    weights: tuple[float, ...] = ()

    @property
    def label(self) -> str:
        """Which it is, in words."""
        return f"{self.of.name!r} with seed {self.seed}"


def done(trial: Trial) -> list[Row]:
    """The rows of a trial: of its training, unless there are weights, and of each set."""
    of, weights, rows = trial.of, np.array(trial.weights), list[Row]()
    label: Row = {"condition": of.name, "seed": trial.seed, "options": of.options}

    if isinstance(of, Rule):
        return [label | {"on": on, "families": measured(of, on)} for on in trial.on]

    if not trial.weights:
        weights, row = _trained(of, trial.seed)
        rows.append(label | row)

    found = {on: of_policy(weights, on, of.plan.policy) for on in trial.on}
    return rows + [label | {"on": on, "families": each} for on, each in found.items()]


def _trained(condition: Condition, seed: int) -> tuple[Floats, Row]:
    plan, began = replace(condition.plan, seed=seed), time.process_time()
    learner, reward = begin(plan), condition.reward

    if condition.running:
        table(learner.weights).state[KINDS.index("RUN"), 0] += condition.running

    ended = [learn(learner, plan, reward) for _ in range(plan.iterations)]
    seconds = time.process_time() - began
    weights = learner.weights.round(5)  # what is measured is what the row has
    return weights, {
        "cpu_seconds": round(seconds, 2),
        "curve": _curve(ended),
        "weights": weights.tolist(),
    }


def _curve(ended: Sequence[IterationEnded]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}

    for name in CURVE:
        values = np.array([getattr(row, name) for row in ended])
        pieces = np.split(values, range(STRETCH, len(values), STRETCH))
        found[name] = [round(float(piece.mean()), 3) for piece in pieces]

    return found
