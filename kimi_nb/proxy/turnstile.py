"""Fair turns at a limiter: a learner with 300 sub-agents does not keep the others waiting."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Hashable

from kimi_nb.errors import Allowed, ModelError
from kimi_nb.models.limiter import Limiter

__all__ = ["Turnstile"]

Queue = deque[asyncio.Future[None]]


class Turnstile:
    """Who may stand at the limiter: one at a time, of those with the fewest calls inside.

    So all who want more get the same number of calls at once, however many each has waiting,
    and nothing stays unused while somebody waits. Among equals it is by turns. For one event
    loop.
    """

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.inside: Counter[Hashable] = Counter()
        """Calls that were let go and have not left."""
        self._queues: dict[Hashable, Queue] = {}
        """Of those who wait; who was served last stands last."""
        self._most: dict[Hashable, int] = {}
        self._taken = False
        """Somebody stands at the limiter."""

    @property
    def waiting(self) -> int:
        """Calls that have not been let go."""
        return sum(map(len, self._queues.values())) + self._taken

    async def enter(
        self, who: Hashable, tokens: int, *, most: int | None = None, again: bool = False
    ) -> None:
        """Return when a call of `tokens` may go; `most`: calls of `who` inside at once.

        `again`: the endpoint refused it before; it goes first.
        """
        if again:
            await self.limiter.acquire(tokens, again=True)
            self.inside[who] += 1
            return

        if most is not None:
            self._most[who] = most

        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(who, deque())
        queue.append(turn)
        self._call_next()

        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(who, turn)
            else:  # called and cancelled in the same moment
                self._step_aside()

            raise

        try:
            await self.limiter.acquire(tokens)
            self.inside[who] += 1
        finally:
            self._step_aside()

    def leave(
        self,
        who: Hashable,
        tokens_reserved: int,
        tokens_used: int | None,
        error: ModelError | None = None,
        allowed: Allowed | None = None,
    ) -> None:
        """End a call that was let go; the rest is for the limiter."""
        self.limiter.release(tokens_reserved, tokens_used, error, allowed)
        self.inside[who] -= 1

        if not self.inside[who]:
            del self.inside[who]

        self._call_next()

    def _call_next(self) -> None:
        while not self._taken:
            free = [who for who in self._queues if self.inside[who] < self._most.get(who, math.inf)]

            if not free:
                return

            who = min(free, key=self.inside.__getitem__)
            queue = self._queues.pop(who)
            turn = queue.popleft()

            if queue:
                self._queues[who] = queue

            if not turn.done():  # else its call was cancelled, and does not know it yet
                self._taken = True
                turn.set_result(None)

    def _step_aside(self) -> None:
        self._taken = False
        self._call_next()

    def _forget(self, who: Hashable, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(who)

        if queue is not None and turn in queue:
            queue.remove(turn)

            if not queue:
                del self._queues[who]
