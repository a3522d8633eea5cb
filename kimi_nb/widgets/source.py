"""What a view needs of a run: its facts, and what its buttons do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kimi_nb.trace import Record
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.prices import Price

__all__ = ["Source", "Steered", "Trainer"]


class Source(Protocol):
    """A run or a training that goes on, or one that was read from its log."""

    name: str
    prices: Mapping[str, Price]
    path: Path | None
    """Where its log lies."""

    @property
    def records(self) -> Sequence[Record]:
        """All facts so far. It only grows, and may do so meanwhile."""
        ...

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        ...

    @property
    def done(self) -> bool:
        """Whether nothing is going to be added any more."""
        ...

    @property
    def draft(self) -> str:
        """What the main agent is saying at the moment; "" while it says nothing."""
        ...

    @property
    def pace(self) -> str:
        """One line about calls that are out and that wait; "" where there are none."""
        ...

    def cancel(self, agent: str | None = None) -> None:
        """End it, or one of its agents. Raises UsageFault for an agent that is not running."""
        ...


class Steered(Source, Protocol):
    """A training that goes on, and whose weights can be changed meanwhile."""

    def set(self, reward: str, schedule: Schedule) -> None:
        """The weight of "parallel" or "finish" follows it from the next iteration on.

        The training writes that down as a ScheduleSet. From any thread.
        """
        ...


class Trainer(Protocol):
    """Begins a training and returns it at once; it goes on in a thread of its own."""

    def __call__(self, schedules: Mapping[str, Schedule], /) -> Steered:
        """`schedules` has one for "parallel" and one for "finish"."""
        ...
