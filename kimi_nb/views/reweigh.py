"""A training's recorded rewards under other weights.

The components were produced by the policy that was trained under the recorded weights. Another
weight would have taught another policy: this says what the same rollouts would have been paid,
and nothing about what would have been learned.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kimi_nb.events import IterationEnded
from kimi_nb.views.anneal import Schedule

__all__ = ["Weighed", "as_number", "misfit", "progress_of", "reweigh"]


class Weighed(NamedTuple):
    """One iteration under other weights. NaN is what the log does not tell."""

    lambda_parallel: float
    lambda_finish: float
    total: float
    """lambda_parallel·r_parallel + lambda_finish·r_finish + r_perf."""


def reweigh(
    rows: Iterable[IterationEnded], parallel: Schedule, finish: Schedule
) -> tuple[Weighed, ...]:
    """Each iteration's weights and reward as these schedules have them."""
    return tuple(_weighed(row, parallel, finish) for row in rows)


def _weighed(row: IterationEnded, parallel: Schedule, finish: Schedule) -> Weighed:
    progress = as_number(row.progress)

    if not 0 <= progress <= 1:
        return Weighed(math.nan, math.nan, math.nan)

    one, two = parallel.at(progress), finish.at(progress)
    return Weighed(one, two, _total(row, one, two))


def _total(row: IterationEnded, one: float, two: float) -> float:
    r_parallel, r_finish, r_perf = map(as_number, (row.r_parallel, row.r_finish, row.r_perf))
    return one * r_parallel + two * r_finish + r_perf


def misfit(rows: Iterable[IterationEnded]) -> float:
    """How far a recorded total is at most from λ1·r_parallel + λ2·r_finish + r_perf.

    A training that was paid by another formula cannot be re-weighed by this one.
    """
    found = (
        abs(
            as_number(row.total)
            - _total(row, as_number(row.lambda_parallel), as_number(row.lambda_finish))
        )
        for row in rows
    )
    return max((value for value in found if not math.isnan(value)), default=0.0)


def progress_of(rows: Sequence[IterationEnded], iterations: int) -> list[float]:
    """The progress of each iteration: as it was, and of those to come as it is going to be."""
    ahead = range(len(rows), max(iterations, len(rows)))
    return [as_number(row.progress) for row in rows] + [number / iterations for number in ahead]


def as_number(value: object) -> float:
    """`value` as a float; NaN for what is no finite number, as of a training that diverged."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)

    return math.nan
