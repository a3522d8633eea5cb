"""What the kernel keeps of a sub-agent that lives elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from kimi_nb.swarm.assignment import Assignment, Outcome
from kimi_nb.swarm.budget import Account, Reservation
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.tools.rights import NONE

__all__ = ["Seat"]


@dataclass(slots=True)
class Seat:
    """One sub-agent, whichever worker it is on."""

    id: str
    work: Assignment
    ended: asyncio.Future[Outcome]
    task: Any = None
    """Dask's future."""
    number: int = 0
    """Which of its lives this is: only what that life says counts."""
    party: str = ""
    """The worker process that has it; "" while none has."""
    step: int = 0
    held: Reservation | None = None
    """Its call that is out: an agent makes one at a time."""
    asking: set[asyncio.Task[Message]] = field(default_factory=set[asyncio.Task[Message]])
    """What it waits for here."""
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    """No life of it will say any more."""

    def is_of(self, party: str, number: int) -> bool:
        """Whether it is this life, on that worker, that counts."""
        return (self.party, self.number) == (party, number)

    def begin(self, party: str, account: Account) -> None:
        """Another life begins; the one before is void."""
        self.leave(account)
        self.party = party
        self.number += 1
        self.empty.clear()

    def leave(self, account: Account) -> None:
        """The life is over: give back what it held."""
        self.party = ""
        self.empty.set()

        for task in list(self.asking):
            task.cancel()

        if self.held is not None:
            account.settle(self.held, None)
            self.held = None

    def end(self, outcome: Outcome) -> None:
        """It has ended, or could not go on."""
        if not self.ended.done():
            self.ended.set_result(outcome)

    def fail(self, why: str) -> None:
        """It cannot go on."""
        self.end(Outcome("failed", why, NONE))
