"""What waits at a party for one addressee."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Outbox"]

BATCH_BYTES = 2**20
BATCH_MESSAGES = 1000
"""A batch takes another message only while it has fewer."""


class Outbox:
    """Messages for one addressee, packed, in order."""

    def __init__(self) -> None:
        self.told = 0
        """Messages that were given in."""
        self.accepted = 0
        """Those of them that are with the scheduler, or have nowhere to go any more."""
        self.task: asyncio.Task[None] | None = None
        """Brings them there, as long as there are some."""
        self._queue: deque[bytes] = deque()

    def put(self, message: bytes) -> None:
        """Add a packed message."""
        self._queue.append(message)
        self.told += 1

    def batch(self) -> list[bytes]:
        """The next messages, which go together; [] if there are none."""
        taken: list[bytes] = []
        size = 0

        while self._queue and size < BATCH_BYTES and len(taken) < BATCH_MESSAGES:
            taken.append(self._queue.popleft())
            size += len(taken[-1])

        return taken

    def give_up(self) -> None:
        """Nobody will take what waits here."""
        self._queue.clear()
        self.accepted = self.told
