"""A worker process's side: the sub-agents of all runs that Dask has put there, on one loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.post import Post
from kimi_nb.swarm.cluster.stay import Stay
from kimi_nb.swarm.runtime import runtime

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["live"]


async def live(kernel: str, agent: str, key: tuple[str, str]) -> None:
    """Let a sub-agent of that kernel live here until it ends. The task `key` that Dask is given.

    It leaves its slot to others at once, as `distributed.secede` has a thread do: so this
    process has no thread for each sub-agent, which Dask would profile a hundred times a second.
    """
    from distributed import get_worker
    from distributed.worker_state_machine import SecedeEvent

    worker = get_worker()
    left = SecedeEvent(key=key, compute_duration=0.0, stimulus_id=f"kimi_nb {agent}")
    worker.handle_stimulus(left)
    await asyncio.wrap_future(runtime().spawn(_live(worker, kernel, agent)))


async def _live(worker: Worker, kernel: str, agent: str) -> None:
    crews = _crews()
    crew = crews.get(worker.address)

    if crew is None or crew.is_lost:
        crew = crews[worker.address] = Crew(worker)

    await crew.live(kernel, agent)


@functools.cache
def _crews() -> dict[str, Crew]:
    """By worker: a process has more than one only in tests."""
    return {}


class Crew:
    """What a worker process shares: its way to the kernels, and the runs that it takes part in."""

    def __init__(self, worker: Worker) -> None:
        # a name of its own each time: what was meant for one that was lost is not for the next
        party = f"{worker.address}#{os.getpid()}.{secrets.token_hex(4)}"
        loop: Any = worker.loop
        self._post = Post(worker.scheduler, loop.asyncio_loop, party, self._hear)
        self._post.lost.add_done_callback(lambda _: self._leave_all())
        self._where = str(worker.name)
        self._folder = Path(worker.local_directory) / f"kimi_nb-{os.getpid()}"
        self._opening = asyncio.create_task(self._post.open())
        self._stays: dict[str, asyncio.Task[Stay]] = {}

    @property
    def is_lost(self) -> bool:
        """Whether it can take part in nothing any more."""
        opening = self._opening
        failed = opening.done() and (opening.cancelled() or opening.exception() is not None)
        return failed or self._post.lost.done()

    async def live(self, kernel: str, agent: str) -> None:
        """As the function of that name.

        Raises Reschedule where the scheduler has lost sight of this worker, or is lost itself.
        """
        from distributed import Reschedule

        await asyncio.shield(self._opening)

        try:
            await self._live(kernel, agent)
            await self._post.drain()
        except ConnectionError as error:
            if self._post.lost.done():
                raise Reschedule from error

            # else it is the kernel that is lost: nobody waits for this

    async def _live(self, kernel: str, agent: str) -> None:
        staying = self._stays.get(kernel)

        if staying is None:
            stay = Stay(self._post, kernel, self._where, self._folder)
            staying = self._stays[kernel] = asyncio.create_task(stay.open())

        try:
            stay = await asyncio.shield(staying)
        except ConnectionError:
            self._forget(kernel, staying)
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, the agent has to hear of it
            self._forget(kernel, staying)
            why = f"the worker {self._where} cannot take part: {type(error).__name__}: {error}"
            self._post.send(kernel, {"op": "unable", "agent": agent, "why": why})
        else:
            await stay.live(agent)

    def _forget(self, kernel: str, staying: asyncio.Task[Stay]) -> None:
        if self._stays.get(kernel) is staying:
            del self._stays[kernel]

    def _hear(self, sender: str, message: Message) -> None:
        match message["op"]:
            case "lost":
                self._leave(message["party"])
            case "close":
                self._leave(sender)
            case "cancel" if (staying := self._stays.get(sender)) and staying.done():
                with contextlib.suppress(Exception):
                    staying.result().cancel(message["agent"], message["why"])
            case _:
                pass

    def _leave_all(self) -> None:
        for kernel in list(self._stays):
            self._leave(kernel)

    def _leave(self, kernel: str) -> None:
        """The run is over, or its kernel is gone."""
        staying = self._stays.pop(kernel, None)

        if staying is not None:
            leaving = asyncio.create_task(_left(staying))
            leaving.add_done_callback(_KEPT.discard)
            _KEPT.add(leaving)


_KEPT: set[asyncio.Task[None]] = set()
"""Tasks that nobody awaits: the loop itself holds them weakly."""


async def _left(staying: asyncio.Task[Stay]) -> None:
    with contextlib.suppress(Exception):
        await (await staying).close()
