"""What an attempt at a call asks before it goes out, whoever keeps the pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kimi_nb.errors import Allowed, ModelError

__all__ = ["Gate"]


class Gate(Protocol):
    """Who says when a call may go: a limiter of this process, or one that many processes share."""

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        ...

    async def acquire(
        self, tokens: int, *, again: bool = False, queued: Callable[[], object] | None = None
    ) -> bool:
        """Return when a call may go; see `Limiter.acquire`."""
        ...

    def release(
        self,
        tokens_reserved: int,
        tokens_used: int | None,
        error: ModelError | None,
        allowed: Allowed | None = None,
    ) -> None:
        """End a call that was let go; see `Limiter.release`."""
        ...

    def hopeless(self) -> bool:
        """Whether more waiting is pointless; see `Limiter.hopeless`."""
        ...

    def status(self) -> str:
        """One line: what is in flight, what waits, and for what."""
        ...

    def restrict(
        self,
        *,
        concurrency: int | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
    ) -> None:
        """Set what the user allows from now on; None: any number."""
        ...
