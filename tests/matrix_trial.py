"""A run against the mock platform, with I1 to I7 checked when it is over.

with Trial(tmp_path, team("a", "b"), faults=stalling("b")) as trial:
    run = trial.run(tools=[look])
    ...
    run.result(20)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from faults.kimi import KimiServer
from faults.log import Asked
from faults.mishaps import Fault, stall
from invariants import check_invariants, held, paid_calls
from scripted import call, calls, is_orchestrator, results, say

import kimi_nb as kn
from kimi_nb.events import AgentBegan, AgentEnded
from kimi_nb.models.base import Message
from kimi_nb.tools.sandbox import Sandbox

PATIENCE = 45.0
"""Seconds after which what should have happened has not."""


class Trial:
    """A mock platform, and the runs that it answers. When it ends, it checks the last of them."""

    counts = True
    """What the platform completed is what a client can have got: not so where one breaks off."""

    def __init__(self, folder: Path, brain: Any = None, **options: Any) -> None:
        self.path = folder / "run.jsonl"
        self.folder = folder
        self.server = KimiServer(brain, **options)
        self.runs: list[kn.Replay] = []

    def __enter__(self) -> Self:
        self._before = held()
        self.server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        for run in self.runs:
            if exc[0] is not None and isinstance(run, kn.Run):
                run.cancel()  # the next test must not find it at work

        self.server.__exit__(*exc)

        if exc[0] is None:
            for run in {run.path: run for run in self.runs}.values():
                self.check(run)

    def check(self, run: kn.Replay, *, over: bool = True) -> None:
        """I1 to I7, I4 when all is `over`. Of several logs, I6 holds of all together."""
        logs = {run.path: run for run in self.runs}
        alone = set(logs) <= {run.path}
        check_invariants(
            run,
            server=self.server if alone and self.counts else None,
            before=self._before if over else None,
            secrets=[key.secret for key in self.server.keys],
            paths=[self.folder],
        )
        paid = sum(paid_calls(each.trace) for each in logs.values())
        assert alone or paid == len(self.server.completed)

    def run(self, goal: str = "go", **options: Any) -> kn.Run:
        """One that has just been started."""
        self.runs.append(kn.swarm(goal, **self.options({"trace": self.path} | options)))
        return self.runs[-1]

    def resume(self, **options: Any) -> kn.Run:
        """The same, taken up in its log and carried to its end."""
        run = kn.resume(self.path, **self.options(options))
        assert isinstance(run, kn.Run)
        self.runs.append(run)
        return run.result(PATIENCE)

    def options(self, more: dict[str, Any]) -> dict[str, Any]:
        """Whom to ask, and with which key."""
        asked = {"base_url": self.server.base_url, "key": self.server.key, "model": "kimi-k3"}
        return asked | more


def team(*tasks: str, work: Callable[[str, list[str]], Any] | None = None) -> Any:
    """An orchestrator that assigns these tasks in one turn and joins what comes back.

    `work`: what a sub-agent says, from its task and the answers of its tools so far.
    """

    def think(messages: list[Message]) -> Any:
        got = results(messages)

        if not is_orchestrator(messages):
            task = messages[1]["content"]
            return work(task, got) if work else f"did {task}"

        if not got:
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        if len(got) == 1:
            return calls(*(call("assign_task", agent="w", prompt=task) for task in tasks))

        return say(" | ".join(got[1:]))

    return think


def three_steps(task: str, got: list[str]) -> Any:
    """What a sub-agent says that looks twice."""
    return f"did {task}" if len(got) == 2 else calls(call("look", n=len(got)))


TEAM = team("a", "b", "c", work=three_steps)
ANSWER = "did a | did b | did c"
CALLS = 12
"""Of a run of TEAM that nothing happens to."""


def stalling(*tasks: str) -> Callable[[Asked], Fault | None]:
    """Those who have these tasks hear nothing, not even a refusal."""
    return lambda asked: stall() if asked.task in tasks else None


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Return when it holds."""
    end = time.monotonic() + seconds

    while not condition():
        assert time.monotonic() < end, f"it did not happen in {seconds} s"
        time.sleep(0.005)


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def ends(run: kn.Replay) -> dict[str, tuple[str, str]]:
    """By task: how its agent ended, and with which words."""
    tasks = {r.agent: r.fact.task for r in run.trace if isinstance(r.fact, AgentBegan)}
    return {
        tasks[r.agent]: (r.fact.outcome, r.fact.text)
        for r in run.trace
        if isinstance(r.fact, AgentEnded)
    }


@pytest.fixture(scope="session")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the sandbox's library opens once for its process is nothing that a run leaves."""

    async def once() -> None:
        sandbox = Sandbox()
        await sandbox.run("1", tmp_path_factory.mktemp("warm"))
        await sandbox.close()

    asyncio.run(once())
