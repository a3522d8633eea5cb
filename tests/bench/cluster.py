"""Sub-agents on a Dask cluster beside sub-agents in one kernel, and what a killed worker costs.

    python tests/bench/cluster.py               one kernel; 1, 2 and 4 workers (4 minutes)
    python tests/bench/cluster.py --quick       small: counts only
    python tests/bench/cluster.py --json        one JSON object on stdout

Scheduler and workers are processes of their own on loopback, one thread each; the kernel is this
process. The model is in every process, and waits. Three kinds of work:

- **waiting**: sub-agents that only wait for the model. No speed-up is expected: they do not
  compute. The physical limit is the time that one of them waits; what is longer is overhead.
- **computing**: each sub-agent calls a tool that computes for half a second in plain Python, and
  one kernel can do that once at a time. The limit is all computing divided by the cores. The
  peer is the same tool with `executor="processes"` in one kernel.
- **killed**: the waiting work on two workers, one of which gets SIGKILL in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from cluster_processes import Cluster, cluster

import kimi_nb as kn
from kimi_nb.events import AgentPlaced, StepBegan, StepEnded
from kimi_nb.models.base import Reply, Request, Sink, ToolCall, Usage

WORKERS = (1, 2, 4)
CORES = len(os.sched_getaffinity(0))


class Waiting:
    """A model that gives one turn to `agents` sub-agents, each of which takes `steps` turns."""

    name = "waiting"
    simulated = True

    def __init__(self, agents: int, steps: int, latency: float, tool: str = "touch") -> None:
        self.agents = agents
        self.steps = steps
        self.latency = latency
        self.tool = tool

    async def reply(self, request: Request, sink: Sink) -> Reply:
        await asyncio.sleep(self.latency)
        messages = request.conversation.messages
        turns = sum(message["role"] == "assistant" for message in messages)
        asked = self._asked(turns, orchestrator="orchestrator" in messages[0]["content"][:40])
        calls = tuple(
            ToolCall(index=n, id=f"c{turns}.{n}", name=name, arguments=json.dumps(arguments))
            for n, (name, arguments) in enumerate(asked)
        )

        for call in calls:
            sink.on_call(call)

        return Reply(
            text="" if calls else "done",
            thinking="",
            thinking_key="",
            calls=calls,
            finish="tool_calls" if calls else "stop",
            usage=Usage(tokens_in=500, tokens_out=50),
        )

    def _asked(self, turns: int, *, orchestrator: bool) -> list[tuple[str, dict[str, Any]]]:
        if not orchestrator:
            return [(self.tool, {})] if turns < self.steps - 1 else []

        match turns:
            case 0:
                return [("create_subagent", {"name": "w", "system_prompt": "Work."})]
            case 1:
                tasks = [str(n) for n in range(self.agents)]
                return [("map_task", {"agent": "w", "template": "{{item}}", "items": tasks})]
            case _:
                return []

    async def close(self) -> None:
        """Nothing is open."""


def compute() -> str:
    """Compute for about half a second in plain Python."""
    total = 0

    for number in range(ROUNDS):
        total += number * number

    return str(total)


def touch() -> str:
    """Do next to nothing."""
    return "ok"


ROUNDS = 0
SECONDS = 0.5
"""That `compute` takes."""


def calibrate() -> None:
    """Find how many rounds take `compute` that long on this core."""
    globals()["ROUNDS"] = 1_000_000
    globals()["ROUNDS"] = int(1_000_000 * SECONDS / min(_timed() for _ in range(3)))


def _timed() -> float:
    began = time.process_time()
    compute()
    return time.process_time() - began


def cpu_of(made: Cluster | None) -> dict[str, float]:
    """CPU seconds of each kind of process so far."""
    here = time.process_time()

    if made is None:
        return {"kernel": here}

    def of(process: Any) -> float:
        times = psutil.Process(process.pid).cpu_times()
        return times.user + times.system

    living = [worker for worker in made.workers if worker.poll() is None]
    return {
        "kernel": here,
        "scheduler": of(made.scheduler),
        "workers": sum(map(of, living)),
    }


def run(model: Waiting, folder: Path, made: Cluster | None, **options: Any) -> dict[str, Any]:
    """One run: its seconds from start to end, and CPU by process."""
    before = cpu_of(made)
    done = kn.swarm(
        "go",
        model=model,
        folder=folder / "empty",
        trace=folder / f"{time.monotonic_ns()}.jsonl",
        max_agents=model.agents,
        cluster=made and made.address,
        **options,
    ).result()
    calls = sum(isinstance(record.fact, StepEnded) for record in done.trace)
    assert done.status == "finished", done.why
    assert calls == model.agents * model.steps + 3, calls
    spent = {name: after - before[name] for name, after in cpu_of(made).items()}
    return {"seconds": done.seconds, "calls": calls, "cpu_s": spent}


def waiting(place: str, made: Cluster | None, folder: Path, agents: int) -> dict[str, Any]:
    """Sub-agents that wait: calls a second, and CPU a call in each kind of process."""
    model = Waiting(agents, 6, 0.5)
    run(Waiting(2, 2, 0.01), folder, made, tools=[touch])  # imports, connections
    found = run(model, folder, made, tools=[touch])
    calls, seconds = found["calls"], found["seconds"]
    return {
        "place": place,
        "calls": calls,
        "run_s": round(seconds, 2),
        "over_ideal": round(seconds / ((3 + model.steps) * model.latency), 2),
        "calls_per_s": round(calls / seconds),
        "cpu_ms_per_call": {k: round(1e3 * v / calls, 2) for k, v in found["cpu_s"].items()},
    }


def computing(
    place: str, made: Cluster | None, folder: Path, agents: int, tool: Any = compute
) -> dict[str, Any]:
    """Sub-agents that compute half a second each."""
    run(Waiting(2, 2, 0.01), folder, made, tools=[touch])
    found = run(Waiting(agents, 2, 0.01, "compute"), folder, made, tools=[tool])
    ideal = agents * SECONDS / CORES
    return {
        "place": place,
        "run_s": round(found["seconds"], 2),
        "over_ideal": round(found["seconds"] / ideal, 2),
    }


def killed(folder: Path, agents: int) -> dict[str, Any]:
    """Two workers, one of which dies when every sub-agent has taken a step."""
    model = Waiting(agents, 8, 0.3)

    with cluster(workers=2) as made:
        run(Waiting(2, 2, 0.01), folder, made, tools=[touch])
        quiet = run(model, folder, made, tools=[touch])
        begun = kn.swarm(
            "go",
            model=model,
            tools=[touch],
            folder=folder / "empty",
            trace=folder / "killed.jsonl",
            max_agents=agents,
            cluster=made.address,
        )

        while len([r for r in list(begun.records) if isinstance(r.fact, StepEnded)]) < 2 * agents:
            time.sleep(0.005)

        at = begun.seconds
        made.workers[0].send_signal(signal.SIGKILL)
        begun.result()

    records = list(begun.trace)
    again = _first_again(records)
    steps = [(r.agent, r.fact.step) for r in records if isinstance(r.fact, StepEnded)]
    return {
        "sub_agents": agents,
        "moved": len(again),
        "first_step_again_s": round(min(again) - at, 2),
        "last_step_again_s": round(max(again) - at, 2),
        "run_s": round(begun.seconds, 2),
        "undisturbed_s": round(quiet["seconds"], 2),
        "calls_paid_twice": len(steps) - len(set(steps)),
        "status": begun.status,
    }


def _first_again(records: list[Any]) -> list[float]:
    """When each sub-agent that was moved took its first step elsewhere."""
    moved: set[str] = set()
    first: dict[str, float] = {}

    for record in records:
        if isinstance(record.fact, AgentPlaced) and record.fact.where and record.fact.number > 1:
            moved.add(record.agent)
        elif isinstance(record.fact, StepBegan) and record.agent in moved:
            first.setdefault(record.agent, record.t)

    return list(first.values())


def measure(*, quick: bool) -> dict[str, Any]:
    """All three kinds of work everywhere."""
    many, few = (4, 2) if quick else (200, 16)
    calibrate()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        apart = kn.tool(executor="processes")(compute)
        waited = [waiting("one kernel", None, folder, many)]
        computed = [
            computing("one kernel", None, folder, few),
            computing("one kernel, executor=processes", None, folder, few, apart),
        ]

        for count in (1,) if quick else WORKERS:
            place = f"{count} worker{'s' if count > 1 else ''}"

            with cluster(workers=count) as made:
                waited.append(waiting(place, made, folder, many))
                computed.append(computing(place, made, folder, few))

        for row in computed:
            row["speed_up"] = round(computed[0]["run_s"] / row["run_s"], 2)

        lost = killed(folder, 4 if quick else 40)

    return {"cores": CORES, "waiting": waited, "computing": computed, "killed": lost}


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The figures as text."""
    for what in ("waiting", "computing"):
        yield what
        yield from ("  " + "  ".join(f"{k}={v}" for k, v in row.items()) for row in found[what])

    yield "killed"
    yield "  " + "  ".join(f"{k}={v}" for k, v in found["killed"].items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(quick=asked.quick)
    sys.stdout.write((json.dumps(found) if asked.json else "\n".join(lines(found))) + "\n")


if __name__ == "__main__":
    main()
