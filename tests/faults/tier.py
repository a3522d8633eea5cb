"""What an account may do at once, in a minute and in a day; refusals worded as the platform does.

Time comes from a clock that is handed in, so that minutes can pass in no time.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from faults.server import Answer, refuse

MINUTE = 60.0
DAY = 86_400.0
RATE_LIMIT = "rate_limit_reached_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The limits of an account. None: no limit."""

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    """Prompt and longest answer together, counted when a request is let in."""
    tpd: int | None = None
    retry_after: str = ""
    """The header Retry-After of a refusal: "seconds", "date", or "" for none."""
    headers: str = ""
    """What every response says of the limits: "moonshot", "openai", or "" for nothing."""


TIERS = {
    0: Tier(concurrency=1, rpm=3, tpm=500_000, tpd=1_500_000),
    1: Tier(concurrency=50, rpm=200, tpm=2_000_000),
    2: Tier(concurrency=100, rpm=500, tpm=3_000_000),
    3: Tier(concurrency=200, rpm=5_000, tpm=3_000_000),
    4: Tier(concurrency=400, rpm=5_000, tpm=4_000_000),
    5: Tier(concurrency=1_000, rpm=10_000, tpm=5_000_000),
}
"""As published, by their number."""


class Sliding:
    """What was spent in the last `seconds`, whenever one looks."""

    def __init__(self, limit: float | None, seconds: float) -> None:
        self.limit = math.inf if limit is None else limit
        self._seconds = seconds
        self._spent: deque[tuple[float, int]] = deque()
        self._total = 0

    def used(self, now: float) -> int:
        while self._spent and self._spent[0][0] <= now - self._seconds:
            self._total -= self._spent.popleft()[1]

        return self._total

    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` more fits; 0: now; infinite: never."""
        excess = self.used(now) + amount - self.limit

        if excess <= 0:
            return 0.0

        for when, spent in self._spent:
            excess -= spent

            if excess <= 0:
                return when + self._seconds - now

        return math.inf

    def state(self, now: float) -> tuple[str, str, float]:
        """The limit, what is left of it, and the seconds until all of it is."""
        used = self.used(now)
        reset = self.wait(int(self.limit), now) if used else 0.0
        return f"{self.limit:.0f}", f"{self.limit - used:.0f}", reset

    def spend(self, amount: int, now: float) -> None:
        self._spent.append((now, amount))
        self._total += amount


@dataclass(slots=True)
class Gate:
    """Lets requests in, or says why not. A request that is refused counts towards no limit."""

    tier: Tier = field(default_factory=Tier)
    clock: Callable[[], float] = time.monotonic
    in_flight: int = 0
    peak: int = 0
    """The most that were in flight at once."""
    _requests: Sliding = field(init=False)
    _tokens: Sliding = field(init=False)
    _day: Sliding = field(init=False)

    def __post_init__(self) -> None:
        self._requests = Sliding(self.tier.rpm, MINUTE)
        self._tokens = Sliding(self.tier.tpm, MINUTE)
        self._day = Sliding(self.tier.tpd, DAY)

    def enter(self, tokens: int, account: str = "org-mock<ak-mock>") -> Answer | None:
        """The refusal of a request of so many tokens; None: it is in, and must `leave`."""
        now = self.clock()
        why, wait = self._why_not(tokens, now)

        if why:
            return refuse(429, RATE_LIMIT, f"Your account {account} {why}", self._until(wait))

        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        self._requests.spend(1, now)
        self._tokens.spend(tokens, now)
        self._day.spend(tokens, now)
        return None

    def leave(self) -> None:
        self.in_flight -= 1

    def headers(self) -> dict[str, str]:
        """What a response says of the limits."""
        now = self.clock()

        if self.tier.headers == "moonshot" and self.tier.rpm is not None:
            limit, left, reset = self._requests.state(now)
            names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
            return dict(zip(names, (limit, left, str(math.ceil(reset))), strict=True))

        found: dict[str, str] = {}

        windows = {"requests": self._requests, "tokens": self._tokens}

        if self.tier.headers != "openai":
            return found

        for what, window in windows.items():
            if math.isinf(window.limit):
                continue

            limit, left, reset = window.state(now)
            found |= {
                f"x-ratelimit-limit-{what}": limit,
                f"x-ratelimit-remaining-{what}": left,
                f"x-ratelimit-reset-{what}": f"{reset:.3f}s",
            }

        return found

    def _why_not(self, tokens: int, now: float) -> tuple[str, float]:
        """Which limit is in the way, and for how many seconds."""
        tier = self.tier
        soon = "please try again after 1 seconds"

        if tier.concurrency is not None and self.in_flight >= tier.concurrency:
            return f"request reached max organization concurrency: {tier.concurrency}, {soon}", 1.0

        if wait := self._requests.wait(1, now):
            return f"request reached organization max RPM: {tier.rpm}, {soon}", wait

        for name, window in (("TPM", self._tokens), ("TPD", self._day)):
            if wait := window.wait(tokens, now):
                return (
                    f"request reached organization {name} rate limit, "
                    f"current: {window.used(now) + tokens}, limit: {window.limit}"
                ), wait

        return "", 0.0

    def _until(self, wait: float) -> str:
        return retry_after(wait, self.tier.retry_after) if math.isfinite(wait) else ""


def retry_after(seconds: float, form: str) -> str:
    """The value of Retry-After; "" for no form."""
    if form == "date":
        return formatdate(math.ceil(time.time() + seconds), usegmt=True)

    return str(math.ceil(seconds)) if form else ""
