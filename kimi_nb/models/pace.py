"""How much an endpoint takes: what is known (per minute), and what its refusals teach."""

from __future__ import annotations

import math
from collections import deque

__all__ = ["AdaptiveLimit", "Window"]

MINUTE = 60.5
"""Seconds; half of one more than the endpoint counts, because calls travel unevenly fast."""
RAMP_S = 0.25
"""After a pause the waiting calls go out evenly over this time, not all at once."""
PROBE_S = 10.0
"""Seconds without a refusal before one more call at once is tried."""
PROBE_MAX_S = 300.0
PAUSE_S = 1.0
"""Pause after a refusal that names no time; doubles while nothing gets through."""
PAUSE_MAX_S = 30.0
PAUSE_MIN_S = 0.1
"""Pause where the endpoint asks for none: a refusal is never answered at once."""


class Window:
    """At most `limit` in any minute, however the minutes are counted."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._spent: deque[tuple[float, float]] = deque()
        self._total = 0.0

    def delay(self, amount: float, now: float) -> float:
        """Seconds until `amount` fits; more than the whole limit fits into an empty minute."""
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._total -= self._spent.popleft()[1]

        excess = self._total + min(amount, self.limit) - self.limit

        for time, spent in self._spent:
            if excess <= 0:
                return 0.0

            excess -= spent

            if excess <= 0:
                return time + MINUTE - now

        return 0.0

    def spend(self, amount: float, now: float) -> None:
        """Count `amount` from now on; a negative one takes back what was not used."""
        if amount < 0 and self._spent:
            now, last = self._spent.pop()
            amount, taken = max(0.0, last + amount), last
            self._total -= taken

        if amount > 0:
            self._spent.append((now, amount))
            self._total += amount


class AdaptiveLimit:
    """How many calls at once an endpoint takes, learned from what it refuses.

    A burst is all refusals until the pause that the first one asks for is over. What was in
    flight when it began, less what it refused, is what the endpoint takes: a hundred calls of
    which 68 are refused teach 32, not 1. Then, rarely, one more is tried; only where that one
    is taken does the limit grow faster. Where nothing at all is taken the limit halves.
    """

    def __init__(self, ceiling: int | None = None) -> None:
        self.ceiling = ceiling
        """What the user allows at once; None: any number."""
        self.learned: int | None = None
        """What the endpoint takes at once; None: it has refused nothing so far."""
        self.paused_until = -math.inf
        self._burst = 0
        self._refused = 0
        self._barren = 0
        self._step = 1
        self._probing = False
        self._taken = 0
        self._interval = PROBE_S
        self._next_probe = -math.inf
        self._ramp_left = 0
        self._next_send = -math.inf

    @property
    def limit(self) -> int | None:
        """Calls at once, at the moment; None: nothing limits them."""
        if self.learned is None or self.ceiling is None:
            return self.learned or self.ceiling

        return min(self.learned, self.ceiling)

    def delay(self, in_flight: int, now: float) -> float:
        """Seconds until another call may go out; infinite: when one has ended."""
        limit = self.limit

        if limit is not None and in_flight >= limit:
            return math.inf

        return max(0.0, (self._next_send if self._ramp_left else self.paused_until) - now)

    def sent(self) -> None:
        """Count a call that goes out."""
        if self._ramp_left:
            self._ramp_left -= 1
            self._next_send += RAMP_S / (self.learned or 1)

    def refused(self, in_flight: int, retry_after: float | None, now: float) -> None:
        """Learn from a 429; `in_flight` counts the refused call too."""
        if now >= self.paused_until:
            self._begin_burst(in_flight)

        self._refused += 1
        taken = self._burst - self._refused
        self.learned = taken if taken > 0 else max(1, self._burst // 2)
        pause = self._own_pause() if retry_after is None else max(retry_after, PAUSE_MIN_S)
        self.paused_until = max(self.paused_until, now + pause)
        self._next_probe = self.paused_until + self._interval
        self._next_send = self.paused_until
        self._ramp_left = self.learned

    def succeeded(self, now: float, *, saturated: bool) -> None:
        """Learn from a call that was taken; `saturated`: as many as allowed were in flight."""
        self._barren = 0

        if self.learned is None or not saturated or now < self.paused_until:
            return

        self._taken += 1

        if self._probing and self._taken >= self.learned:
            self._interval = PROBE_S
            self._grow(2 * self._step)
        elif not self._probing and now >= self._next_probe:
            self._grow(1)

    def _begin_burst(self, in_flight: int) -> None:
        self._burst = in_flight
        self._refused = 0
        self._barren += 1

        if self._probing:
            self._probing = False
            self._interval = min(2 * self._interval, PROBE_MAX_S)

    def _own_pause(self) -> float:
        return min(PAUSE_S * 2 ** min(self._barren - 1, 10), PAUSE_MAX_S)

    def _grow(self, step: int) -> None:
        if self.learned is None or (self.ceiling is not None and self.learned >= self.ceiling):
            return

        self.learned += step
        self._step = step
        self._probing = True
        self._taken = 0
