"""What an endpoint takes in a minute: what the user set, what it told, what its refusals teach."""

from __future__ import annotations

import math
from collections import deque

__all__ = ["Window"]

MINUTE = 60.5
"""Seconds; half of one more than the endpoint counts, because calls travel unevenly fast."""
GRAIN_S = 0.05
"""What is spent within this time counts as spent at its beginning: few entries, little work."""
ROUNDING_S = 1e-6
"""What a sum of times may be short of itself by."""
TOLD_S = 300.0
"""Seconds for which what the endpoint told is beyond doubt. Then a little more is tried."""
PROBE_MAX_S = 900.0
PROBE_SHARE = 0.1
"""More than was learned, as a share of it, that is tried first; doubles while it is taken."""


class Window:
    """At most `limit` in any minute, however the minutes are counted.

    It counts what is spent also while nothing limits it. So when a refusal can only mean that
    the minute is full, what the last one held is the limit.
    """

    def __init__(self) -> None:
        self.ceiling: float | None = None
        """What the user allows; None: any amount."""
        self.told: float | None = None
        """What the endpoint said; None: nothing, or long ago."""
        self.learned: float | None = None
        """What its refusals taught; None: nothing."""
        self._spent: deque[tuple[float, float]] = deque()
        self._total = 0.0
        self._bound = False
        """Something had to wait since more was tried."""
        self._told_until = -math.inf
        self._step = 0.0
        """What was added on trial; 0: nothing is on trial."""
        self._safe = math.inf
        """What was learned before it was added."""
        self._interval = MINUTE
        self._next_probe = -math.inf

    @property
    def limit(self) -> float:
        """What a minute may hold; infinite: nothing limits it."""
        limit = self.learned

        if self.told is not None and (limit is None or self.told < limit):
            limit = self.told

        if self.ceiling is not None and (limit is None or self.ceiling < limit):
            limit = self.ceiling

        return math.inf if limit is None else limit

    @property
    def source(self) -> str:
        """Where the limit comes from: "" is the user."""
        match self.limit:
            case self.ceiling:
                return ""
            case self.told:
                return "told by the endpoint"
            case _:
                return "learned from its refusals"

    def delay(self, amount: float, now: float) -> float:
        """Seconds until `amount` fits; more than the whole limit fits into an empty minute."""
        limit = self.limit

        if self._total + amount <= limit:
            return 0.0

        self._forget(now)
        excess = self._total + min(amount, limit) - limit

        if excess <= 0:
            return 0.0

        self._bound = True

        for time, spent in self._spent:
            excess -= spent

            if excess <= 0:
                return time + MINUTE - now

        return 0.0

    def spend(self, amount: float, now: float) -> None:
        """Count `amount` from now on."""
        self._total += amount

        if self._spent:
            time, spent = self._spent[-1]

            if now - time < GRAIN_S:
                self._spent[-1] = (time, spent + amount)
                return

            self._forget(now)

        self._spent.append((now, amount))

    def take_back(self, amount: float) -> None:
        """Count `amount` no more: it was not sent, or not taken. It counts as spent last."""
        while amount > 0 and self._spent:
            time, spent = self._spent.pop()
            taken = min(amount, spent)
            self._total -= taken
            amount -= taken

            if spent > taken:
                self._spent.append((time, spent - taken))

    def tell(self, limit: float, now: float) -> None:
        """Note that the endpoint says what it takes in a minute."""
        self.told = limit
        self._told_until = now + TOLD_S

    def explains(self, amount: float) -> bool:
        """Whether `amount`, refused and taken back, is more than a minute surely holds."""
        on_trial = self.learned is not None and self._safe < self.learned
        return self._total + amount > (min(self.limit, self._safe) if on_trial else self.limit)

    def refused(self, now: float, *, suspected: bool) -> None:
        """Learn from a refusal that was taken back already.

        `suspected`: only a full minute can be the reason, though no limit explains it.
        """
        self._next_probe = now + self._interval

        if suspected and self._total > 0:
            self.learned = max(1.0, min(self._total, self.limit))
            self._safe = math.inf
        elif self.learned is not None and self._safe < self.learned:
            self.learned = max(self._safe, min(self._total, self.learned))

        if self._step:
            self._step = 0.0
            self._bound = False
            self._interval = min(2 * self._interval, PROBE_MAX_S)
            self._next_probe = now + self._interval

    def succeeded(self, now: float) -> None:
        """Try a little more, where a minute was full and all of it was taken."""
        if not self._bound or now < self._next_probe:
            return

        limit = self.limit
        doubted = self.told is None or now >= self._told_until

        if limit != self.ceiling and (limit != self.told or doubted):
            self._grow(limit, now)

            if doubted:
                self.told = None

    def _grow(self, limit: float, now: float) -> None:
        if self._step:  # what was tried last is taken
            self._interval = MINUTE

        self._safe = limit
        self._step = 2 * self._step or max(1.0, limit * PROBE_SHARE // 1)
        self._next_probe = now + MINUTE
        self._bound = False
        self.learned = limit + self._step

    def _forget(self, now: float) -> None:
        until = now - MINUTE + ROUNDING_S

        while self._spent and self._spent[0][0] <= until:
            self._total -= self._spent.popleft()[1]
