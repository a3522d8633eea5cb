"""The kernel's side: a run whose sub-agents live on the workers of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import uuid
import warnings
from typing import Any

from kimi_nb.cluster_client import Opened, open_client
from kimi_nb.errors import Allowed, ClusterLost
from kimi_nb.events import AgentPlaced
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.assignment import Assignment, Outcome
from kimi_nb.swarm.cluster.baggage import Kit, pack
from kimi_nb.swarm.cluster.books import Books
from kimi_nb.swarm.cluster.crew import live
from kimi_nb.swarm.cluster.gate import RemoteGate
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.post import Post, install
from kimi_nb.swarm.cluster.private import is_private
from kimi_nb.swarm.cluster.seat import Seat
from kimi_nb.swarm.connect import Connection
from kimi_nb.swarm.engine import Engine, Stop
from kimi_nb.swarm.subagent import one_line
from kimi_nb.tools import Toolset
from kimi_nb.tools.threads import in_thread

__all__ = ["ClusterPlace", "join"]

PARTING = 2.0
"""Seconds that a cancelled sub-agent has to send its last facts."""
LATE = 10.0
"""Seconds within which the message of an end comes after Dask says that its task has ended."""


def join(cluster: object, connection: Connection, toolset: Toolset) -> ClusterPlace:
    """A place for one run on a cluster; `cluster` as `cluster_client.open_client` takes it.

    Raises UsageFault where nothing answers, and where the model or a tool cannot go there.
    """
    kit = pack(connection, toolset)
    opened = open_client(cluster)

    try:
        install(opened.client)
        _warn_if_empty(opened.client)
    except BaseException:
        opened.close()
        raise

    key = connection.elsewhere and connection.elsewhere.key
    return ClusterPlace(opened, kit, key, connection.allowed)


def _warn_if_empty(client: Any) -> None:
    if not client.nthreads():
        message = (
            "the cluster has no worker yet, and sub-agents wait for one; in a terminal, type: "
            f"dask worker {client.scheduler.address}"
        )
        warnings.warn(message, RuntimeWarning, stacklevel=2)


class ClusterPlace:
    """A `Place` on a cluster.

    Each sub-agent is a task of Dask, which finds it a worker, and another one if that dies; all
    else goes between kernel and workers by way of the scheduler's switchboard.
    """

    def __init__(self, opened: Opened, kit: Kit, key: Secret | None, allowed: Allowed) -> None:
        """`allowed`: what the user says that the endpoint allows."""
        self._opened = opened
        self._kit = kit
        self._key = key if key and is_private(opened.client.scheduler.address) else None
        """An open network carries no key."""
        self._allowed = allowed
        self._party = f"{opened.client.id}#{uuid.uuid4().hex[:12]}"
        self._seats: dict[str, Seat] = {}
        self._fresh: list[Seat] = []
        """Those that have no task yet."""
        self._submitting: asyncio.Task[None] | None = None
        self._books: Books | None = None
        self._post: Post | None = None

    async def open(self, engine: Engine) -> None:
        client = self._opened.client
        post = Post(client.scheduler, client.loop.asyncio_loop, self._party, self._hear)
        self._post = post
        self._books = Books(engine, post, self._seats, self._kit, self._key)

        try:
            await self._books.open()
            await post.open()
        except OSError as error:
            raise ClusterLost(f"the cluster does not answer: {error}") from error

        gate = RemoteGate(post, self._kit.gate)

        if any(limit is not None for limit in self._allowed):  # or others' limits would be lifted
            gate.restrict(**self._allowed._asdict())

        engine.limiter = gate
        post.lost.add_done_callback(lambda lost: self._lose(engine, lost.result()))

    async def outcome(self, engine: Engine, id: str, work: Assignment) -> Outcome:
        seat = self._seats[id] = Seat(id, work, asyncio.get_running_loop().create_future())
        self._fresh.append(seat)

        if len(self._fresh) == 1:
            self._submitting = asyncio.create_task(self._submit(engine))

        try:
            return await seat.ended
        except asyncio.CancelledError:
            await asyncio.shield(self._part(engine, seat))
            raise
        finally:
            del self._seats[id]
            self._dismiss(engine, seat)
            seat.leave(engine.account)

            if seat.task is not None:
                seat.task.release()  # nobody else wants it: Dask drops it, wherever it is

    async def _submit(self, engine: Engine) -> None:
        """Give Dask a task for each new sub-agent, all at once: each time costs the loop 1 ms."""
        try:
            workers = await self._workers()
            fresh = [seat for seat in self._fresh if self._seats.get(seat.id) is seat]
            self._fresh.clear()
            self._give(engine, fresh)
        except Exception as error:  # noqa: BLE001 -- a client that was closed says it in many ways
            self._fresh.clear()
            self._lose(engine, f"{type(error).__name__}: {one_line(error)}")
            return

        if self._books is not None:
            self._books.workers = workers

        for seat in () if workers else fresh:
            engine.log.add(seat.id, AgentPlaced(where="", number=0))

    async def _workers(self) -> int:
        """How many there are now."""
        client: Any = self._opened.client
        asking = client.scheduler.ncores()
        asked = asyncio.run_coroutine_threadsafe(asking, client.loop.asyncio_loop)
        return len(await asyncio.wrap_future(asked))

    def _give(self, engine: Engine, seats: list[Seat]) -> None:
        """Let Dask find them workers.

        Each is a group of its own. Of a large group Dask gives out a few tasks at a time, to
        whoever has a slot; sub-agents leave theirs at once, and the first worker would get most.
        """
        if not seats:
            return

        client: Any = self._opened.client
        ids = [seat.id for seat in seats]
        keys = [(f"kimi_nb-{uuid.uuid4().hex}", id) for id in ids]
        futures = client.map(live, [self._party] * len(ids), ids, keys, key=keys, pure=False)
        loop = asyncio.get_running_loop()

        for seat, future in zip(seats, futures, strict=True):
            seat.task = future
            future.add_done_callback(functools.partial(self._tell, loop, engine, seat))

    def _tell(
        self, loop: asyncio.AbstractEventLoop, engine: Engine, seat: Seat, future: Any
    ) -> None:
        """For a thread of Dask's: say how a task has ended."""
        error = _error_of(future)

        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._task_ended, engine, seat, error)

    async def close(self) -> None:
        if self._books is not None and self._post is not None:
            self._books.close()

            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(PARTING):
                    await self._post.drain()

            await self._post.close()

        await in_thread(self._opened.close)

    def _hear(self, sender: str, message: Message) -> None:
        if self._books is not None:
            self._books.hear(sender, message)

    async def _part(self, engine: Engine, seat: Seat) -> None:
        """Have it cancelled where it lives, and wait a little for its last facts."""
        if not seat.party or self._post is None:
            return

        self._dismiss(engine, seat)
        end = asyncio.get_running_loop().time() + PARTING

        # its own future is cancelled already: the seat says itself when the last fact is there
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(end):
                await seat.empty.wait()

    def _dismiss(self, engine: Engine, seat: Seat) -> None:
        """Have a life end that goes on somewhere, if one does."""
        if self._post is not None and seat.party and not seat.empty.is_set():
            why = engine.cancelled.get(seat.id, "")
            self._post.send(seat.party, {"op": "cancel", "agent": seat.id, "why": why})

    def _task_ended(self, engine: Engine, seat: Seat, error: BaseException | None) -> None:
        if error is None:  # its end is on its way, or was lost
            asyncio.get_running_loop().call_later(
                LATE, seat.fail, "its worker said nothing of its end"
            )
        elif getattr(error, "reason", "") == "scheduler-connection-lost":
            self._lose(engine, "the connection to its scheduler broke off")
        else:
            seat.fail(_words(error))

    def _lose(self, engine: Engine, why: str) -> None:
        """Nothing of the run goes on there. Its sub-agents have not failed: they were cut off."""
        for seat in list(self._seats.values()):
            seat.leave(engine.account)

        engine.stop(Stop("failed", f"the cluster is lost: {why}; resume it when it is back"))


def _error_of(future: Any) -> BaseException | None:
    """What has ended a task of Dask's, None if it has come to its end. It may wait for Dask."""
    if future.status == "finished":
        return None

    try:
        future.result(timeout=LATE)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 -- what it is, is the answer
        return error

    return None


def _words(error: BaseException) -> str:
    name = type(error).__name__

    if name == "KilledWorker":
        return "each worker that took it up was lost, one after the other"

    if "Cancelled" in name:
        return "somebody has cancelled its task on the cluster, or restarted the workers"

    return f"its worker could not run it: {name}: {' '.join(str(error).split())[:300]}"
