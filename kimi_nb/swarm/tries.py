"""How often one model call was made in vain, and when another try is pointless."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from kimi_nb.errors import ModelError, Overloaded, QuotaExhausted, RateLimited
from kimi_nb.models.pace import PATIENCE_S
from kimi_nb.swarm.engine import Engine

__all__ = ["Tries"]

LIMITED_TRIES = 60
"""A call is given up that was answered with 429 so often, and for `PATIENCE_S`.

The limiter paces the tries: under the slowest limit a call waits for hours, but is refused
rarely. One that is refused so often is refused for another reason than it says.
"""


@dataclass(slots=True)
class Tries:
    """Counts what went wrong with one call that reserves `tokens`."""

    tokens: int
    failed: int = 0
    """Tries that ended otherwise than by a limit of the endpoint."""
    limited: int = 0
    since: float = 0.0
    """Loop time of the first refusal for a limit."""

    @property
    def made(self) -> int:
        """All of them."""
        return self.failed + self.limited

    def count(self, error: ModelError, engine: Engine) -> bool:
        """Count one more; whether the call itself has to wait now, and not in the limiter's queue.

        Raises ModelError if there is to be no other try.
        """
        if not error.retryable:
            raise error

        if self._is_too_large(error):
            message = (
                f"{error}; one call reserves {self.tokens:,} tokens, more than a minute holds: "
                "give fewer max_tokens"
            )
            self._count_failed(error.reworded(message), engine)
        elif isinstance(error, Overloaded | RateLimited):
            self._count_limited(error, engine)
            return False
        else:
            self._count_failed(error, engine)

        return True

    def _is_too_large(self, error: ModelError) -> bool:
        tpm = error.allowed.tpm
        return tpm is not None and self.tokens > tpm

    def _count_failed(self, error: ModelError, engine: Engine) -> None:
        self.failed += 1

        if self.failed >= engine.settings.max_attempts:
            raise error

    def _count_limited(self, error: ModelError, engine: Engine) -> None:
        now = asyncio.get_running_loop().time()
        self.since = self.since if self.limited else now
        self.limited += 1

        if engine.limiter.hopeless():
            message = (
                f"the endpoint has refused every call for {PATIENCE_S / 60:.0f} minutes; "
                f"resume the run when it takes some again. The last refusal: {error}"
            )
            raise QuotaExhausted(message, status=error.status)

        if self.limited >= LIMITED_TRIES and now >= self.since + PATIENCE_S:
            raise error
