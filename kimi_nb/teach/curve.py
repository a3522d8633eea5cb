"""A curve that is predicted: how many agents are at work over time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.teach.asked import Apart, Points, real
from kimi_nb.teach.quantity import QUANTITIES
from kimi_nb.teach.words import said as say
from kimi_nb.trace import Record
from kimi_nb.views.concurrency import Concurrency, concurrency
from kimi_nb.views.fold import Fold
from kimi_nb.views.words import seconds

__all__ = ["COLUMNS", "Curve", "binned", "steps"]

COLUMNS = 40
"""Equal parts of the time, in which a curve is drawn and compared."""
AGENTS = 20
"""The most that one can draw unless told otherwise: as many as a swarm launches."""
SHAPE = "[(0, 1), (0.2, 5), (0.8, 1)]"
LONGEST = 1e7
"""Seconds of an axis."""
MOST = 10_000
"""Agents, and points of a curve."""
FINE = 400
"""Steps of a true curve that are drawn one by one; of more the means are drawn."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Agents at work over a time in seconds, or over the share of the run from 0 to 1."""

    seconds: float | None
    """Where the axis of time ends; None for the share of the run."""
    agents: int
    """Where the axis of agents ends."""
    name: str = "curve"

    @classmethod
    def on(cls, axes: object) -> Curve:
        """On the axes (seconds, agents); True for the share of the run and 20 agents.

        Raises UsageFault for axes that are none.
        """
        if axes is True:
            return cls(None, AGENTS)

        pair = _pair(axes)

        if pair is None or not 0 < pair[0] <= LONGEST:
            raise UsageFault("curve= takes True, or seconds and agents, as in curve=(30, 8)")

        if not 1 <= pair[1] <= MOST or pair[1] != int(pair[1]):
            raise UsageFault(f"agents are counted, up to {MOST:,}: as in curve=(30, 8)")

        return cls(float(pair[0]), int(pair[1]))

    @property
    def key(self) -> Hashable:
        return self.name, self.seconds, self.agents

    @property
    def example(self) -> str:
        return f".lock({SHAPE})"

    @property
    def end(self) -> float:
        """Of the axis of time."""
        return 1.0 if self.seconds is None else self.seconds

    def check(self, value: object) -> Points:
        points = [self._point(pair) for pair in _listed(value)]

        if any(a[0] >= b[0] for a, b in pairwise(points)):
            raise UsageFault(f"the times of a curve go up: as in {SHAPE}")

        kept = [(0.0, 0)] if not points or points[0][0] > 0 else []

        for point in points:
            if not kept or point[1] != kept[-1][1]:
                kept.append(point)

        if not any(number for _, number in kept):
            raise UsageFault("nobody is at work in this curve: draw one first")

        return tuple(kept)

    def _point(self, pair: object) -> tuple[float, int]:
        both = _pair(pair)

        if both is None:
            raise UsageFault(f"a curve is a list of pairs (time, agents), as {SHAPE}")

        t, number = both

        if not 0 <= t < self.end:
            unit = "as a share of the run" if self.seconds is None else "in seconds"
            raise UsageFault(f"the time of a point, {unit}, goes from 0 to less than {self.end:g}")

        if not 0 <= number <= self.agents or number != int(number):
            tall = "; curve=(seconds, agents) sets the axes"
            raise UsageFault(f"agents are a whole number from 0 to {self.agents}{tall}")

        return round(float(t), 6), int(number)

    def said(self, value: Points) -> str:
        return self._told(self.ended(value))

    def truth(self, run: Fold | Iterable[Record], state: Fold) -> Points | None:  # noqa: ARG002
        found = concurrency(state)

        if not found.wall_s:
            return None

        unit = 1.0 if self.seconds else found.wall_s
        points = zip(found.times, found.counts, strict=True)
        return (*((t / unit, number) for t, number in points), (found.wall_s / unit, 0))

    def apart(self, value: Points, truth: Points) -> Apart:
        drawn = self.ended(value)
        longest = max(drawn[-1][0], truth[-1][0])
        means = (binned(points, longest, COLUMNS) for points in (drawn, truth))
        off = round(sum(abs(a - b) for a, b in zip(*means, strict=True)) / COLUMNS, 6)
        said, so = self._told(drawn), self._told(truth)

        if off < 0.05:
            return Apart(say("curve right", so=so), off, right=True)

        return Apart(say("curve off", off=f"{off:.1f}", said=said, so=so), off, right=False)

    def form(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "agents": self.agents, "columns": COLUMNS}

    def drawn(self, value: Points) -> list[tuple[float, float]]:
        return steps(value)

    def ended(self, value: Points) -> Points:
        """What was drawn, with the end of its axis: after that nobody is at work."""
        return (*value, (self.end, 0)) if value[-1][1] or not self.seconds else value

    def _told(self, points: Points) -> str:
        found = _until(points, points[-1][0])
        agents = QUANTITIES["agents"].words(found.peak)
        most = say("most", agents=agents, average=f"{found.average or 0.0:.1f}")
        return say("for", most=most, time=seconds(found.wall_s)) if self.seconds else most


def steps(points: Points) -> list[tuple[float, float]]:
    """The points, or, of very many that end in a time of nobody, means of as many parts."""
    if len(points) <= FINE:
        return list(points)

    end = points[-1][0]
    means = binned(points, end, FINE // 2)
    drawn = [(round(end * i / len(means), 6), round(mean, 3)) for i, mean in enumerate(means)]
    return [*drawn, points[-1]]


def binned(points: Points, end: float, columns: int) -> list[float]:
    """The mean number in each of so many equal parts of the time until `end`."""
    return _until(points, end).means(columns)


def _pair(value: object) -> tuple[int | float, int | float] | None:
    """Two finite numbers; None for what is no pair of them."""
    if not isinstance(value, tuple | list):
        return None

    numbers = [real(one) for one in cast("Sequence[object]", value)]
    first, second = numbers if len(numbers) == 2 else (None, None)
    return None if first is None or second is None else (first, second)


def _listed(value: object) -> list[object]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise UsageFault(f"a curve is a list of pairs (time, agents), as {SHAPE}")

    found: list[object] = list(cast("Iterable[object]", value))

    if len(found) > MOST:
        raise UsageFault(f"a curve has {MOST:,} points at most")

    return found


def _until(points: Points, end: float) -> Concurrency:
    """The curve up to a time; after its last point it stays as it is."""
    kept = [point for point in points if point[0] < end] or [(0.0, 0)]
    times, counts = zip(*kept, strict=True)
    return Concurrency(times=times, counts=counts, wall_s=end)
