"""What stands in, on a worker, for the log and the budget that the kernel keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from kimi_nb.errors import BudgetExceeded
from kimi_nb.events import Fact
from kimi_nb.models.base import Usage
from kimi_nb.swarm.budget import Account, Budget, Reservation
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.post import Post
from kimi_nb.trace import Log, Record, encode

__all__ = ["Life", "RemoteAccount", "RemoteLog"]


class Life:
    """One of a sub-agent's lives: its way to the kernel."""

    def __init__(self, post: Post, kernel: str, agent: str, number: int) -> None:
        self._post = post
        self._kernel = kernel
        self.agent = agent
        self._name: Message = {"agent": agent, "number": number}

    def send(self, message: Message) -> None:
        """Tell the kernel something; in order, and at once."""
        self._post.send(self._kernel, message | self._name)

    async def ask(self, message: Message) -> Message:
        """The kernel's answer.

        Raises CancelledError where this life does not count any more, and BudgetExceeded.
        """
        reply = await self._post.ask(self._kernel, message | self._name)

        if "gone" in reply:
            raise asyncio.CancelledError

        if "exceeded" in reply:
            raise BudgetExceeded(reply["exceeded"], reply["why"])

        return reply


class RemoteLog(Log):
    """Sends facts to the log that the kernel writes. It keeps none."""

    def __init__(self, life: Life, now: float, path: Path) -> None:
        """`now`: seconds since the run began. `path`: beside it lie the images."""
        super().__init__()
        self.path = path
        self._life = life
        self._origin = self._clock() - now
        self._loop = asyncio.get_running_loop()

    def add(self, agent: str, *facts: Fact) -> Record:
        now = round(self.now, 6)
        records = [Record(0, now, agent, fact.without_keys()) for fact in facts]

        self._life.send({"op": "facts", "facts": b"".join(map(encode, records))})
        return records[-1]

    def flush(self) -> OSError | None:
        asked = asyncio.run_coroutine_threadsafe(self._life.ask({"op": "sync"}), self._loop)
        asked.result()
        return None


class RemoteAccount(Account):
    """Asks the kernel for each call's reservation."""

    def __init__(self, life: Life, budget: Budget) -> None:
        super().__init__(Budget(), None)
        self.budget = budget
        self._life = life
        self._left: dict[str, float] = {}

    def left(self) -> dict[str, float]:
        return dict(self._left)

    async def reserve(
        self,
        agent: str,
        stage: int,
        prompt_tokens: int,
        max_tokens: int,
        queued: Callable[[], object],
    ) -> tuple[Reservation, bool]:
        """As there; that it has to wait is logged by the kernel, not by `queued`."""
        del queued
        asked: Message = {"op": "reserve", "prompt": prompt_tokens, "max": max_tokens}
        reply = await self._life.ask(asked)
        self._left = reply["left"]
        held = Reservation(agent, stage, reply["tokens"], reply["max"], 0.0)
        return held, reply["waited"]

    def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        del reservation
        self._life.send({"op": "settle", "usage": None if usage is None else asdict(usage)})

    def charge(self, usage: Usage) -> None:
        self._life.send({"op": "charge", "usage": asdict(usage)})

    async def check_cover(self) -> None:
        if self.budget.tokens is not None or self.budget.usd is not None:
            await self._life.ask({"op": "cover"})
