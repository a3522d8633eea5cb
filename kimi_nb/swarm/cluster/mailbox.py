"""What waits on the scheduler for one party, and the bytes that it consists of."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, islice, takewhile
from typing import Any, NamedTuple, cast

import msgpack  # pyright: ignore[reportMissingTypeStubs] -- Dask brings it

__all__ = ["LOST", "POLL_S", "Batch", "Bell", "Body", "Mailbox", "Message", "pack", "unpack"]

PACKER = cast("Any", msgpack)

Message = dict[str, Any]
"""str, int, float, bool, None, bytes, and lists and dicts of them."""

LOST = "lost"
"""The op of what the switchboard says of a party that is no more."""

POLL_S = 10.0
"""The longest that the scheduler keeps a call open. Each time costs it CPU, also of the silent."""

FULL_BYTES = 32 * 2**20
FULL_MESSAGES = 20_000
"""A mailbox that holds so much takes no more, until its party has read some."""

READ_BYTES = 4 * 2**20
"""One answer holds no more; one batch at least."""


class Body(bytes):
    """The messages of a batch. Dask's debugging log shows what is sent: of this, the size."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes of messages>"

    __str__ = __repr__


class Batch(NamedTuple):
    """Messages of one sender that travel together."""

    sender: str
    """"" is the switchboard."""
    body: Any
    """Bytes, or what Dask makes of a `Body` where it does not look inside."""
    messages: int
    size: int
    """Bytes."""


def pack(messages: Iterable[Mapping[str, Any]]) -> bytes:
    """The bytes of messages. Raises TypeError for a value that none may have."""
    return b"".join(PACKER.packb(message) for message in messages)


def unpack(body: bytes) -> Iterator[Message]:
    """The messages, one by one."""
    unpacker = PACKER.Unpacker(max_buffer_size=0)
    unpacker.feed(body)
    yield from unpacker


class Bell:
    """Wakes all who wait for it now; who comes later waits for the next time."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        await self._next.wait()


class Mailbox:
    """Batches in the order in which they came, numbered from 1, until their party has them.

    `life` tells one opening of a party from the next.
    """

    def __init__(self, life: str) -> None:
        self.life = life
        self.closed = False
        self.heard: dict[str, int] = {}
        """The number of the last batch of each party that has sent some: none is taken twice."""
        self._batches: deque[Batch] = deque()
        self._first = 1
        self._count = 0
        self._size = 0
        self._bell = Bell()

    def __repr__(self) -> str:
        return f"<Mailbox: {self._count} messages, {self._size} bytes>"

    @property
    def has_room(self) -> bool:
        """Whether it takes another batch."""
        return self._size < FULL_BYTES and self._count < FULL_MESSAGES

    def put(self, batch: Batch) -> None:
        """Add a batch, be there room or not."""
        self._batches.append(batch)
        self._count += batch.messages
        self._size += batch.size
        self._bell.ring()

    def forget(self, until: int) -> None:
        """Drop the batches up to this number: their party has them."""
        while self._batches and self._first <= until:
            batch = self._batches.popleft()
            self._first += 1
            self._count -= batch.messages
            self._size -= batch.size

        self._bell.ring()

    def read(self) -> tuple[list[Batch], int]:
        """What comes next, and the number of the last of it. It stays until it is forgotten."""
        sizes = accumulate(batch.size for batch in self._batches)
        whole = sum(1 for _ in takewhile(lambda size: size < READ_BYTES, sizes))
        batches = list(islice(self._batches, whole + 1))
        return batches, self._first + len(batches) - 1

    def close(self) -> None:
        """Take no more, and wake all who wait for it."""
        self.closed = True
        self._bell.ring()

    async def until(self, ready: Callable[[], bool]) -> bool:
        """Whether it is `ready`, or closed; it waits for that for some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                while not (self.closed or ready()):
                    await self._bell.wait()

        return self.closed or ready()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits here."""
        return not self._batches
