"""How many calls at once an endpoint takes, and when it may be asked again after a refusal."""

from __future__ import annotations

import math

__all__ = ["PATIENCE_S", "AdaptiveLimit"]

RAMP_S = 0.25
"""After a pause the waiting calls go out evenly over this time, not all at once."""
PROBE_S = 10.0
"""Seconds without a refusal before one more call at once is tried."""
PROBE_MAX_S = 300.0
TOLD_S = 60.0
"""Seconds for which what the endpoint told is beyond doubt. Then one more call is tried."""
PAUSE_S = 1.0
"""Pause after a refusal that names no time; doubles while nothing gets through."""
PAUSE_MAX_S = 30.0
PAUSE_MIN_S = 0.1
"""Pause where the endpoint asks for none: a refusal is never answered at once."""
PATIENCE_S = 900.0
HOPELESS_BURSTS = 12
"""So long, and so often, every call must have been refused before hope is given up."""


class AdaptiveLimit:
    """How many calls at once an endpoint takes, learned from what it refuses.

    A burst is all refusals until the pause that the first one asks for is over. What was in
    flight when it began, less what it refused, is what the endpoint takes: a hundred calls of
    which 68 are refused teach 32, not 1. Then, rarely, one more is tried; only where that one
    is taken does the limit grow faster. Where nothing at all is taken the limit halves.

    A burst is barren if it refused all that went out since the pause before. One may have
    other reasons; two in a row, with no more in flight than were taken before, mean that the
    number at once is not what the endpoint minds.
    """

    def __init__(self) -> None:
        self.ceiling: int | None = None
        """What the user allows at once; None: any number."""
        self.told: int | None = None
        """What the endpoint said that it takes at once; None: nothing, or long ago."""
        self.learned: int | None = None
        """What the endpoint takes at once; None: it has refused nothing so far."""
        self.paused_until = -math.inf
        self._told_until = -math.inf
        self._sent = 0
        """Calls that went out since the pause."""
        self._burst = 0
        self._burst_sent = 0
        self._refused = 0
        self._barren = 0
        """Barren bursts in a row before this one."""
        self._barren_since = math.inf
        self._enough = False
        """This burst began with no more in flight than had been taken before."""
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

    @property
    def source(self) -> str:
        """Where the limit comes from: "" is the user."""
        if self.limit == self.ceiling:
            return ""

        return "told by the endpoint" if self.limit == self.told else "learned from its refusals"

    @property
    def suspects_minute(self) -> bool:
        """Whether the refusal that was learned last cannot come from too many at once."""
        return self._enough and self._barren == 1 and self._is_barren()

    def hopeless(self, now: float) -> bool:
        """Whether the endpoint has refused everything for so long that waiting is pointless."""
        return self._barren >= HOPELESS_BURSTS and now - self._barren_since >= PATIENCE_S

    def delay(self, in_flight: int, now: float) -> float:
        """Seconds until another call may go out; infinite: when one has ended."""
        limit = self.limit

        if limit is not None and in_flight >= limit:
            return math.inf

        return max(0.0, (self._next_send if self._ramp_left else self.paused_until) - now)

    def sent(self, now: float) -> None:
        """Count a call that goes out."""
        self._sent += 1

        if self._ramp_left:
            self._ramp_left -= 1
            calls = self._sent if self._barren or self.learned is None else self.learned
            self._next_send = max(self._next_send, now) + RAMP_S / calls

    def tell(self, limit: int, now: float) -> None:
        """Note that the endpoint says what it takes at once."""
        self.told = limit
        self._told_until = now + TOLD_S
        self.learned = min(self.learned or limit, limit)

    def refused(
        self, in_flight: int, retry_after: float | None, now: float, *, explained: bool
    ) -> None:
        """Learn from a 429; `in_flight` counts the refused call too.

        `explained`: it says nothing about how many at once, because a minute is full.
        """
        if now >= self.paused_until and self._sent:  # else it went out before the pause
            self._begin_burst(in_flight, now)

        self._refused += 1

        if not explained:
            self._shrink()

        self._pause(retry_after, now)

    def succeeded(self, now: float, *, saturated: bool) -> None:
        """Learn from a call that was taken; `saturated`: as many as allowed were in flight."""
        self._barren_since = math.inf

        if self.learned is None or not saturated or now < self.paused_until:
            return

        self._taken += 1

        if self._probing and self._taken >= self.learned:
            self._interval = PROBE_S
            self._grow(2 * self._step, now)
        elif not self._probing and now >= self._next_probe:
            self._grow(1, now)

    def _begin_burst(self, in_flight: int, now: float) -> None:
        if self._is_barren():
            self._barren += 1
            self._barren_since = min(self._barren_since, now)
        else:
            self._barren = 0
            self._barren_since = math.inf

        self._enough = not self._probing and in_flight <= (self.learned or 1)
        self._burst = in_flight
        self._burst_sent = self._sent
        self._sent = 0
        self._refused = 0

        if self._probing:
            self._probing = False
            self._interval = min(2 * self._interval, PROBE_MAX_S)

    def _is_barren(self) -> bool:
        return 0 < self._burst_sent <= self._refused

    def _shrink(self) -> None:
        if self._burst <= 1:  # a single call is not too many
            return

        taken = self._burst - self._refused
        self.learned = taken if taken > 0 else max(1, self._burst // 2)

        if self.told is not None:
            self.learned = min(self.learned, self.told)

    def _pause(self, retry_after: float | None, now: float) -> None:
        """Pause as told; longer where that, or a pause of our own, did not help."""
        pause = PAUSE_MIN_S if retry_after is None else max(retry_after, PAUSE_MIN_S)

        if retry_after is None or self._barren:
            doublings = self._barren if self._is_barren() else 0
            pause = max(pause, min(PAUSE_S * 2 ** min(doublings, 10), PAUSE_MAX_S))

        self.paused_until = max(self.paused_until, now + pause)
        self._next_probe = self.paused_until + self._interval
        self._next_send = self.paused_until
        self._ramp_left = self.learned or self._burst

    def _grow(self, step: int, now: float) -> None:
        if self.learned is None or (self.ceiling is not None and self.learned >= self.ceiling):
            return

        if self.told is not None and now >= self._told_until:
            self.told = None

        if self.told is not None and self.learned >= self.told:
            return

        self.learned += step
        self._step = step
        self._probing = True
        self._taken = 0

        if self.told is not None:
            self.learned = min(self.learned, self.told)
