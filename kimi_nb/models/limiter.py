"""Who may call the endpoint now: one queue for the whole kernel, shared by all swarms."""

from __future__ import annotations

import asyncio
import functools
import math
import random
import time
from collections import deque
from collections.abc import Callable

from kimi_nb.errors import Allowed, ModelError, Overloaded, RateLimited
from kimi_nb.models.pace import AdaptiveLimit
from kimi_nb.models.standing import Limit, Standing
from kimi_nb.models.window import Window

__all__ = ["Limiter", "backoff", "limiter_for"]

Waiter = tuple[asyncio.Future[None], int]
"""Whose turn it is to be, and the tokens of the call."""

BACKOFF_S = 0.5
BACKOFF_MAX_S = 30.0
RETRY_AFTER_MAX_S = 60.0
"""The longest wait that an endpoint's word is enough for."""


class Limiter:
    """Lets calls go in the order in which they asked, as many as the endpoint takes.

    `concurrency` (calls at once), `rpm` and `tpm` (requests and tokens a minute) are what the
    user sets. What the endpoint says of itself and what its refusals teach is added to it. A
    call that was refused goes first when it asks again. Every call that was let go must be
    released. For one event loop at a time.
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
        self._requests = Window()
        self._tokens = Window()
        self._clock = clock
        self._first: deque[Waiter] = deque()
        """Those who were refused before, in that order; then come all others."""
        self._queue: deque[Waiter] = deque()
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
        self._requests.ceiling = rpm
        self._tokens.ceiling = tpm

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

    async def acquire(
        self, tokens: int, *, again: bool = False, queued: Callable[[], object] | None = None
    ) -> bool:
        """Return when a call of `tokens`, prompt and answer together, may go; whether it waited.

        `again`: it was refused before, and need not queue up behind all others a second time.
        `queued` is called once if the call has to wait.
        """
        if self.try_acquire(tokens):
            return False

        if queued is not None:
            queued()

        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._first if again else self._queue).append((turn, tokens))
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
                self._take_back(tokens)

            self._pump()
            raise

        return True

    def release(
        self,
        tokens_reserved: int,
        tokens_used: int | None,
        error: ModelError | None,
        allowed: Allowed | None = None,
    ) -> None:
        """End a call that was let go, and learn from how it went.

        `tokens_used` is None where nobody knows. Fewer than reserved are not given back:
        endpoints count the reservation. `allowed` is what a good answer's headers say.
        """
        now = self._clock()

        if error is not None:
            allowed = error.allowed

        if allowed is not None:
            self._tell(allowed, now)

        if isinstance(error, Overloaded | RateLimited):
            self._learn(error, tokens_reserved, now)
        elif error is None and tokens_used is not None:
            limit = self._pace.limit
            saturated = limit is not None and self._in_flight >= limit
            self._pace.succeeded(now, saturated=saturated)
            self._requests.succeeded(now)
            self._tokens.succeeded(now)

            if tokens_used > tokens_reserved:
                self._tokens.spend(tokens_used - tokens_reserved, now)

        self._in_flight -= 1
        self._pump()

    def hopeless(self) -> bool:
        """Whether every call has been refused for so long that more waiting is pointless."""
        return self._pace.hopeless(self._clock())

    def status(self) -> str:
        """One line: what is in flight, what waits, and for what."""
        return str(self.standing())

    def standing(self) -> Standing:
        """The same in numbers; from any thread."""
        pause = self._pace.paused_until - self._clock()
        return Standing(
            in_flight=self._in_flight,
            waiting=self._waiting,
            sent=self._sent,
            refused=self._refused,
            concurrency=Limit(self._pace.limit, self._pace.source),
            rpm=_limit(self._requests),
            tpm=_limit(self._tokens),
            paused_s=max(0.0, pause),
        )

    def _tell(self, allowed: Allowed, now: float) -> None:
        """Note what the endpoint says of itself."""
        concurrency, rpm, tpm = allowed

        if concurrency is not None:
            self._pace.tell(concurrency, now)

        if rpm is not None:
            self._requests.tell(rpm, now)

        if tpm is not None:
            self._tokens.tell(tpm, now)

    def _learn(self, error: ModelError, tokens: int, now: float) -> None:
        """Find out what a refusal means: too many at once, or a minute that is full.

        Refused calls do not count as sent: endpoints that count them say so by refusing more.
        """
        self._refused += 1
        self._take_back(tokens)
        limited = isinstance(error, RateLimited) and error.allowed.concurrency is None
        windows = [(self._requests, 1), (self._tokens, tokens)] if limited else []
        full = [window for window, amount in windows if window.explains(amount)]
        after = error.retry_after
        after = None if after is None else min(after, RETRY_AFTER_MAX_S)
        self._pace.refused(self._in_flight, after, now, explained=bool(full))

        for window in full:
            window.refused(now, suspected=False)

        if limited and not full and self._pace.suspects_minute:
            of_tokens = error.allowed.tpm is not None and error.allowed.rpm is None
            (self._tokens if of_tokens else self._requests).refused(now, suspected=True)

    def _delay(self, tokens: int, now: float) -> float:
        delay = self._pace.delay(self._in_flight, now)
        return max(delay, self._requests.delay(1, now), self._tokens.delay(tokens, now))

    def _take(self, tokens: int, now: float) -> None:
        self._in_flight += 1
        self._sent += 1
        self._pace.sent(now)
        self._requests.spend(1, now)
        self._tokens.spend(tokens, now)

    def _take_back(self, tokens: int) -> None:
        self._requests.take_back(1)
        self._tokens.take_back(tokens)

    def _pump(self) -> None:
        """Let go whoever may, and come back when the next one may."""
        if not self._waiting:
            return

        now = self._clock()

        for queue in (self._first, self._queue):
            while queue:
                turn, tokens = queue[0]

                if not turn.done():
                    delay = self._delay(tokens, now)

                    if delay > 0:
                        self._wake_in(delay)
                        return

                    self._waiting -= 1
                    self._take(tokens, now)
                    turn.set_result(None)

                queue.popleft()

    def _wake_in(self, delay: float) -> None:
        """Pump after `delay` seconds; infinite: a release will."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

        if math.isfinite(delay):
            self._timer = asyncio.get_running_loop().call_later(delay, self._pump)


def _limit(window: Window) -> Limit:
    return Limit(window.limit if math.isfinite(window.limit) else None, window.source)


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
