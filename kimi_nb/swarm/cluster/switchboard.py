"""The switchboard on a Dask scheduler: messages between parties, and the limiters they share.

A party is the kernel of a user or a worker process: its name is the id of Dask's client or the
address of Dask's worker, alone or with `#` and any word. Both reach the scheduler only, as behind a
gateway. Messages wait in mailboxes; their bodies are opaque here, in logs and in dumps of the
cluster's state, for they may hold keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from distributed.diagnostics.plugin import SchedulerPlugin

from kimi_nb._version import __version__
from kimi_nb.models.limiter import Limiter
from kimi_nb.swarm.cluster.limits import Limits
from kimi_nb.swarm.cluster.mailbox import LOST, Batch, Mailbox, pack, unpack
from kimi_nb.swarm.telemetry.limiters import tell_prometheus

if TYPE_CHECKING:
    from distributed import Scheduler

__all__ = ["NAME", "Switchboard"]

NAME = "kimi_nb"

Answer = dict[str, Any]
OK: Answer = {"status": "OK"}
FULL: Answer = {"status": "full"}
"""The addressee has to read first; ask again."""
GONE: Answer = {"status": "gone"}
"""There is no such party, or it was opened anew."""


class Switchboard(SchedulerPlugin):
    """Takes batches of messages from parties and keeps them until their addressees have them.

    Everything may be asked twice: a comm that breaks and is opened again loses and doubles
    nothing, because both sides number what they send.
    """

    name = NAME
    idempotent = True

    def __init__(self) -> None:
        self._boxes: dict[str, Mailbox] = {}
        self._asked: dict[str, int] = {}
        """The number of each party's last batch for the switchboard itself."""
        self._limits = Limits(self._tell)
        self._scheduler: Scheduler | None = None
        self._untell: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<Switchboard: {len(self._boxes)} parties, {len(self.gates)} limiters>"

    @property
    def gates(self) -> Mapping[str, Limiter]:
        """The limiters, each by the key of its gate."""
        return self._limits.limiters

    async def start(self, scheduler: Scheduler) -> None:
        """Answer the parties' calls from now on."""
        self._scheduler = scheduler
        self._untell = tell_prometheus(self.gates)
        calls = (self.version, self.open, self.send, self.receive, self.close_party)
        handlers = cast("dict[str, Any]", cast("Any", scheduler).handlers)
        handlers |= {f"{NAME}_{call.__name__}": call for call in calls}

    async def close(self) -> None:
        """Tell Prometheus no more: in a test the next scheduler may be in this process."""
        untell, self._untell = self._untell, None

        if untell is not None:
            untell()

    def remove_worker(self, scheduler: Scheduler, worker: str, **_: Any) -> None:
        """Lose the parties in a worker."""
        self._lose_owner(scheduler, worker)

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        """Lose the parties of a client."""
        self._lose_owner(scheduler, client)

    async def version(self) -> str:
        """The version of kimi-nb on the scheduler."""
        return __version__

    async def open(self, party: str, life: str) -> Answer:
        """Make a mailbox. One with the same name and another life is lost."""
        owner, scheduler = party.partition("#")[0], self._scheduler

        if scheduler is None or not (owner in scheduler.workers or owner in scheduler.clients):
            return GONE

        if not self._is_open(party, life):
            self._lose(party)
            self._boxes[party] = Mailbox(life)

        return OK

    async def send(
        self, party: str, life: str, to: str, number: int, body: Any, count: int, size: int
    ) -> Answer:
        """Bring a batch to its addressee; it waits for some seconds where there is no room.

        To a party that is not there nothing can be brought: the sender hears that it is lost.
        """
        if not self._is_open(party, life):
            return GONE

        if not to:
            self._hear(party, number, body)
            return OK

        if (box := self._boxes.get(to)) is None:
            self._tell_lost(party, to)
            return OK

        if not await box.until(lambda: box.has_room or number <= box.heard.get(party, 0)):
            return FULL

        if not self._is_open(party, life):
            return GONE

        if box.closed:
            self._tell_lost(party, to)
        elif number > box.heard.get(party, 0):
            box.heard[party] = number
            box.put(Batch(party, body, count, size))

        return OK

    async def receive(self, party: str, life: str, after: int) -> Answer:
        """The batches numbered above `after`, as soon as there are some; those up to it go."""
        if not self._is_open(party, life):
            return GONE

        box = self._boxes[party]
        box.forget(after)
        await box.until(lambda: not box.is_empty)

        if box.closed:
            return GONE

        batches, last = box.read()
        # lists: within one process Dask unwraps bodies in these, not in tuples
        return {**OK, "last": last, "batches": [[each.sender, each.body] for each in batches]}

    async def close_party(self, party: str, life: str) -> Answer:
        """Forget a party that wants no more."""
        if self._is_open(party, life):
            self._lose(party)

        return OK

    def _is_open(self, party: str, life: str) -> bool:
        return party in self._boxes and self._boxes[party].life == life

    def _hear(self, party: str, number: int, body: bytes) -> None:
        """Do what a party asks of the switchboard itself."""
        if number <= self._asked.get(party, 0):
            return

        self._asked[party] = number

        for message in unpack(body):
            self._limits.hear(party, message)

    def _tell(self, party: str, message: Mapping[str, Any]) -> None:
        """Say something to a party. It is never refused: all parties ask only so much at once."""
        if box := self._boxes.get(party):
            body = pack([message])
            box.put(Batch("", body, 1, len(body)))

    def _tell_lost(self, party: str, lost: str) -> None:
        self._tell(party, {"op": LOST, "party": lost})

    def _lose_owner(self, scheduler: Scheduler, owner: str) -> None:
        del scheduler

        for party in [each for each in self._boxes if each.partition("#")[0] == owner]:
            self._lose(party)

    def _lose(self, party: str) -> None:
        """Drop a party, with all it held, and tell those that have exchanged messages with it."""
        if (gone := self._boxes.pop(party, None)) is None:
            return

        gone.close()
        self._asked.pop(party, None)
        self._limits.leave(party)

        for other, box in self._boxes.items():
            sent = box.heard.pop(party, None) is not None

            if sent or other in gone.heard:
                self._tell_lost(other, party)
