"""One row of `scale.py`, in a process of its own: does the work, measures itself, prints JSON.

The model lives in this process and answers after a latency, with messages as long as real ones.
With --view a widget follows the run, and what it sends is packed and signed as a kernel does it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

sys.path.append(str(Path(__file__).parent / "clients"))

import comm
from common import Lag
from scale_crew import Crew, by_hand, dispatched, look
from scale_view import SENT, Counted, Watched, shown

import kimi_nb as kn
from kimi_nb.events import StepBegan, StepEnded
from kimi_nb.swarm.runtime import runtime
from kimi_nb.trace import Record

FACTS = 5
"""Of a call, nearly."""


def rss() -> int:
    """Bytes in memory now (Linux)."""
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * resource.getpagesize()


def peak() -> int:
    """The most bytes in memory since `forget_peak` (Linux)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def loop_cpu() -> float:
    """CPU seconds of the agents' thread so far."""

    async def here() -> float:
        return time.thread_time()

    return runtime().spawn(here()).result()


def middle(run: kn.Run, path: Path, calls: int) -> dict[str, int]:
    """Facts in memory, and lines and bytes on disk, when about half of the calls are done."""
    while not run.done and len(run.records) < FACTS * calls // 2:
        time.sleep(0.02)

    facts, data = len(run.records), path.read_bytes()
    return {"facts": facts, "lines": data.count(b"\n") - 1, "bytes": len(data)}


def started(asked: argparse.Namespace, number: int, agents: int, calls: int) -> kn.Run:
    """A run of its own name, so that all of a process are held."""
    common: dict[str, Any] = {
        "tools": [look],
        "max_agents": agents,
        "name": f"run-{number}",
        "trace": Path(asked.log) / f"run-{number}.jsonl",
        "budget": kn.Budget(agents=agents, steps=10**9, critical_steps=10**9, tokens=10**12),
    }

    crew = Crew(dispatched(agents, calls), asked.latency if number else 0.0)
    return kn.swarm("Compare the museums.", model=crew, **common)


def floor(asked: argparse.Namespace) -> dict[str, Any]:
    """What the floor takes for one run."""
    stages = dispatched(asked.agents, asked.calls)
    burnt = time.process_time()
    asyncio.run(by_hand(Crew(stages, asked.latency), stages))
    return {"cpu": time.process_time() - burnt, "calls": asked.calls}


def measured(asked: argparse.Namespace) -> dict[str, Any]:
    """All runs, one after the other and all held, after one that warms up."""
    held = [started(asked, 0, 2, 6).result()]
    views = [Watched(held[0])] if asked.view else []
    time.sleep(0.3 if asked.view else 0)
    gc.collect()
    forget_peak()
    SENT.forget()
    before, burnt, looped, began = rss(), time.process_time(), loop_cpu(), time.monotonic()
    lag = Lag()
    ticker = runtime().spawn(lag.tick()) if asked.view else None
    half: dict[str, int] = {}

    for number in range(1, asked.runs + 1):
        run = started(asked, number, asked.agents, asked.calls)
        views += [Watched(run)] if asked.view else []
        half = middle(run, Path(run.path or ""), asked.calls)
        held.append(run.result())

    wall, cpu = time.monotonic() - began, time.process_time() - burnt
    looped = loop_cpu() - looped

    if ticker is not None:
        ticker.cancel()
        deadline = time.monotonic() + 30

        while not views[-1].ended and time.monotonic() < deadline:
            time.sleep(0.01)

    most = peak() - before
    gc.collect()
    kept = rss() - before
    path = Path(held[-1].path or "")
    return {
        "agents": asked.agents,
        "calls": sum(run.metrics.total_steps for run in held[1:]),
        "facts": sum(len(run.records) for run in held[1:]),
        "ok": all(_well(run, asked.agents) for run in held[1:]),
        "wall": wall,
        "cpu": cpu,
        "loop_cpu": looped,
        "peak": most,
        "kept": kept,
        "peak_rss": most + before,
        "disk": sum(Path(run.path or "").stat().st_size for run in held[1:]),
        "half": half | {"whole": path.stat().st_size},
        "lag_p99": lag.p99(),
        **shown(views[1:]),
    }


def _well(run: kn.Run, agents: int) -> bool:
    return run.status == "finished" and run.metrics.agents == agents + 1


def taken_up(asked: argparse.Namespace) -> dict[str, Any]:
    """The run of a killed process taken up: seconds to read it, and what was paid twice."""
    path = Path(asked.resume)
    had = len(kn.read(path))
    crew = Crew(dispatched(asked.agents, asked.calls), asked.latency)
    began, burnt = time.monotonic(), time.process_time()
    run = cast("kn.Run", kn.resume(path, model=crew, tools=[look]))
    back = time.monotonic() - began

    while not run.done and crew.calls == 0:
        time.sleep(0.001)

    first = time.monotonic() - began
    run.result()
    paid = Counter(_paid(run.records))
    return {
        "facts": had,
        "read_s": back,
        "first_s": first,
        "first_cpu": time.process_time() - burnt,
        "calls": len(paid),
        "again": crew.calls,
        "twice": sum(count - 1 for count in paid.values()),
        "begun_twice": _begun(run.records) - len(paid),
        "ok": _well(run, asked.agents),
    }


def _paid(records: Sequence[Record]) -> Iterator[tuple[str, int]]:
    for record in records:
        if isinstance(record.fact, StepEnded):
            yield record.agent, record.fact.step


def _begun(records: Sequence[Record]) -> int:
    return sum(isinstance(record.fact, StepBegan) for record in records)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--calls", type=int, default=150, help="of all sub-agents of a run")
    parser.add_argument("--runs", type=int, default=1, help="one after the other, all held")
    parser.add_argument("--latency", type=float, default=0.0, help="mean seconds of a call")
    parser.add_argument("--view", action="store_true", help="a widget follows, the loop is timed")
    parser.add_argument("--floor", action="store_true", help="the same work without kimi_nb")
    parser.add_argument("--log", default=".", help="folder for the logs")
    parser.add_argument("--resume", default="", metavar="FILE", help="the log of a killed run")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    cast("Any", comm).create_comm = Counted
    work = taken_up if asked.resume else floor if asked.floor else measured
    print(json.dumps(work(asked)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
