"""Carries out what is missing of some experiments, here in processes of one thread each."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import NamedTuple

from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.parl.experiments.alone import THREADS
from kimi_nb.parl.experiments.catalogue import EXPERIMENTS, Experiment
from kimi_nb.parl.experiments.conditions import Condition
from kimi_nb.parl.experiments.on_cluster import on_cluster
from kimi_nb.parl.experiments.rows import Key, Row, Rows, keep, read_rows
from kimi_nb.parl.experiments.rules import Rule
from kimi_nb.parl.experiments.trial import Trial, done

__all__ = ["RESULTS", "Progress", "asked_for", "carry_out", "missing"]

RESULTS = "results.jsonl"


class Progress(NamedTuple):
    """How far it is."""

    ended: int
    trials: int
    seconds: float
    """Since the beginning."""
    threads: int | None = None
    """Of the cluster when it began; None where there is none."""

    @property
    def left(self) -> float:
        """Seconds that the rest takes if it goes on so."""
        return self.seconds / self.ended * (self.trials - self.ended) if self.ended else 0.0


def asked_for(names: Sequence[str]) -> dict[str, Experiment]:
    """The experiments of these names, in the catalogue's order; all for none.

    Raises UsageFault for an unknown name.
    """
    if unknown := sorted(set(names) - set(EXPERIMENTS)):
        known = ", ".join(EXPERIMENTS)
        raise UsageFault(f"no experiment is called {unknown[0]!r}; choose among {known}")

    return {name: each for name, each in EXPERIMENTS.items() if not names or name in names}


def missing(experiments: Mapping[str, Experiment], seeds: int, rows: Rows) -> list[Trial]:
    """What has to be trained or measured still, seed by seed, so that a part is of all conditions.

    Raises UsageFault where a row is of other options than its condition has now.
    """
    wanted: dict[str, tuple[Condition | Rule, dict[str, None]]] = {}

    for experiment in experiments.values():
        for of in (*experiment.rules, *experiment.conditions):
            found = wanted.setdefault(of.name, (of, {}))
            found[1].update(dict.fromkeys(experiment.sets(of)))

    _refuse_others({name: of for name, (of, _) in wanted.items()}, rows)
    trials = (
        _left(of, seed, tuple(on), rows)
        for seed in range(seeds)
        for of, on in wanted.values()
        if seed == 0 or not isinstance(of, Rule)
    )
    return [trial for trial in trials if trial is not None]


def _left(of: Condition | Rule, seed: int, on: tuple[str, ...], rows: Rows) -> Trial | None:
    left = tuple(name for name in on if Key(of.name, seed, name) not in rows)
    trained = rows.get(Key(of.name, seed, ""))

    if isinstance(of, Rule) or trained:
        weights = tuple(trained["weights"]) if trained else ()
        return Trial(of, seed, left, weights) if left else None

    return Trial(of, seed, on)


def _refuse_others(wanted: Mapping[str, Condition | Rule], rows: Rows) -> None:
    for row in rows.values():
        of = wanted.get(row["condition"])

        if of is not None and row["options"] != of.options:
            raise UsageFault(
                f"the results have {of.name!r} with other options, {row['options']}: "
                "name another folder with --out"
            )


def carry_out(
    experiments: Mapping[str, Experiment],
    seeds: int,
    folder: Path,
    jobs: int,
    told: Callable[[Progress], None],
    *,
    cluster: object = None,
) -> Rows:
    """All rows of the folder once nothing is missing; each is appended when its trial has ended.

    In `jobs` processes here, or on the workers of a Dask `cluster`: the scheduler's address, a
    `distributed.Client`, or a cluster object. What a KeyboardInterrupt finds under way here ends,
    and its rows are kept, before it is raised; on a cluster it is cancelled.
    Raises KimiNbError where a process was killed or the cluster is lost, and UsageFault for a
    cluster that cannot be used.
    """
    path = folder / RESULTS

    with keep(path) as results:
        trials = missing(experiments, seeds, read_rows(path))
        began, ended, threads = time.monotonic(), 0, None

        def begun(of_cluster: int | None) -> None:
            nonlocal threads
            threads = of_cluster
            told(Progress(0, len(trials), 0.0, threads))

        def kept(rows: Sequence[Row]) -> None:
            nonlocal ended
            results.add(rows)
            ended += 1
            told(Progress(ended, len(trials), time.monotonic() - began, threads))

        if trials and cluster is not None:
            on_cluster(trials, cluster, begun, kept)
        elif trials:
            begun(None)
            _in_processes(trials, jobs, kept)

    return read_rows(path)


def _in_processes(
    trials: Sequence[Trial], jobs: int, kept: Callable[[Sequence[Row]], None]
) -> None:
    """`kept` gets the rows of each trial; never more are under way than there are processes."""
    waiting = iter(trials)
    busy: dict[Future[list[Row]], Trial] = {}

    def submit() -> None:
        busy.update((pool.submit(done, trial), trial) for trial in islice(waiting, 1))

    with _one_thread_each(), ProcessPoolExecutor(jobs, get_context("spawn"), _deaf) as pool:
        try:
            for _ in range(jobs):
                submit()

            while busy:
                for each in wait(busy, return_when=FIRST_COMPLETED).done:
                    kept(_rows(each, busy[each]))
                    del busy[each]  # not before: Ctrl-C in between would lose its rows
                    submit()
        except BrokenExecutor:
            why = "a process of the trainings was killed; what was done is kept: type the same"
            raise KimiNbError(f"{why} again, perhaps with fewer --jobs") from None
        except KeyboardInterrupt:
            for each in busy:
                with suppress(BrokenExecutor):
                    kept(each.result())

            raise


def _rows(future: Future[list[Row]], trial: Trial) -> list[Row]:
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        error.add_note(f"It was {trial.label}; what was done is kept.")
        raise


@contextmanager
def _one_thread_each() -> Generator[None]:
    """For processes that begin meanwhile: of so small matrices two threads cost twice the time."""
    had = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))

    try:
        yield
    finally:
        for name, value in had.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _deaf() -> None:
    """Ctrl-C is for the process that keeps the rows: it lets the others end what they do.

    They end with it, also where it is killed and can tell them nothing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
