"""How many agents were at work over the time of a run, for a page that follows it.

A short run is told exactly. Of a longer one means are kept as it goes on, so that looking at
it again costs what has happened since, not what has happened.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.fold import Fold
from kimi_nb.views.state import BUSY, Interval

__all__ = ["BUSIEST", "Profile"]

BUSIEST = 600
"""Steps of the profile at most; of a longer one means are told."""
FIRST = 2.0**-12
"""Seconds of a mean to begin with."""


class Profile:
    """The profile of one run, which is told again and again."""

    def __init__(self) -> None:
        self._had: dict[str, int] = {}
        """How many stretches of each agent are in it."""
        self._width = FIRST
        self._part = [0.0] * (BUSIEST + 2)
        self._more = [0] * (BUSIEST + 2)
        """An agent that begins to work within a mean is a part of that, and in each one after."""

    def so_far(self, run: Fold) -> dict[str, Any]:
        """Times at which the number changes, and the numbers: in `BUSIEST` steps at most."""
        self._widen(run.now)
        count = 0

        for agent in run.agents.values():
            had, count = self._had.get(agent.id, 0), count + len(agent.intervals)

            for span in agent.intervals[had:]:
                self._add(self._part, self._more, span)

            self._had[agent.id] = len(agent.intervals)

        if count < BUSIEST:
            found = concurrency(run)

            if len(found.times) <= BUSIEST:
                return {"times": list(found.times), "counts": list(found.counts)}

        return self._means(run)

    def _widen(self, now: float) -> None:
        """Make the means so wide that `BUSIEST` of them reach until now."""
        while self._width * BUSIEST < now:
            means = self._values(self._part, self._more)
            pairs = [(a + b) / 2 for a, b in zip(means[::2], means[1::2], strict=True)]
            self._part = pairs + [0.0] * (len(means) - len(pairs))
            self._more = [0] * len(means)
            self._width *= 2

    def _means(self, run: Fold) -> dict[str, Any]:
        part, more = self._part.copy(), self._more.copy()

        for agent in run.agents.values():
            for span in agent.pending(run.now):
                self._add(part, more, span)

        last = min(int(run.now / self._width), BUSIEST - 1)
        means = self._values(part, more)[: last + 1]
        means[last] /= min(max(run.now / self._width - last, 1e-9), 1.0)
        times = [round(i * self._width, 6) for i in range(last + 1)]
        return {"times": times, "counts": [round(mean, 3) for mean in means]}

    def _add(self, part: list[float], more: list[int], span: Interval) -> None:
        if span.kind not in BUSY:
            return

        for t, sign in ((span.began, 1), (span.ended, -1)):
            place = t / self._width
            at = min(int(place), BUSIEST)
            part[at] += sign * (at + 1 - place)
            more[at + 1] += sign

    @staticmethod
    def _values(part: list[float], more: list[int]) -> list[float]:
        return [a + b for a, b in zip(part, accumulate(more), strict=True)]
