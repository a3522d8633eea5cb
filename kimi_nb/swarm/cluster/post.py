"""One party's side of the switchboard: what it sends, what it hears, what it asks."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, cast

from distributed.protocol import pickle
from distributed.protocol.serialize import to_serialize

from kimi_nb._version import __version__
from kimi_nb.errors import UsageFault
from kimi_nb.swarm.cluster.line import Line
from kimi_nb.swarm.cluster.mailbox import LOST, Bell, Body, Message, pack, unpack
from kimi_nb.swarm.cluster.outbox import Outbox
from kimi_nb.swarm.cluster.questions import Questions
from kimi_nb.swarm.cluster.switchboard import NAME, Switchboard

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["LARGEST", "Post", "install"]

LARGEST = 64 * 2**20
"""The most bytes of one message. Longer things travel in parts."""

GOODBYE_S = 2.0

Hear = Callable[[str, Message], object]
"""Called with a sender and a message of it."""


class Post:
    """Sends to other parties and hears what they send, in order, nothing lost and nothing twice.

    `rpc` is Dask's to the scheduler (`client.scheduler`, `worker.scheduler`), `dask_loop` the event
    loop that it lives on. `party` is the client's id or the worker's address, alone or with `#` and
    any word. All else happens on the event loop on which the post is made and opened; `hear` too.

    A message is a dict of str, int, float, bool, None, bytes, lists and dicts. The keys `ask`,
    `answered` and `meanwhile` are the post's own. `hear("", {"op": "lost", "party": …})` says that
    a party is no more; it may be said more than once, and what was sent last may not have come.
    `hear` must not raise: the post would be lost.
    """

    def __init__(
        self, rpc: Any, dask_loop: asyncio.AbstractEventLoop, party: str, hear: Hear
    ) -> None:
        self.party = party
        self.loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self.loop.create_future()
        """Done, with the reason, when nothing more can be sent or heard."""
        self._hear = hear
        who = {"party": party, "life": secrets.token_hex(8)}
        self._line = Line(rpc, dask_loop, NAME, who)
        self._outboxes: dict[str, Outbox] = {}
        self._numbers = itertools.count(1)
        """Of batches, whoever gets them: so they grow for each, also for one that comes back."""
        self._questions = Questions()
        self._moved = Bell()
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Post of {self.party}{': lost' if self.lost.done() else ''}>"

    async def open(self) -> None:
        """Be there for others.

        Raises UsageFault where the scheduler has no switchboard, ConnectionError where it does not
        know the client or worker, or cannot be reached.
        """
        answer = await self._line.call("open")

        if answer is None:
            raise UsageFault("this Dask scheduler has no switchboard; call install(client) before")

        if answer["status"] != "OK":
            raise ConnectionError(f"this Dask scheduler does not know {self.party!r}")

        self._start(self._receive())

    def send(self, to: str, message: Mapping[str, Any]) -> None:
        """Send a message; it returns at once. Where the post is lost nothing is sent.

        Raises TypeError or ValueError for what cannot be sent.
        """
        body = pack([message])

        if len(body) > LARGEST:
            raise ValueError(f"a message of {len(body):,} bytes; one may have {LARGEST:,}")

        if self.lost.done():
            return

        outbox = self._outboxes.setdefault(to, Outbox())
        outbox.put(body)

        if outbox.task is None:
            outbox.task = self._start(self._bring(to, outbox))

    async def ask(
        self,
        to: str,
        message: Mapping[str, Any],
        *,
        meanwhile: Callable[[Message], object] | None = None,
    ) -> Message:
        """The answer to a message. `meanwhile` gets what is answered before it, if anything is.

        Raises ConnectionError if that party, or the post, is lost.
        """
        if self.lost.done():
            raise ConnectionError(self.lost.result())

        with self._questions.asked(to) as (number, answers):
            self.send(to, {**message, "ask": number})

            while True:
                match await answers.get():
                    case ConnectionError() as error:
                        raise error
                    case {"meanwhile": True, **words}:
                        if meanwhile is not None:
                            meanwhile(words)
                    case answer:
                        return answer

    def answer(
        self, sender: str, message: Message, reply: Mapping[str, Any], *, meanwhile: bool = False
    ) -> None:
        """Answer what was heard with `ask` in it; `meanwhile`: the answer itself comes later."""
        way = {"answered": message["ask"], **({"meanwhile": True} if meanwhile else {})}
        self.send(sender, {**reply, **way})

    async def drain(self) -> None:
        """Return when all that was sent until now is with the scheduler, or nobody is to have it.

        Raises ConnectionError if the post is lost.
        """
        goals = [(outbox, outbox.told) for outbox in self._outboxes.values()]

        while any(outbox.accepted < goal for outbox, goal in goals):
            if self.lost.done():
                raise ConnectionError(self.lost.result())

            await self._moved.wait()

    async def close(self) -> None:
        """Be there no more; all that have exchanged messages with this party hear that it is lost.

        What has not been drained is not sent.
        """
        if not self.lost.done():
            self._lose("this post was closed")

            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._line.call("close_party")

        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _told(self, name: str, **message: Any) -> Any:
        """The scheduler's answer. Raises ConnectionError if it does not know this party."""
        answer = await self._line.call(name, **message)

        if answer is None:
            raise ConnectionError("the Dask scheduler was started anew")

        if answer["status"] == "gone":
            raise ConnectionError(f"the Dask scheduler has lost sight of {self.party}")

        return answer

    async def _bring(self, to: str, outbox: Outbox) -> None:
        """Send what waits for one addressee, batch by batch."""
        while batch := outbox.batch():
            body = Body(b"".join(batch))
            size = {"number": next(self._numbers), "count": len(batch), "size": len(body)}
            sent = to_serialize(body) if to else bytes(body)

            while (await self._told("send", to=to, body=sent, **size))["status"] != "OK":
                pass  # it has waited for room there

            outbox.accepted += len(batch)
            self._moved.ring()

        outbox.task = None

    async def _receive(self) -> None:
        last = 0

        while True:
            answer = await self._told("receive", after=last)
            last = answer["last"]

            for sender, body in answer["batches"]:
                for message in unpack(body):
                    self._take(sender, message)

    def _take(self, sender: str, message: Message) -> None:
        if "answered" in message:
            self._questions.take(sender, message)
            return

        if not sender and message["op"] == LOST:
            self._forget(message["party"])

        self._hear(sender, message)

    def _forget(self, party: str) -> None:
        """Nothing goes to a lost party, and it answers nothing."""
        if outbox := self._outboxes.pop(party, None):
            outbox.give_up()
            self._moved.ring()

        self._questions.refuse(f"{party} is lost", party)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)

        if task.cancelled() or (error := task.exception()) is None:
            return

        if not isinstance(error, ConnectionError):
            words = {"message": f"{self.party} cannot go on", "exception": error}
            self.loop.call_exception_handler(words)

        self._lose(str(error))

    def _lose(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

        for task in self._tasks:
            task.cancel()

        self._questions.refuse(reason)
        self._moved.ring()


def install(client: Client) -> Any:
    """Put a switchboard on the client's scheduler, unless it has one; its version of kimi-nb.

    With an asynchronous client, an awaitable of that. Raises UsageFault where the scheduler has no
    kimi-nb, or another version.
    """
    return cast("Any", client).sync(_install, client)


async def _install(client: Client) -> str:
    rpc = cast("Any", client.scheduler)
    plugin = cast("Any", pickle).dumps(Switchboard())
    there = (
        f"on the machine of the Dask scheduler, type: pip install 'kimi-nb[dask]=={__version__}'"
    )

    try:
        await rpc.register_scheduler_plugin(plugin=plugin, name=NAME, idempotent=True)
    except ImportError as error:
        raise UsageFault(f"the Dask scheduler cannot load kimi-nb ({error}); {there}") from error

    version = await rpc.kimi_nb_version()

    if version != __version__:
        raise UsageFault(
            f"the Dask scheduler has kimi-nb {version}, here is {__version__}; {there}"
        )

    return version
