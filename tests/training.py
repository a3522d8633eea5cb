"""A small real training of an orchestrator's one choice: how many sub-agents, none to eight.

python tests/training.py training.jsonl --start 0.3 --end 0

A task has independent parts and a coupling: the more of it, the less a sub-agent can do out of
context. Wide tasks have little and a tight budget of critical steps, traps much and a loose one.
The policy is a softmax with six weights that begins as a single agent would. REINFORCE, with the
mean of the rollouts of the same task as baseline and no division by their standard deviation.
PRIOR and RATE were chosen so that it collapses to serial work without an auxiliary reward.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kimi_nb import __version__
from kimi_nb import events as e
from kimi_nb.errors import UsageFault
from kimi_nb.trace import Log, Record, Trace
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.prices import PRICES

__all__ = ["Floats", "Training", "rollouts", "tasks", "train"]

Floats = NDArray[np.float64]
Plan = tuple[float, float, str, float]
TASKS, ROLLOUTS, RATE = 32, 32, 10.0
CHOICES = np.arange(9)
ACTIONS = np.stack([np.minimum(CHOICES, 1), CHOICES / 8])  # any at all, and how many
PRIOR = np.array([[-1.5, 0.0, 0.0], [-8.0, 0.0, 0.0]])


def tasks(dice: np.random.Generator, number: int) -> Floats:
    """A row for each: parts, coupling, and the budget as a multiple of the serial steps."""
    trap = dice.random(number) < 0.35
    coupling = np.where(trap, dice.uniform(0.75, 1, number), dice.uniform(0, 0.25, number))
    budget = np.where(trap, dice.uniform(1.1, 1.6, number), dice.uniform(0.5, 1.2, number))
    return np.stack([dice.integers(4, 11, number), coupling, budget], axis=1).astype(float)


def chances(weights: Floats, given: Floats) -> Floats:
    """For each task the probability of each number of sub-agents."""
    features = np.stack([np.ones(len(given)), given[:, 0] / 10, given[:, 1]], axis=1)
    logits = features @ weights.T @ ACTIONS
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def rollouts(
    dice: np.random.Generator, given: Floats, subs: NDArray[np.int64]
) -> dict[str, Floats]:
    """What comes of launching so many sub-agents, (tasks, rollouts): rewards and steps.

    A part takes 4 steps, a briefing a quarter of one, each sub-agent one to begin. What sub-agents
    fail at the main agent does itself afterwards; the longer its context, the worse it works.
    """
    parts, coupling, budget = (column[:, None] for column in given.T)
    useful = np.minimum(subs, parts)
    each = np.where(subs > 0, parts / np.maximum(useful, 1), 0.0)
    finished = dice.binomial(useful.astype(int), 0.95 * (1 - 0.65 * coupling) + 0 * useful)
    alone = 4.0 * (parts - finished * each)
    main = alone + (subs > 0) + 0.25 * subs
    critical = main + np.where(subs > 0, 1 + 4 * np.ceil(each), 0.0)
    success = critical <= budget * (4 * parts + 1)
    own = 1 - 0.0075 * np.maximum(alone - 12, 0)
    quality = np.where(subs > 0, finished / np.maximum(useful, 1) * (1 - 0.9 * coupling), 0.0)
    quality += own * alone / (4 * parts)
    return {
        "r_parallel": subs / 8,
        "r_finish": finished / np.maximum(subs, 1),
        "r_perf": success * quality,
        "critical_steps": critical,
        "total_steps": main + subs + 4 * each * useful,
        "sub_agents": subs.astype(float),
        "success": success.astype(float),
    }


class Training:
    """One that goes on in a thread; a source of the views."""

    name = "training"
    prices = PRICES
    draft = ""
    pace = ""

    def __init__(self, iterations: int, seed: int, path: Path | None, pause: float) -> None:
        self.path = path
        self.weights = PRIOR.copy()
        self._log = Log(path)
        self._iterations, self._seed, self._pause = iterations, seed, pause
        self._plans: dict[str, Schedule] = {"parallel": Schedule(0.0, 0.0, "constant", 1.0)}
        self._plans["finish"] = self._plans["parallel"]
        self._asked: list[tuple[str, Schedule]] = []
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    @property
    def records(self) -> Sequence[Record]:
        return self._log.records

    @property
    def seconds(self) -> float:
        return self.records[-1].t if self.done else self._log.now

    @property
    def done(self) -> bool:
        return bool(self.records) and isinstance(self.records[-1].fact, e.TrainingEnded)

    def set(self, reward: str, start: float, end: float, shape: str, until: float) -> None:
        """From the next iteration on, the weight of that reward goes like this."""
        if reward not in self._plans:
            raise UsageFault(f"the rewards with a schedule are parallel and finish, not {reward!r}")

        self._asked.append((reward, Schedule(start, end, shape, until)))

    def cancel(self, agent: str | None = None) -> None:
        if agent is not None:
            raise UsageFault("a training has no agents that could be cancelled one by one")

        self._stop.set()

    def result(self) -> Trace:
        """The whole log, once it has ended."""
        self.thread.join()
        return self._log.trace()

    def _run(self) -> None:
        what = "A softmax with six weights over 0 to 8 sub-agents, on wide tasks and traps."
        options = json.dumps({"rollouts": ROLLOUTS, "tasks": TASKS, "rate": RATE})
        fields = {"version": __version__, "options": options, "started": time.time()}
        plan = {"what": what, "seed": self._seed, "iterations": self._iterations}
        self._log.add("", e.TrainingBegan(**plan, **fields))
        dice = np.random.default_rng(self._seed)

        for iteration in range(1, self._iterations + 1):
            if self._stop.wait(self._pause if iteration > 1 else 0.0):
                why = f"It was cancelled after {iteration - 1} iterations."
                self._log.add("", e.TrainingEnded(status="cancelled", why=why))
                break

            self._iterate(iteration, dice)
        else:
            self._log.add("", e.TrainingEnded(status="finished"))

        self._log.close()

    def _iterate(self, iteration: int, dice: np.random.Generator) -> None:
        while self._asked:
            reward, plan = self._asked.pop(0)
            self._plans[reward] = plan
            self._log.add("", e.ScheduleSet(reward=reward, **asdict(plan)))

        progress = (iteration - 1) / self._iterations
        parallel, finish = (self._plans[name].at(progress) for name in ("parallel", "finish"))
        given = tasks(dice, TASKS)
        odds = chances(self.weights, given)
        drawn = dice.random((TASKS, ROLLOUTS, 1)) > odds.cumsum(axis=1)[:, None, :8]
        subs = drawn.sum(axis=2)
        found = rollouts(dice, given, subs)
        total = found["r_perf"] + parallel * found["r_parallel"] + finish * found["r_finish"]
        self._learn(given, odds, subs, total)
        means = {n: round(float(v.mean()), 6) for n, v in {**found, "total": total}.items()}
        weights = {"lambda_parallel": parallel, "lambda_finish": finish}
        ended = e.IterationEnded(iteration=iteration, progress=progress, **weights, **means)
        self._log.add("", ended)

    def _learn(self, given: Floats, odds: Floats, subs: NDArray[np.int64], total: Floats) -> None:
        gain = total - total.mean(axis=1, keepdims=True)
        taken = ACTIONS[:, subs] - (odds @ ACTIONS.T).T[:, :, None]
        pull = (taken * gain).mean(axis=2)
        features = np.stack([np.ones(len(given)), given[:, 0] / 10, given[:, 1]])
        self.weights += RATE * pull @ features.T / len(given)


def train(
    schedule: dict[str, Plan],
    *,
    iterations: int = 200,
    seed: int = 0,
    path: Path | None = None,
    pause: float = 0.0,
) -> Training:
    """A training that has begun; `pause` is in seconds, between iterations."""
    made = Training(iterations, seed, path, pause)

    for reward, plan in schedule.items():
        made.set(reward, *plan)

    made.thread.start()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="A small training of an orchestrator's choice.")
    parser.add_argument("path", type=Path, help="where its log goes")
    parser.add_argument("--start", type=float, default=0.3)
    parser.add_argument("--end", type=float, default=0.0)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    plan = {"parallel": (given.start, given.end, "linear", 0.7)}
    made = train(plan, iterations=given.iterations, seed=given.seed, path=given.path)
    print(made.result())  # noqa: T201


if __name__ == "__main__":
    main()
