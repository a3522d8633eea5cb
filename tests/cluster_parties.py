"""Parties of a switchboard for tests: who notes what it hears, and what runs inside workers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

from distributed import Client, LocalCluster, get_worker

from kimi_nb.swarm.cluster.gate import RemoteGate
from kimi_nb.swarm.cluster.post import Post, install
from kimi_nb.swarm.cluster.switchboard import NAME, Switchboard
from kimi_nb.swarm.runtime import runtime

WAIT_S = 50.0


class Party:
    """A post that notes what it hears, by sender, and answers every question with its own words."""

    def __init__(self, rpc: Any, loop: Any, name: str) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.post = Post(rpc, loop, name, self._hear)

    def _hear(self, sender: str, message: dict[str, Any]) -> None:
        self.heard.append((sender, message))

        if "ask" in message:
            self.post.answer(sender, message, {"you said": message["text"]})

    @property
    def name(self) -> str:
        return self.post.party

    def of(self, sender: str) -> list[Any]:
        """The texts that came from one sender."""
        return [message["text"] for who, message in self.heard if who == sender]

    @property
    def losses(self) -> set[str]:
        """Whom it was told to be lost."""
        return {message["party"] for who, message in self.heard if not who}


async def party(client: Client, word: str = "") -> Party:
    """A party of this client, opened."""
    name = f"{client.id}#{word}" if word else client.id
    made = Party(client.scheduler, client.loop.asyncio_loop, name)
    await made.post.open()
    return made


async def until(ready: Callable[[], object]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(WAIT_S):
        while not ready():  # noqa: ASYNC110 -- nothing tells it
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def at_home(protocol: str = "tcp://") -> AsyncIterator[tuple[Client, Switchboard]]:
    """A scheduler on this very event loop, and its switchboard to look into."""
    async with (
        LocalCluster(
            n_workers=0,
            processes=False,
            protocol=protocol,
            host="127.0.0.1" if protocol == "tcp://" else None,
            dashboard_address="127.0.0.1:0",
            asynchronous=True,
        ) as local,
        Client(local, asynchronous=True, set_as_default=False) as client,
    ):
        await install(client)
        found = local.scheduler.plugins[NAME]
        assert isinstance(found, Switchboard)
        yield client, found


async def cut(client: Client, random: Random) -> int:
    """Break comms of the client's pool, in use or not, without a goodbye; how many."""

    async def work() -> int:
        pools = client.rpc.occupied, client.rpc.available
        comms = [comm for pool in pools for each in pool.values() for comm in each]
        chosen = [comm for comm in comms if random.random() < 0.7]

        for comm in chosen:
            comm.abort()

        return len(chosen)

    there = asyncio.run_coroutine_threadsafe(work(), client.loop.asyncio_loop)
    return await asyncio.wrap_future(there)


def in_workers(client: Client, function: Callable[..., str], *args: Any) -> list[str]:
    """What a task of its own on each worker returns."""
    workers = list(client.scheduler_info(n_workers=-1)["workers"])
    tasks = [client.submit(function, *args, workers=[each], pure=False) for each in workers]
    return client.gather(tasks)


def echo() -> str:
    """For a worker's task: be a party that answers; its name."""
    worker = get_worker()

    async def opened() -> str:
        made = Party(worker.scheduler, worker.loop.asyncio_loop, f"{worker.address}#echo")
        await made.post.open()
        worker.kimi_nb_test = made
        return made.name

    return runtime().spawn(opened()).result(WAIT_S)


def hold(key: str, permits: int) -> str:
    """For a worker's task: take so many permits of a gate, queue up for another, and keep them."""
    worker = get_worker()

    async def held() -> str:
        name = f"{worker.address}#held"
        made = Party(worker.scheduler, worker.loop.asyncio_loop, name)
        await made.post.open()
        gate = RemoteGate(made.post, key)

        for _ in range(permits):
            await gate.acquire(1)

        queued = asyncio.Event()
        worker.kimi_nb_test = made, asyncio.create_task(gate.acquire(1, queued=queued.set))
        await queued.wait()
        return name

    return runtime().spawn(held()).result(WAIT_S)
