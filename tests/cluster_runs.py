"""Runs on a cluster of real processes against the mock platform, which counts what they pay for."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from cluster_processes import Cluster
from faults.kimi import KimiServer
from faults.log import Asked
from faults.mishaps import Fault, stall
from invariants import check_invariants
from matrix_trial import team, three_steps
from matrix_trial import until as _until
from processes import ENVIRONMENT

import kimi_nb as kn
from kimi_nb.events import AgentPlaced
from kimi_nb.swarm.cluster.switchboard import NAME, Switchboard

PATIENCE = 60.0
"""Seconds. Processes start slowly where others do too."""
TASKS = tuple("abcdef")
TEAM = team(*TASKS, work=three_steps)
ANSWER = " | ".join(f"did {task}" for task in TASKS)
CALLS = 3 + 3 * len(TASKS)
"""Of a run of TEAM that nothing happens to."""


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    return f"saw {n}"


@kn.tool(side_effects=True)
def jot(name: str, text: str, context: kn.ToolContext, like: str = "", times: int = 1) -> str:
    "Write a file, and say so beforehand."
    data = (context.folder / like).read_bytes() if like else text.encode() * times
    (context.folder / name).write_bytes(data)
    return "noted"


@kn.tool
def scribble(name: str, text: str, context: kn.ToolContext) -> str:
    "Write a file, and say nothing of it."
    (context.folder / name).write_text(text)
    return "noted"


@kn.tool
def peruse(context: kn.ToolContext) -> str:
    "All files, with what they hold."
    found = sorted(path for path in context.folder.rglob("*") if path.is_file())
    return "\n".join(f"{path.relative_to(context.folder)}={path.read_text()}" for path in found)


@kn.tool
def draw() -> kn.Image:
    "Draw a picture."
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(data, "PNG")
    return kn.Image(data.getvalue())


class Onstage:
    """A mock platform, a cluster, and a run on it.

    What is asked in `held` (by task and step) hears nothing the first time: it is the call in
    flight when something happens.
    """

    def __init__(self, cluster: Cluster, folder: Path, brain: Any = TEAM, **options: Any) -> None:
        self.cluster = cluster
        self.path = folder / "run.jsonl"
        self.folder = folder / "work"
        self.folder.mkdir()
        self.held: Callable[[Asked], bool] = lambda _: False
        self.server = KimiServer(brain, **{"faults": self._fault} | options)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.__exit__(*exc)

    def run(self, **more: Any) -> kn.Run:
        return kn.swarm("go", trace=self.path, folder=self.folder, **self._options(more))

    def resume(self, **more: Any) -> kn.Run:
        run = kn.resume(self.path, **self._options(more))
        assert isinstance(run, kn.Run)
        return run

    def kernel(self, **more: Any) -> Kernel:
        """The same run in a process of its own."""
        options = {"trace": str(self.path), "folder": str(self.folder), **self._options(more)}
        return Kernel({**options, "tools": None})

    def _options(self, more: dict[str, Any]) -> dict[str, Any]:
        asked = {"base_url": self.server.base_url, "key": self.server.key, "model": "kimi-k3"}
        return {**asked, "tools": [look], "cluster": self.cluster.address, **more}

    def _fault(self, asked: Asked) -> Fault | None:
        return stall() if asked.attempt == 1 and self.held(asked) else None

    def hold(self, which: Callable[[Asked], bool]) -> None:
        """Let others hang from now on, the first time that they are asked."""
        self.held = which

    def drop(self) -> None:
        """Break off what hangs."""
        self.server.down()
        self.server.up()

    def forget(self) -> None:
        """Begin anew, with an empty book."""
        self.path.unlink()
        self.server.log.clear()
        self.server._attempts.clear()

    @property
    def out(self) -> list[Asked]:
        """Calls that hang."""
        return [
            each for each in self.server.log if (each.fault, each.outcome) == ("stall", "in flight")
        ]

    def completed(self) -> Counter[tuple[str, int]]:
        """How often each step of each agent was answered to its end, by the platform's own book."""
        return Counter(map(step_of, self.server.completed))

    def check(self, run: kn.Replay, *, answer: str = ANSWER, again: int = 0) -> None:
        """It came to its end, in good order, and paid for no completed call twice."""
        assert (run.status, run.answer, run.why) == ("finished", answer, "")
        twice = {step: n for step, n in self.completed().items() if n > 1}
        assert len(twice) <= again, twice
        self.check_end(run)

    def check_end(self, run: kn.Replay) -> None:
        """What must hold of every run that has ended."""
        check_invariants(run, secrets=[self.server.key], paths=[self.folder.parent])

        if isinstance(run, kn.Run):
            account, found = run.engine.account, run.metrics
            assert (account._in_flight, account._held_tokens) == (0, 0)
            assert abs(account._held_usd) < 1e-9
            assert account.steps == found.total_steps
            assert account.tokens == found.tokens_in + found.tokens_out
            assert account.critical_steps == found.critical_steps


def step_of(asked: Asked) -> tuple[str, int]:
    """The agent, by its task, and which of its steps it is."""
    return asked.task, sum(1 for message in asked.messages if message["role"] == "assistant") + 1


def second(asked: Asked) -> bool:
    """Whether it is the second step of a sub-agent."""
    return step_of(asked)[1] == 2 and asked.task in TASKS


def lives(run: kn.Replay) -> dict[str, int]:
    """How often each sub-agent has begun on a worker."""
    return Counter(r.agent for r in run.trace if isinstance(r.fact, AgentPlaced) and r.fact.where)


def places(run: kn.Replay) -> dict[str, str]:
    """On which worker each sub-agent lives, or lived last."""
    placed = [r for r in run.trace if isinstance(r.fact, AgentPlaced) and r.fact.where]
    return {r.agent: r.fact.where for r in placed}


class Kernel:
    """A process with a run of its own."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(options)],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> list[str]:
        """Status, answer and why of its run."""
        out, _ = self._process.communicate(timeout=PATIENCE)
        return json.loads(out)


# Another machine, or what is as good as one


class Elsewhere:
    """A network namespace with a link of its own to this machine, and our endpoint's port in it."""

    def __init__(self, port: int) -> None:
        self._name = f"kn{os.getpid()}"
        self.before = ("ip", "netns", "exec", self._name)
        self._port = port

    def __enter__(self) -> Self:
        here, there = f"{self._name}a", f"{self._name}b"
        ip("netns", "add", self._name)

        try:
            ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self._name)
            ip("addr", "add", f"{HERE}/24", "dev", here)
            ip("-n", self._name, "addr", "add", f"{THERE}/24", "dev", there)
            ip("-n", self._name, "link", "set", there, "up")
            ip("-n", self._name, "link", "set", "lo", "up")
            self.mend()
        except BaseException:
            ip("netns", "del", self._name)
            raise

        self._relay = subprocess.Popen([*self.before, sys.executable, "-c", RELAY, str(self._port)])
        return self

    def __exit__(self, *exc: object) -> None:
        self._relay.kill()
        self._relay.wait()
        ip("netns", "del", self._name)

    def cut(self) -> None:
        """Nothing goes over the link, and neither side is told."""
        ip("link", "set", f"{self._name}a", "down")

    def mend(self) -> None:
        ip("link", "set", f"{self._name}a", "up")


HERE, THERE = "10.213.77.1", "10.213.77.2"
RELAY = f"""
import asyncio, sys

async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()

async def relay(reader, writer):
    try:
        there = await asyncio.open_connection({HERE!r}, int(sys.argv[1]))
    except OSError:
        writer.close()
    else:
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

async def main():
    server = await asyncio.start_server(relay, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""


def ip(*words: str) -> None:
    """The command of that name."""
    command = ["ip", *words]
    subprocess.run(command, check=True, capture_output=True)


# What the scheduler and the workers hold


def waiting(dask_scheduler: Any) -> dict[str, Any]:
    """For `run_on_scheduler`: tasks, parties, and permits that are out."""
    board: Switchboard | None = dask_scheduler.plugins.get(NAME)
    gates = board.gates if board else {}
    return {
        "tasks": [key for key in dask_scheduler.tasks if "kimi_nb" in key],
        "parties": sorted(board._boxes) if board else [],
        "permits": sum(gate.in_flight for gate in gates.values()),
        "queue": sum(gate.waiting for gate in gates.values()),
    }


def living(dask_worker: Any) -> list[str]:
    """For `client.run`: the tasks of sub-agents on a worker's loop, and its copies of folders."""
    import asyncio

    from kimi_nb.swarm.runtime import runtime

    async def tasks() -> list[str]:
        mine = asyncio.all_tasks() - {asyncio.current_task()}
        return [task.get_name() for task in mine if task.get_name().startswith("kimi_nb")]

    folder = Path(dask_worker.local_directory) / f"kimi_nb-{os.getpid()}"
    copies = [str(path) for path in folder.glob("*") if path.name != "contents"]
    return runtime().spawn(tasks()).result(PATIENCE) + copies


def until(condition: Callable[[], Any]) -> None:
    """Return when it holds."""
    _until(condition, PATIENCE)


def wait_until_idle(cluster: Cluster) -> None:
    """Return when nothing of any run is left on the cluster."""
    with cluster.client() as client:

        def idle() -> bool:
            held = client.run_on_scheduler(waiting)
            left = [each for found in client.run(living).values() for each in found]
            kernels = [party for party in held["parties"] if party.startswith("Client")]
            return not (held["tasks"] or held["permits"] or held["queue"] or kernels or left)

        until(idle)


def _main(options: dict[str, Any]) -> None:
    import kimi_nb

    path = options["trace"]
    options["tools"] = [look]

    if Path(path).exists():
        options = {k: v for k, v in options.items() if k not in {"trace", "folder"}}
        run = kimi_nb.resume(path, **options)
    else:
        run = kimi_nb.swarm("go", **options)

    try:
        if isinstance(run, kimi_nb.Run):
            run.result()
    except KeyboardInterrupt:
        pass

    sys.stdout.write(json.dumps([run.status, run.answer, run.why]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import cluster_runs  # so that its tools have a name that the workers know

    cluster_runs._main(json.loads(sys.argv[1]))
