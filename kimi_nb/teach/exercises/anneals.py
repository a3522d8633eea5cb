"""What became of short trainings by where λ begins and when it is gone: a table for ex08.choose.

python -m kimi_nb.teach.exercises.anneals     # works it out anew: some 7 minutes of one core

Each figure is of SEEDS trainings of `PLAN`, in the overview's form, whose λ goes from `start` to 0
in a straight line; all are measured on the same 200 tasks, with the same luck. A training is
worked out the same on every machine but for rounding, which may push one that is on the edge over
it: so the table is kept, and no answer hangs on where it is marked.
"""

from __future__ import annotations

import sys
from statistics import fmean
from typing import Any, NamedTuple

__all__ = ["CAME_TO", "PLAN", "SEEDS", "STARTS", "UNTIL", "Came", "measured"]

PLAN: dict[str, Any] = {"iterations": 80, "tasks": 16, "rollouts": 8, "rate": 0.06, "form": "blog"}
SEEDS = 6
SPAWNING = (0, -1)
"""Added to the logit of every SPAWN before the training: below 0 it is more serial."""
STARTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
UNTIL = (0.05, 0.3, 0.5, 0.7, 1.0, None)
"""The part of the training after which λ is 0; None: never, it stays as it is."""
HALF = 0.5
"""Useful sub-agents a task below which a training has collapsed."""


class Came(NamedTuple):
    """What became of the trainings of one schedule."""

    collapsed: int
    """Of SEEDS."""
    useless: float
    """Sub-agents a task whose part was done, blocked or given twice; mean over the seeds."""


CAME_TO: dict[tuple[int, float], tuple[Came, ...]] = {
    (0, 0.05): (Came(6, 0.0), Came(5, 0.3), Came(5, 0.4), Came(5, 0.2), Came(4, 0.5), Came(5, 0.5)),
    (0, 0.1): (Came(6, 0.0), Came(5, 0.1), Came(4, 0.6), Came(5, 0.2), Came(4, 0.5), Came(3, 2.7)),
    (0, 0.2): (Came(6, 0.0), Came(4, 0.4), Came(1, 1.2), Came(2, 0.8), Came(1, 1.5), Came(2, 4.0)),
    (0, 0.3): (Came(4, 0.3), Came(2, 1.1), Came(1, 0.8), Came(0, 1.7), Came(0, 1.7), Came(0, 6.1)),
    (0, 0.5): (Came(5, 0.3), Came(0, 1.5), Came(0, 1.0), Came(0, 1.5), Came(0, 1.9), Came(0, 7.4)),
    (0, 0.8): (Came(4, 0.4), Came(0, 1.2), Came(0, 1.5), Came(0, 1.9), Came(0, 2.2), Came(0, 11.8)),
    (-1, 0.05): (
        Came(5, 0.2),
        Came(6, 0.0),
        Came(6, 0.0),
        Came(6, 0.1),
        Came(6, 0.0),
        Came(6, 1.2),
    ),
    (-1, 0.1): (Came(5, 0.6), Came(6, 0.0), Came(6, 0.0), Came(5, 0.1), Came(4, 1.1), Came(5, 2.3)),
    (-1, 0.2): (Came(6, 0.0), Came(3, 0.7), Came(3, 0.5), Came(1, 1.1), Came(3, 2.8), Came(1, 3.2)),
    (-1, 0.3): (Came(6, 0.0), Came(5, 0.3), Came(3, 0.6), Came(2, 1.0), Came(0, 1.6), Came(0, 5.9)),
    (-1, 0.5): (Came(5, 0.4), Came(0, 1.2), Came(1, 0.8), Came(0, 1.3), Came(0, 1.9), Came(0, 7.6)),
    (-1, 0.8): (
        Came(6, 0.0),
        Came(0, 1.3),
        Came(0, 1.0),
        Came(0, 1.3),
        Came(0, 3.6),
        Came(0, 10.1),
    ),
}
"""By what is added to the prior and where λ begins; in the order of UNTIL."""


def measured(spawning: int, start: float, until: float | None, seed: int) -> tuple[float, float]:
    """Useful and useless sub-agents a task after one training. Takes some 0.5 to 1.5 s."""
    import numpy as np

    from kimi_nb.parl import Plan, Schedule, draw, roll_out, train

    goes = (
        Schedule(start, start, "constant", 1)
        if until is None
        else Schedule(start, 0, "linear", until)
    )
    training = train({"parallel": goes}, Plan(**PLAN, seed=seed, spawning=spawning))
    training.result()
    tasks = draw(np.random.default_rng(7), 200)
    outcome = roll_out(training.weights, tasks, np.random.default_rng(1)).outcome
    useless = float(outcome.useless.mean())
    return float(outcome.sub_agents.mean()) - useless, useless


def _came(spawning: int, start: float, until: float | None) -> Came:
    found = [measured(spawning, start, until, seed) for seed in range(SEEDS)]
    collapsed = sum(useful < HALF for useful, _ in found)
    return Came(collapsed, round(fmean(useless for _, useless in found), 1))


def _main() -> None:
    for spawning in SPAWNING:
        for start in STARTS:
            cells = ", ".join(f"Came{tuple(_came(spawning, start, until))}" for until in UNTIL)
            sys.stdout.write(f"    ({spawning}, {start}): ({cells}),\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _main()
