"""`kimi-nb parl`: train an orchestrator, and reproduce what its rewards do to it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kimi_nb.cli.output import print_json, tell
from kimi_nb.cli.progress import rewrite
from kimi_nb.errors import UsageFault
from kimi_nb.events import IterationEnded, TrainingEnded
from kimi_nb.parl.checkpoint import beside
from kimi_nb.parl.experiments.catalogue import Experiment
from kimi_nb.parl.experiments.figures import can_draw
from kimi_nb.parl.experiments.measure import mean, of_policy
from kimi_nb.parl.experiments.publish import publish
from kimi_nb.parl.experiments.rows import Rows
from kimi_nb.parl.experiments.runner import Progress, asked_for, carry_out
from kimi_nb.parl.experiments.tables import markdown, tables
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.tasks import PARALLELISABLE
from kimi_nb.parl.train import Training, resume, train
from kimi_nb.views.anneal import Schedule

__all__ = ["reproduce", "train_one", "typed_schedule"]

EXAMPLE = "as 0.3 (constant), 0.3,0 or 0.3,0,linear,0.7"
PAUSE = {True: 0.2, False: 10.0}
"""Seconds between two lines of progress, on a terminal and in a file."""


def typed_schedule(text: str) -> Schedule:
    """A schedule as it is typed: START[,END[,SHAPE[,UNTIL]]]. Raises UsageFault for another."""
    start, *rest = text.split(",")

    if len(rest) > 3:
        raise UsageFault(f"a schedule is typed {EXAMPLE}, not {text!r}")

    try:
        if not rest:
            return Schedule(float(start), float(start), "constant", 1.0)

        end, shape, until = (*rest, *("0", "linear", "0.7")[len(rest) :])
        return Schedule(float(start), float(end), shape, float(until))  # pyright: ignore[reportArgumentType] -- it is checked there
    except ValueError:
        raise UsageFault(f"a schedule is typed {EXAMPLE}, not {text!r}") from None


class _Line:
    """Progress on standard error: rewritten on a terminal, now and then a line in a file."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = 0.0

    def show(self, line: str, *, last: bool = False) -> None:
        if last or time.monotonic() - self._shown >= PAUSE[self._terminal]:
            rewrite(line, terminal=self._terminal)
            self._shown = time.monotonic()

    def end(self) -> None:
        if self._terminal:
            rewrite("", terminal=True)


def reproduce(asked: argparse.Namespace) -> int:
    """Train what is missing, and write and print the tables."""
    can_draw()
    experiments, folder = asked_for(asked.names), Path(asked.out)
    line = _Line()

    def told(progress: Progress) -> None:
        left = _duration(progress.left) if progress.ended else "unknown"
        done = f"{progress.ended} of {progress.trials} trainings and measurements"
        line.show(f"parl: {done} · left: {left}", last=progress.ended == progress.trials)

        if progress.threads == 0 and not progress.ended:
            tell("parl: the cluster has no worker yet; for one, type: dask worker ADDRESS")

    try:
        jobs = asked.jobs or os.cpu_count() or 1
        rows = carry_out(experiments, asked.seeds, folder, jobs, told, cluster=asked.cluster)
    except KeyboardInterrupt:
        line.end()
        tell("parl: what was done is kept; to go on, type the same again")
        raise

    line.end()
    publish(experiments, rows, folder)
    _show(experiments, rows, folder, as_json=asked.json)
    tell(f"parl: {folder}/README.md, {', '.join(f'{name}.png' for name in experiments)}")
    return 0


def _show(experiments: dict[str, Experiment], rows: Rows, folder: Path, *, as_json: bool) -> None:
    found = {name: tables(name, rows) for name in experiments}

    if as_json:
        told: dict[str, Any] = {
            name: {
                "title": experiments[name].title,
                "tables": [
                    [dict(zip(table.head, line, strict=True)) for line in table.rows]
                    for table in each
                ],
                "figure": str(folder / f"{name}.png"),
            }
            for name, each in found.items()
        }
        print_json({"folder": str(folder), "rows": len(rows), "experiments": told})
        return

    for name, each in found.items():
        print(f"{experiments[name].title} ({name})")

        for table in each:
            print(markdown(table), end="\n\n")


class _Watch:
    """The line of a training; how long it is, it hears once that has begun."""

    def __init__(self) -> None:
        self.line = _Line()
        self.iterations = 0
        self._began = time.monotonic()
        self._first = 0

    def __call__(self, row: IterationEnded) -> None:
        self._first = self._first or row.iteration
        pace = (time.monotonic() - self._began) / (row.iteration - self._first + 1)

        if self.iterations:
            self.line.show(
                f"parl: iteration {row.iteration} of {self.iterations} · r_perf {row.r_perf:.2f} · "
                f"{row.sub_agents:.1f} sub-agents · λ {row.lambda_parallel:.2f} · "
                f"left: {_duration(pace * (self.iterations - row.iteration))}"
            )


def train_one(asked: argparse.Namespace) -> int:
    """One training with a log, or the rest of it."""
    watch = _Watch()
    path = Path(asked.resume or asked.log or "")
    training = _begun(asked, watch)

    try:
        watch.iterations = training.plan.iterations
        training.result()
    except KeyboardInterrupt:
        training.cancel()
        ended = training.result()[-1].fact  # the iteration under way comes to its end
        watch.line.end()
        finished = isinstance(ended, TrainingEnded) and ended.status == "finished"
        on = f"kimi-nb parl train --resume {shlex.quote(str(path))}"
        tell(f"parl: it had finished: {path}" if finished else f"parl: cancelled; to go on: {on}")
        raise

    watch.line.end()
    _tell_end(training, path, as_json=asked.json)
    return 0


def _begun(asked: argparse.Namespace, told: _Watch) -> Training:
    if asked.resume:
        return resume(asked.resume, told=told)

    if not asked.log:
        raise UsageFault("where is the log to go? Type --log FILE, or --resume FILE to go on")

    plan = Plan(
        iterations=asked.iterations,
        seed=asked.seed,
        form=asked.form,
        policy=asked.policy,
        spawning=asked.spawning,
    )
    schedules = {"parallel": typed_schedule(asked.parallel)}

    if asked.finish:
        schedules["finish"] = typed_schedule(asked.finish)

    return train(schedules, plan, path=asked.log, told=told)


def _tell_end(training: Training, path: Path, *, as_json: bool) -> None:
    plan = training.plan
    found = of_policy(training.weights, "held-out", plan.policy)
    means = {
        name: round(mean(found, name), 4)
        for name in ("success_q", "critical_steps", "total_steps", "sub_agents", "useless")
    }
    means["critical_steps_parallelisable"] = round(mean(found, "critical_steps", PARALLELISABLE), 4)

    if as_json:
        print_json(
            {
                "log": str(path),
                "checkpoint": str(beside(path)),
                "plan": asdict(plan),
                "held_out": means,
            }
        )
    else:
        print(
            f"on {sum(int(each['tasks']) for each in found.values()):,} held-out tasks: success·Q "
            f"{means['success_q']:.3f} · {means['critical_steps']:.1f} critical of "
            f"{means['total_steps']:.1f} steps · {means['sub_agents']:.1f} sub-agents, "
            f"{means['useless']:.1f} of them useless"
        )

    tell(f"parl: {path}, and what it learned in {beside(path)}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
