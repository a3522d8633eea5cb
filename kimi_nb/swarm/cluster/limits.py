"""The limiters of a cluster, one per endpoint, kept on its scheduler for all who use it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from kimi_nb.errors import Allowed, ModelError, Overloaded, RateLimited, ServerFault
from kimi_nb.models.limiter import Limiter

__all__ = ["Limits"]

KEEP_S = 600.0
"""What an endpoint taught is forgotten when nobody has called it for so long."""

KINDS: Mapping[str, type[ModelError]] = MappingProxyType(
    {kind.__name__: kind for kind in (RateLimited, Overloaded)}
)
"""The errors that teach a limiter something; all others are the same to it."""

Asked = tuple[str, str]
"""A party, and what it calls its question."""


class Limits:
    """Hands out permits to parties, and takes back those of a party that is lost.

    Who restricts a limiter last is heard, as within one kernel. `tell` sends a party an answer.
    """

    def __init__(self, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._tell = tell
        self._limiters: dict[str, Limiter] = {}
        self._used: dict[str, float] = {}
        self._held: Counter[tuple[str, str]] = Counter()
        """Permits by party and gate."""
        self._line: Counter[str] = Counter()
        """Who waits, by gate; those too whose task is about to begin, or has just ended."""
        self._waiting: dict[Asked, asyncio.Task[bool]] = {}

    @property
    def limiters(self) -> Mapping[str, Limiter]:
        """Each by the key of its gate."""
        return MappingProxyType(self._limiters)

    def hear(self, party: str, message: dict[str, Any]) -> None:
        """Do what a party asks."""
        gate: str = message["gate"]
        limiter = self._limiter(gate)

        match message:
            case {"op": "acquire", "id": name, "tokens": tokens, "again": again, "ask": ask}:
                self._acquire(party, gate, name, ask, tokens=tokens, again=again)
            case {"op": "cancel", "id": name, "tokens": tokens}:
                self._cancel(party, gate, name, tokens)
            case {"op": "release", "reserved": reserved, "used": used}:
                if self._returned(party, gate):
                    limiter.release(reserved, used, _error(message), _allowed(message))
            case {"op": "restrict", "concurrency": concurrency, "rpm": rpm, "tpm": tpm}:
                limiter.restrict(concurrency=concurrency, rpm=rpm, tpm=tpm)
            case {"op": "status", "ask": ask}:
                state = {"status": limiter.status(), "in_flight": limiter.in_flight}
                self._answer(party, gate, ask, {**state, "concurrency": limiter.concurrency})
            case _:
                raise ValueError(f"no limiter does {message.get('op')!r}")

    def leave(self, party: str) -> None:
        """Take back all that a party holds, and forget what it waits for."""
        for asked in [each for each in self._waiting if each[0] == party]:
            self._waiting.pop(asked).cancel()

        for held in [each for each in self._held if each[0] == party]:
            for _ in range(self._held.pop(held)):
                self._limiters[held[1]].release(0, None, None)

        self._sweep()

    def _limiter(self, gate: str) -> Limiter:
        if gate not in self._limiters:
            self._sweep()
            self._limiters[gate] = Limiter()

        self._used[gate] = time.monotonic()
        return self._limiters[gate]

    def _sweep(self) -> None:
        """Forget the limiters that nobody has used for long."""
        old = time.monotonic() - KEEP_S

        for gate in [gate for gate, used in self._used.items() if used < old]:
            if not (self._line[gate] or self._limiters[gate].in_flight):
                del self._limiters[gate], self._used[gate], self._line[gate]

    def _acquire(
        self, party: str, gate: str, name: str, ask: int, *, tokens: int, again: bool
    ) -> None:
        limiter = self._limiters[gate]

        # not past one whose task is about to begin
        if not self._line[gate] and limiter.try_acquire(tokens):
            self._grant(party, gate, ask)
            return

        task = asyncio.create_task(limiter.acquire(tokens, again=again))
        self._waiting[party, name] = task
        self._line[gate] += 1
        task.add_done_callback(partial(self._come, (party, name), gate, ask, tokens))
        self._answer(party, gate, ask, {"meanwhile": True})

    def _come(
        self, asked: Asked, gate: str, ask: int, tokens: int, task: asyncio.Task[bool]
    ) -> None:
        """The turn of somebody who waited, unless he does not wait any more."""
        self._line[gate] -= 1

        if self._waiting.pop(asked, None) is not None:
            self._grant(asked[0], gate, ask)
        elif not task.cancelled():
            self._give_back(gate, tokens)

    def _grant(self, party: str, gate: str, ask: int) -> None:
        self._held[party, gate] += 1
        self._answer(party, gate, ask, {})

    def _cancel(self, party: str, gate: str, name: str, tokens: int) -> None:
        """Stop waiting, or take back a permit that was on its way."""
        task = self._waiting.pop((party, name), None)

        if task is not None:
            task.cancel()
        elif self._returned(party, gate):
            self._give_back(gate, tokens)

    def _returned(self, party: str, gate: str) -> bool:
        """Whether the party had a permit; it has one less now, and none leaves no trace."""
        held = self._held.pop((party, gate), 0)

        if held > 1:
            self._held[party, gate] = held - 1

        return held > 0

    def _give_back(self, gate: str, tokens: int) -> None:
        """End a call that was never made. It counts in its minute all the same: never too many."""
        self._limiters[gate].release(tokens, None, None)

    def _answer(self, party: str, gate: str, ask: int, words: dict[str, Any]) -> None:
        limiter = self._limiters[gate]
        # who has been let go but not been seen is no longer in the limiter's queue
        state = {"hopeless": limiter.hopeless(), "waiting": self._line[gate]}
        self._tell(party, {"answered": ask, **state, **words})


def _allowed(message: Mapping[str, Any]) -> Allowed | None:
    allowed = message.get("allowed")
    return None if allowed is None else Allowed(*allowed)


def _error(message: Mapping[str, Any]) -> ModelError | None:
    """The error, as far as a limiter needs it."""
    if not (name := message.get("error")):
        return None

    error = KINDS.get(name, ServerFault)("", retry_after=message.get("retry_after"))
    error.allowed = _allowed(message) or Allowed()
    return error
