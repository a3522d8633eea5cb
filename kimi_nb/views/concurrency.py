"""How many agents were at work, over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.state import BUSY, Run
from kimi_nb.views.words import SIMULATOR, count, seconds

__all__ = ["Concurrency", "blocks", "concurrency", "sparkline"]

BLOCKS = " ▁▂▃▄▅▆▇█"
COLUMNS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """A step function of time: agents with a model call out or a tool running."""

    times: tuple[float, ...]
    """Seconds since the run began at which the number changes, ascending; the first is 0.0."""
    counts: tuple[int, ...]
    """The number from each of `times` until the next, the last until `wall_s`."""
    wall_s: float
    simulated: bool = False
    """No language model took part: its times are no model's."""

    def __iter__(self) -> Iterator[tuple[float, float, int]]:
        """The steps, as (from, until, number)."""
        return zip(self.times, (*self.times[1:], self.wall_s), self.counts, strict=True)

    def __repr__(self) -> str:
        return _drawn(self, COLUMNS)

    @property
    def peak(self) -> int:
        """The largest number."""
        return max(self.counts)

    @property
    def average(self) -> float | None:
        """Work / wall, as `Metrics.average_concurrency`. None if no time has passed."""
        area = sum((ended - began) * number for began, ended, number in self)
        return round(area / self.wall_s, 4) if self.wall_s else None

    @property
    def shares(self) -> dict[int, float]:
        """Of the wall time, from 0 to 1, with exactly so many at work; smallest number first."""
        took: dict[int, float] = {}

        for began, ended, number in self:
            took[number] = took.get(number, 0.0) + ended - began

        return {n: round(took[n] / self.wall_s, 6) for n in sorted(took)} if self.wall_s else {}

    def means(self, columns: int) -> list[float]:
        """The mean number in each of so many equal parts of the wall time."""
        scale = columns / self.wall_s if self.wall_s else 0.0
        found = [0.0] * columns

        for began, ended, number in self:
            first, last = began * scale, min(ended * scale, columns)

            for i in range(int(first), ceil(last) if number else 0):
                found[i] += number * (min(last, i + 1) - max(first, i))

        return found


def concurrency(run: Fold | Iterable[Record]) -> Concurrency:
    """How many agents were at work (`state.BUSY`) over time, in a trace, or in a fold so far."""
    state = as_fold(run)
    changes = _changes(state)
    times, counts = [0.0], [changes.pop(0.0, 0)]

    for t in sorted(changes):
        if changes[t] and t < state.now:
            times.append(t)
            counts.append(counts[-1] + changes[t])

    return Concurrency(
        times=tuple(times), counts=tuple(counts), wall_s=state.now, simulated=state.simulated
    )


def _changes(run: Run) -> dict[float, int]:
    """By how much the number goes up or down, by time."""
    changes: dict[float, int] = {}

    for agent in run.agents.values():
        for span in agent.timeline(run.now):
            if span.kind in BUSY:
                changes[span.began] = changes.get(span.began, 0) + 1
                changes[span.ended] = changes.get(span.ended, 0) - 1

    return changes


def sparkline(run: Fold | Iterable[Record], width: int = COLUMNS) -> str:
    """Two lines: a picture of that many columns, and the same in words.

    Each column shows the mean over its time: a full block is the most that were ever at work
    at once, a space is nobody.
    """
    return _drawn(concurrency(run), width)


def blocks(found: Concurrency, columns: int) -> str:
    """The picture alone."""
    scale = 8 / found.peak if found.peak else 0.0
    return "".join(BLOCKS[min(ceil(round(mean * scale, 6)), 8)] for mean in found.means(columns))


def _drawn(found: Concurrency, columns: int) -> str:
    if found.average is None:
        return "no time has passed"

    most = count(found.peak, "agent")
    words = f"at work, 0 s to {seconds(found.wall_s)}: at most {most} (a full block), "
    mark = f"\n{SIMULATOR}" if found.simulated else ""
    return f"{blocks(found, columns)}\n{words}{found.average:.2f} on average{mark}"
