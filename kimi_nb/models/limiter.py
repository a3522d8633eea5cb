"""Who may call the endpoint now: one queue for the whole kernel, shared by all swarms."""

from __future__ import annotations

import asyncio
import functools
import math
import random
import time
from collections import deque
from collections.abc import Callable

from kimi_nb.errors import ModelError, Overloaded, RateLimited
from kimi_nb.models.pace import AdaptiveLimit, Window

__all__ = ["Limiter", "backoff", "limiter_for"]

BACKOFF_S = 0.5
BACKOFF_MAX_S = 30.0
RETRY_AFTER_MAX_S = 60.0


class Limiter:
    """Lets calls go in the order in which they asked, as many as the endpoint takes.

    `concurrency` (calls at once), `rpm` and `tpm` (requests and tokens a minute) are what the
    user sets; what the endpoint's refusals teach is added to it. Every call that was let go
    must be released. For one event loop at a time.
    """

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = AdaptiveLimit()
        self._clock = clock
        self._queue: deque[tuple[asyncio.Future[None], int]] = deque()
        self._waiting = 0
        self._in_flight = 0
        self._sent = 0
        self._refused = 0
        self._timer: asyncio.TimerHandle | None = None
        self.restrict(concurrency=concurrency, rpm=rpm, tpm=tpm)

    def restrict(
        self,
        *,
        concurrency: int | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
    ) -> None:
        """Set what the user allows from now on; None: any number."""
        self._pace.ceiling = concurrency
        self._requests = Window(rpm) if rpm else None
        self._tokens = Window(tpm) if tpm else None

    @property
    def in_flight(self) -> int:
        """Calls that were let go and not yet released."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return self._waiting

    @property
    def concurrency(self) -> int | None:
        """Calls at once, at the moment; None: nothing limits them."""
        return self._pace.limit

    def try_acquire(self, tokens: int) -> bool:
        """Whether a call of `tokens` may go right now; False too where others wait."""
        now = self._clock()

        if self._waiting or self._delay(tokens, now) > 0:
            return False

        self._take(tokens, now)
        return True

    async def acquire(self, tokens: int) -> None:
        """Return when a call of `tokens`, prompt and answer together, may go."""
        if self.try_acquire(tokens):
            return

        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, tokens))
        self._waiting += 1
        self._pump()

        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting -= 1
            else:  # let go and cancelled in the same moment
                self._in_flight -= 1
                self._sent -= 1
                self._spend(-1, -tokens, self._clock())

            self._pump()
            raise

    def release(
        self, tokens_reserved: int, tokens_used: int | None, error: ModelError | None
    ) -> None:
        """End a call that was let go, and learn from how it went.

        `tokens_used` is None where nobody knows. Fewer than reserved are not given back:
        endpoints count the reservation.
        """
        now = self._clock()

        if isinstance(error, Overloaded | RateLimited):
            self._refused += 1
            after = error.retry_after
            after = None if after is None else min(after, RETRY_AFTER_MAX_S)
            self._pace.refused(self._in_flight, after, now)
        elif error is None and tokens_used is not None:
            limit = self._pace.limit
            saturated = limit is not None and self._in_flight >= limit
            self._pace.succeeded(now, saturated=saturated)
            self._spend(0, max(0, tokens_used - tokens_reserved), now)

        self._in_flight -= 1
        self._pump()

    def status(self) -> str:
        """One line: what is in flight, what waits, and for what."""
        pause = self._pace.paused_until - self._clock()
        parts = [f"{self._in_flight} calls in flight, {self._waiting} waiting"]

        if (limit := self._pace.limit) is not None:
            learned = " (learned)" if limit != self._pace.ceiling else ""
            parts.append(f"at most {limit} at once{learned}")

        for window, what in ((self._requests, "requests"), (self._tokens, "tokens")):
            if window is not None:
                parts.append(f"{window.limit:,.0f} {what} a minute")

        if self._refused:
            parts.append(f"{self._refused} of {self._sent} answered 429")

        if pause > 0:
            parts.append(f"paused for {pause:.1f} s")

        return "; ".join(parts)

    def _delay(self, tokens: int, now: float) -> float:
        delay = self._pace.delay(self._in_flight, now)

        if self._requests is not None:
            delay = max(delay, self._requests.delay(1, now))

        if self._tokens is not None:
            delay = max(delay, self._tokens.delay(tokens, now))

        return delay

    def _take(self, tokens: int, now: float) -> None:
        self._in_flight += 1
        self._sent += 1
        self._pace.sent()
        self._spend(1, tokens, now)

    def _spend(self, requests: int, tokens: int, now: float) -> None:
        if self._requests is not None:
            self._requests.spend(requests, now)

        if self._tokens is not None:
            self._tokens.spend(tokens, now)

    def _pump(self) -> None:
        """Let go whoever may, and come back when the next one may."""
        if not self._queue:
            return

        now = self._clock()

        while self._queue:
            turn, tokens = self._queue[0]

            if not turn.done():
                delay = self._delay(tokens, now)

                if delay > 0:
                    self._wake_in(delay)
                    return

                self._waiting -= 1
                self._take(tokens, now)
                turn.set_result(None)

            self._queue.popleft()

    def _wake_in(self, delay: float) -> None:
        """Pump after `delay` seconds; infinite: a release will."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

        if math.isfinite(delay):
            self._timer = asyncio.get_running_loop().call_later(delay, self._pump)


@functools.cache
def limiter_for(endpoint: str) -> Limiter:
    """The kernel's one limiter for what `endpoint` names: a base URL and which key, not the key."""
    del endpoint
    return Limiter()


def backoff(attempt: int, error: ModelError, random: random.Random) -> float:
    """Seconds to wait after failed attempt number `attempt`, from 1.

    Any time up to a bound that doubles with each attempt, so that agents that failed together
    do not return together; where the server named a time, that and a little more.
    """
    if error.retry_after is not None:
        told = min(max(error.retry_after, 0.0), RETRY_AFTER_MAX_S)
        return told + random.uniform(0.0, 0.1 + told / 10)

    return random.uniform(0.0, min(BACKOFF_S * 2 ** min(attempt, 10), BACKOFF_MAX_S))
