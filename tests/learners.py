"""Trainings for the playground: real ones, small, and logs whose every number is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from kimi_nb import events as e
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.train import Training, train
from kimi_nb.trace import Record, Trace
from kimi_nb.views.anneal import Schedule

__all__ = ["OFF", "known", "trainer"]

OFF = Schedule(0.0, 0.0, "constant", 1.0)


def trainer(
    *,
    iterations: int = 60,
    tasks: int = 4,
    rollouts: int = 4,
    pause: float = 0.0,
    path: Path | None = None,
) -> Callable[[Mapping[str, Schedule]], Training]:
    """What begins a training; `pause` is in seconds, after each iteration."""
    plan = Plan(iterations=iterations, tasks=tasks, rollouts=rollouts)

    def begin(schedules: Mapping[str, Schedule]) -> Training:
        return train(schedules, plan, path=path, told=lambda _: time.sleep(pause))

    return begin


def known(
    parallel: Schedule,
    finish: Schedule = OFF,
    *,
    iterations: int = 10,
    done: int | None = None,
    what: str = "A toy.",
    status: str = "finished",
) -> Trace:
    """The log of a training whose components rise evenly: r_parallel to 1, r_perf to 0.5."""
    sets = [
        e.ScheduleSet(reward=name, start=s.start, end=s.end, shape=s.shape, until=s.until)
        for name, s in (("parallel", parallel), ("finish", finish))
    ]
    facts: list[e.Fact] = [
        e.TrainingBegan(
            what=what, seed=3, iterations=iterations, started=1.7e9, version="0", options="{}"
        ),
        *sets,
    ]

    for number in range(iterations if done is None else done):
        progress, part = number / iterations, (number + 1) / iterations
        one, two = parallel.at(progress), finish.at(progress)
        facts.append(
            e.IterationEnded(
                iteration=number + 1,
                progress=progress,
                lambda_parallel=one,
                lambda_finish=two,
                r_parallel=part,
                r_finish=0.9,
                r_perf=part / 2,
                total=one * part + two * 0.9 + part / 2,
                critical_steps=40 - 10 * part,
                total_steps=40 + 10 * part,
                sub_agents=8 * part,
                success=part / 2,
            )
        )

    if status:
        facts.append(e.TrainingEnded(status=status))

    return Trace([Record(seq, seq * 0.1, "", fact) for seq, fact in enumerate(facts)])
