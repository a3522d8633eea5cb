"""What every client of the benchmark does alike: read its work, measure itself, print JSON.

A client is a script that times its own imports and hands `main` a `build(work)`, which returns
the coroutine function that does the work once and returns the orchestrator's answer.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.request import urlopen

__all__ = [
    "ORCHESTRATOR",
    "WORKER",
    "Client",
    "Lag",
    "Swarm",
    "Work",
    "looked",
    "main",
    "server_stats",
]

ORCHESTRATOR = "Split the goal into tasks, assign each, and join what comes back."
WORKER = "Do the task with your tools. Answer briefly."
TICK = 0.005


@dataclass(frozen=True, slots=True)
class Work:
    """W(agents, calls, the server's latency)."""

    url: str
    """Base URL that ends in /v1."""
    agents: int
    calls: int
    most: int
    """Sub-agents make `calls` to `most` calls each; 0: all make `calls`."""
    stream: bool
    mode: str
    """"run", "cancel" (in the middle), or "lone": no ticker beside one agent."""
    after: float
    """Seconds from the start to the cancel."""
    early: bool
    """Sub-agents start while the orchestrator's turn still streams, where the client can."""
    log: str
    """Folder for logs."""

    @property
    def goal(self) -> str:
        span = f"{self.calls}-{self.most}" if self.most else str(self.calls)
        return f"Fan out to {self.agents} sub-agents of {span} calls, then join."

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    @property
    def longest(self) -> int:
        return max(self.calls, self.most)


class Swarm(Protocol):
    """A client, ready to work."""

    def __call__(self, work: Work, /) -> Coroutine[Any, Any, str]:
        """The orchestrator's answer."""
        ...

    async def close(self) -> None: ...


class Looks:
    """The calls of the tool so far; `timed` notes the CPU time of each, which costs a syscall."""

    def __init__(self) -> None:
        self.count = 0
        self.timed = False
        self.cpu: list[float] = []

    def clear(self, *, timed: bool) -> None:
        self.count, self.timed, self.cpu = 0, timed, []

    def turn_costs(self) -> list[float]:
        """CPU seconds from one call to the next: a turn's cost, where one agent is alone."""
        return [b - a for a, b in itertools.pairwise(self.cpu)]


looks = Looks()


def looked(key: str) -> str:
    """The body of the tool: as good as nothing."""
    looks.count += 1

    if looks.timed:
        looks.cpu.append(time.process_time())

    return f"value of {key}"


class Lag:
    """How late a 5 ms ticker comes: what else on this loop has to wait."""

    def __init__(self) -> None:
        self.samples: list[float] = []

    async def tick(self) -> None:
        loop = asyncio.get_running_loop()

        while True:
            start = loop.time()
            await asyncio.sleep(TICK)
            self.samples.append(loop.time() - start - TICK)

    def p99(self) -> float:
        """Seconds; 0 with no samples."""
        ordered = sorted(self.samples)
        return ordered[int(len(ordered) * 0.99)] if ordered else 0.0


def server_stats(work: Work) -> dict[str, Any]:
    with urlopen(f"{work.root}/stats") as reply:  # noqa: S310 - our own server on 127.0.0.1
        return json.load(reply)


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def cancel_task(work: Work, swarm: Swarm) -> dict[str, Any]:
    """Cancel as asyncio does it."""
    task = asyncio.create_task(swarm(work))
    await asyncio.sleep(work.after)
    start = time.perf_counter()
    task.cancel()
    await asyncio.wait([task])
    return {"cancel": time.perf_counter() - start, "status": "cancelled"}


def tick_here(lag: Lag) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(lag.tick())


@dataclass(frozen=True, slots=True)
class Client:
    """What a client's script hands over."""

    import_s: float
    """Seconds that its imports took."""
    build: Callable[[Work], Swarm]
    cancel: Callable[[Work, Swarm], Awaitable[dict[str, Any]]] = cancel_task
    ticking: Callable[[Lag], Any] = tick_here
    """Starts the ticker on the loop in which the agents run; what it returns has `cancel`."""
    loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.get_running_loop


async def run_once(client: Client, work: Work, swarm: Swarm) -> dict[str, Any]:
    """Do the work and measure it: seconds, CPU seconds, the loop's lag."""
    lag = Lag()
    ticker = None if work.mode == "lone" else client.ticking(lag)
    looks.clear(timed=work.mode == "lone")
    start, burnt = time.perf_counter(), cpu()
    answer = await swarm(work)
    wall, burnt = time.perf_counter() - start, cpu() - burnt

    if ticker is not None:
        ticker.cancel()

    return {
        "wall": wall,
        "cpu": burnt,
        "lag_p99": lag.p99(),
        "answer": answer,
        "ok": answer.endswith(f"joined {work.agents} of {work.agents}"),
        "looks": looks.count,
        "turn_cpu": looks.turn_costs(),
    }


async def cancelled(client: Client, work: Work, swarm: Swarm) -> dict[str, Any]:
    """Cancel in mid-run, then ask the server what is still going on, at once and a second on."""
    row = await client.cancel(work, swarm)
    at_once = await asyncio.to_thread(server_stats, work)
    await asyncio.sleep(1)
    later = await asyncio.to_thread(server_stats, work)
    loop = client.loop()
    tasks = len(asyncio.all_tasks(loop)) - (loop is asyncio.get_running_loop())
    sent = later["calls"] - at_once["calls"]
    return row | {"in_flight": later["in_flight"], "sent_after": sent, "tasks": tasks, "ok": True}


async def everything(client: Client, work: Work) -> dict[str, Any]:
    """Warm up with one sub-agent, so that imports on first use cost none of the run, then run."""
    start = time.perf_counter()
    swarm = client.build(work)

    try:
        await swarm(replace(work, agents=1, calls=1, most=0))
        first = time.perf_counter() - start
        return await between_stats(client, work, swarm) | {"first": first}
    finally:
        await swarm.close()


async def between_stats(client: Client, work: Work, swarm: Swarm) -> dict[str, Any]:
    """What was measured here, and what the server counted meanwhile."""
    before = server_stats(work)
    measured = cancelled if work.mode == "cancel" else run_once
    row = await measured(client, work, swarm)
    after = server_stats(work)
    return row | {
        "calls": after["calls"] - before["calls"],
        "server_cpu": after["cpu"] - before["cpu"],
        "refused": after["refused"] - before["refused"],
        "late": (after["late"] - before["late"]) / max(1, after["calls"] - before["calls"]),
    }


def arguments() -> Work:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--calls", type=int, default=15)
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--mode", default="run", choices=["run", "cancel", "lone"])
    parser.add_argument("--after", type=float, default=0.0)
    parser.add_argument("--early", action="store_true")
    parser.add_argument("--log", default="")
    return Work(**vars(parser.parse_args()))


def main(client: Client) -> None:
    """Do what the command line says and print one JSON line; exceptions are the driver's."""
    row = asyncio.run(everything(client, arguments()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row |= {"import": client.import_s, "rss": peak / (2**20 if sys.platform == "darwin" else 1024)}
    print(json.dumps(row), flush=True)  # noqa: T201
