"""What a trainer is asked for and what it answers: one process, one thread, one JSON object."""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kimi_nb.parl.plan import Plan
from kimi_nb.parl.tasks import Tasks, draw, repeat
from kimi_nb.views.anneal import Schedule

__all__ = ["SCHEDULE", "Trainer", "main"]

SCHEDULE = Schedule(0.3, 0.0, "linear", 0.7)
"""Of r_parallel, in the overview's form: what is shipped."""
BATCHES = {"small": 512, "large": 8192}
"""Episodes at once, for rollouts without an update."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What one training came to."""

    actions: int
    r_perf: float
    """Mean over the last tenth of the iterations."""
    sub_agents: float
    """The same."""


class Trainer(Protocol):
    """One way to train, and to play with the weights that it came to."""

    packages: tuple[str, ...]
    """What has to be installed for it."""

    def train(self, plan: Plan) -> tuple[Any, Learned]:
        """The weights, and what the training came to."""
        ...

    def ready(self, weights: Any, tasks: Tasks) -> Callable[[int], int]:
        """What plays these tasks once, by the dice of that seed; it returns the actions taken."""
        ...


def main(trainer: Trainer, import_s: float) -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument(
        "--rounds", type=int, default=3, help="rollouts of each size, best of so many"
    )
    parser.add_argument("--again", action="store_true", help="train twice: the second is compiled")
    asked = parser.parse_args()
    rows, weights = [], None

    for seed in range(1 + asked.again):
        plan = Plan(form="blog", iterations=asked.iterations, seed=seed)
        before = clock()
        weights, learned = trainer.train(plan)
        wall, cpu = (now - then for now, then in zip(clock(), before, strict=True))
        rows.append({"wall": wall, "cpu": cpu, "actions": learned.actions})

    found: dict[str, Any] = {"first": rows[0], "warm": rows[-1]}

    for name, number in BATCHES.items():
        tasks = repeat(draw(np.random.default_rng(1), number // 16), 16)
        found[name] = fastest(trainer.ready(weights, tasks), asked.rounds)

    print(  # noqa: T201
        json.dumps(
            found
            | {
                "r_perf": learned.r_perf,
                "sub_agents": learned.sub_agents,
                "import": import_s,
                "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "installed": installed(trainer.packages),
                "versions": {name: metadata.version(name) for name in trainer.packages},
                "ok": True,
            }
        )
    )


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def fastest(play: Callable[[int], int], rounds: int) -> float:
    """Actions a second of CPU in the best of so many rounds, after one that does not count."""
    play(0)
    rates: list[float] = []

    for seed in range(1, rounds + 1):
        began = time.process_time()
        actions = play(seed)
        rates.append(actions / (time.process_time() - began))

    return max(rates)


def installed(packages: tuple[str, ...]) -> float:
    """MB of these packages and of all that they require and that is there."""
    found: set[str] = set()
    asked = list(packages)

    while asked:
        name = asked.pop().lower().replace("_", "-")

        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue

        if name not in found:
            found.add(name)
            asked += [plain(need) for need in needs if "extra ==" not in need]

    return sum(size(name) for name in found) / 1e6


def plain(requirement: str) -> str:
    """The name at the beginning of a requirement."""
    end = next((at for at, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), None)
    return requirement[:end]


def size(name: str) -> int:
    """Bytes of a package's files."""
    there = (Path(str(file.locate())) for file in metadata.files(name) or [])
    return sum(path.stat().st_size for path in there if path.is_file())
