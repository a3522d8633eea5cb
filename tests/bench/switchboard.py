"""What messages and permits cost over a Dask scheduler of its own, on loopback; nothing is judged.

python tests/bench/switchboard.py
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
from distributed import Client

sys.path.insert(0, str(Path(__file__).parents[1]))

from cluster_parties import Party, party, until
from cluster_processes import cluster

from kimi_nb.swarm.cluster.gate import RemoteGate
from kimi_nb.swarm.cluster.post import install
from kimi_nb.swarm.runtime import runtime

Work = Callable[[], Awaitable[object]]


class Meter:
    """Prints how long something took, and the scheduler's CPU time in it."""

    def __init__(self, scheduler: int) -> None:
        self._process = psutil.Process(scheduler)

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    async def measure(self, what: str, count: int, work: Work) -> None:
        cpu, begun = self._cpu(), time.perf_counter()
        await work()
        wall, cpu = time.perf_counter() - begun, self._cpu() - cpu
        each = f"{1e6 * wall / count:8.0f} µs each, {1e6 * cpu / count:7.0f} µs of the scheduler's"
        print(f"{what:58} {count / wall:9,.0f} /s {each} CPU")  # noqa: T201


async def sent(here: Party, there: Party, count: int, size: int) -> None:
    """All at once: what comes meanwhile travels together."""
    there.heard.clear()

    for number in range(count):
        here.post.send(there.name, {"text": number, "more": bytes(size)})

    await until(lambda: len(there.heard) == count)


async def asked(here: Party, there: Party, count: int, at_once: int) -> None:
    async def agent() -> None:
        for number in range(count // at_once):
            await here.post.ask(there.name, {"text": number})

    await asyncio.gather(*(agent() for _ in range(at_once)))


async def called(gates: list[RemoteGate], count: int, at_once: int) -> None:
    async def agent(gate: RemoteGate) -> None:
        for _ in range(count // at_once):
            await gate.acquire(100)
            gate.release(100, 100, None)

    await asyncio.gather(*(agent(gates[number % len(gates)]) for number in range(at_once)))


async def idle(client: Client, meter: Meter, parties: int, seconds: int) -> None:
    many = [await party(client, f"idle {number}") for number in range(parties)]
    await asyncio.sleep(1.0)
    work = lambda: asyncio.sleep(seconds)  # noqa: E731
    await meter.measure(f"seconds with {parties} parties that have nothing to say", seconds, work)
    await asyncio.gather(*(each.post.close() for each in many))


async def main(clients: list[Client], meter: Meter) -> None:
    here, there = [await party(client) for client in clients]
    gates = [RemoteGate(each.post, "bench") for each in (here, there)]
    works: list[tuple[str, int, Callable[..., Any], tuple[Any, ...]]] = [
        ("messages of 200 bytes", 50_000, sent, (here, there, 50_000, 200)),
        ("messages of 100,000 bytes", 2_000, sent, (here, there, 2_000, 100_000)),
        ("questions and answers, one at a time", 500, asked, (here, there, 500, 1)),
        ("questions and answers, 100 at once", 20_000, asked, (here, there, 20_000, 100)),
        ("permits of the limiter, one at a time", 500, called, (gates, 500, 1)),
        ("permits of the limiter, 100 at once, 2 clients", 20_000, called, (gates, 20_000, 100)),
    ]

    for what, count, work, details in works:
        await meter.measure(what, count, lambda work=work, details=details: work(*details))

    gates[0].restrict(concurrency=8)
    await meter.measure("the same where 8 may go at once", 5_000, lambda: called(gates, 5_000, 100))
    await here.post.close()
    await there.post.close()

    for parties in (0, 100):
        await idle(clients[0], meter, parties, 20)


if __name__ == "__main__":
    with cluster(workers=0) as made, made.client() as one, made.client() as two:
        install(one)
        runtime().spawn(main([one, two], Meter(made.scheduler.pid))).result()
