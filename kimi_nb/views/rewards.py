"""The rewards of a training over its iterations, as columns."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from kimi_nb.events import IterationEnded, ScheduleSet, TrainingBegan, TrainingEnded
from kimi_nb.trace import Record
from kimi_nb.views.text import clean, one_line

__all__ = ["COLUMNS", "Rewards", "Schedule", "gaps"]

COLUMNS = tuple(field.name for field in fields(IterationEnded))
"""What each row has, in this order."""
FACTS = (TrainingBegan, ScheduleSet, IterationEnded, TrainingEnded)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the weight of an auxiliary reward goes, as it was set at an iteration."""

    reward: str
    start: float
    end: float
    shape: str
    until: float
    since: int
    """The first iteration that it holds for."""


class Rewards:
    """A training so far. `add` costs the same for every record."""

    def __init__(self) -> None:
        self.count = 0
        self.what = ""
        self.seed = 0
        self.iterations = 0
        """How many are meant."""
        self.status = ""
        """ "running", or as TrainingEnded says; "" before a TrainingBegan."""
        self.why = ""
        self.rows: list[IterationEnded] = []
        self.schedules: list[Schedule] = []

    def takes(self, record: Record) -> bool:
        """Whether the record is of a training."""
        return isinstance(record.fact, FACTS)

    def add(self, record: Record) -> None:
        """Take in the next record of a training; others are not counted."""
        self.count += 1

        match record.fact:
            case TrainingBegan() as fact:
                self.what, self.seed = fact.what, fact.seed
                self.iterations, self.status = fact.iterations, "running"
            case ScheduleSet() as f:
                at = len(self.rows) + 1
                self.schedules.append(Schedule(f.reward, f.start, f.end, f.shape, f.until, at))
            case IterationEnded() as fact:
                self.rows.append(fact)
            case TrainingEnded() as fact:
                self.status, self.why = fact.status, fact.why
            case _:
                self.count -= 1

    def since(self, row: int = 0) -> dict[str, Any]:
        """The training as JSON values, with its rows from that index on."""
        return {
            "what": clean(self.what),
            "seed": self.seed,
            "iterations": self.iterations,
            "status": self.status,
            "why": one_line(self.why),
            "schedules": [
                [s.reward, *gaps((s.start, s.end)), s.shape, *gaps((s.until,)), s.since]
                for s in self.schedules
            ],
            "columns": COLUMNS,
            "rows": [gaps(getattr(item, name) for name in COLUMNS) for item in self.rows[row:]],
        }


def gaps(values: Iterable[object]) -> list[Any]:
    """Numbers as JSON has them: None for what is no finite number, as of what diverged."""
    return [
        value if isinstance(value, int | float) and math.isfinite(value) else None
        for value in values
    ]
