"""An endpoint with limits, in virtual time, and agents that call it as the engine does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from virtual_time import clock

from kimi_nb.errors import Allowed, ModelError, Overloaded, RateLimited
from kimi_nb.models.allowed import read_allowed
from kimi_nb.models.faults import fault
from kimi_nb.models.limiter import Limiter

STYLES = ("words", "headers", "nothing")
TRAVEL_S = 0.005
WORDS = {
    "concurrency": "request reached max organization concurrency: {}, please try again after 1 s",
    "rpm": "request reached organization max RPM: {}, please try again after 1 seconds",
    "tpm": "request reached organization TPM rate limit, current: 999, limit: {}",
}


class Endpoint:
    """Takes so many calls at once, so many requests and tokens in any 60 seconds.

    `style`: a refusal names the limit in its words; every answer names it in its headers; or
    nobody names anything.
    """

    def __init__(
        self,
        *,
        concurrency: float = float("inf"),
        rpm: float = float("inf"),
        tpm: float = float("inf"),
        latency: float = 0.5,
        style: str = "words",
        retry_after: float | None = 1.0,
        refusal: Callable[[], ModelError] | None = None,
    ) -> None:
        self.concurrency, self.rpm, self.tpm = concurrency, rpm, tpm
        self.latency = latency
        self.in_flight = self.peak = 0
        self.taken: list[float] = []
        self.refusals: list[float] = []
        self.sent: list[float] = []
        self._style = style
        self._retry_after = retry_after
        self._refusal = refusal
        self._minute: deque[tuple[float, int]] = deque()
        self._requests = self._tokens = 0

    async def call(self, tokens: int = 100) -> Allowed:
        """What the answer's headers say. Raises ModelError for a refusal."""
        self.sent.append(clock())
        await asyncio.sleep(TRAVEL_S)
        self._forget()

        if reached := self._reached(tokens):
            self.refusals.append(clock())
            await asyncio.sleep(TRAVEL_S)
            raise self._refusal() if self._refusal else self._refused(reached)

        self.taken.append(clock())
        self._minute.append((clock(), tokens))
        self._requests += 1
        self._tokens += tokens
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

        try:
            await asyncio.sleep(self.latency)
        finally:
            self.in_flight -= 1

        return read_allowed(self._headers())

    def _forget(self) -> None:
        while self._minute and self._minute[0][0] <= clock() - 60:
            self._tokens -= self._minute.popleft()[1]
            self._requests -= 1

    def _reached(self, tokens: int) -> str:
        if self.in_flight >= self.concurrency:
            return "concurrency"

        if self._requests >= self.rpm:
            return "rpm"

        return "tpm" if self._tokens + tokens > self.tpm else ""

    def _headers(self) -> dict[str, str]:
        if self._style != "headers":
            return {}

        return {
            "x-ratelimit-limit-requests": str(self.rpm),
            "x-ratelimit-limit-tokens": str(self.tpm),
        }

    def _refused(self, reached: str) -> ModelError:
        words = "rate limit reached"

        if self._style == "words":
            words = WORDS[reached].format(int(getattr(self, reached)))

        error = {"type": "rate_limit_reached_error", "message": words}
        return fault(
            429,
            {"error": error},
            retry_after=self._retry_after,
            allowed=read_allowed(self._headers()),
        )


async def attempt(limiter: Limiter, call: Callable[[], Any], tokens: int = 100) -> Any:
    """One model call with its retries, as the engine makes it."""
    again = False

    while True:
        await limiter.acquire(tokens, again=again)
        error: ModelError | None = None
        answer: Any = None

        try:
            answer = await call()
        except (Overloaded, RateLimited) as refused:
            error = refused
        finally:
            used = None if error or answer is None else tokens
            limiter.release(tokens, used, error, answer if isinstance(answer, Allowed) else None)

        if error is None:
            return answer

        again = True


async def swarm(
    limiter: Limiter, endpoint: Endpoint, agents: int, calls: int, tokens: int = 100
) -> float:
    """Seconds until all agents have made all their calls."""

    async def agent() -> None:
        for _ in range(calls):
            await attempt(limiter, lambda: endpoint.call(tokens), tokens)

    begun = clock()
    await asyncio.gather(*(agent() for _ in range(agents)))
    return clock() - begun


def new_limiter(**limits: Any) -> Limiter:
    return Limiter(clock=clock, **limits)


def most_within(times: list[float], seconds: float) -> int:
    """The most of `times` that lie within any span of so many seconds."""
    times = sorted(times)
    most = start = 0

    for end, time in enumerate(times):
        while times[start] < time - seconds:
            start += 1

        most = max(most, end - start + 1)

    return most
