"""kimi_nb itself, with everything on: events, a log on disk, limiter, budgets, metrics."""

# ruff: noqa: E402 - the imports are what is timed
import time

began = time.perf_counter()
import kimi_nb as kn

import_s = time.perf_counter() - began

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import common

from kimi_nb.models.chat import ChatModel
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.runtime import runtime


@kn.tool
async def look(key: str) -> str:
    """Look up a key."""
    return common.looked(key)


class KimiNB:
    """`kn.swarm` as a user calls it; what it logs lies in a folder of this run."""

    def __init__(self, work: common.Work) -> None:
        self.number = 0
        self.plain: ChatModel | None = None
        self.budget = kn.Budget(
            agents=work.agents,
            steps=10 * work.agents * (work.longest + 2) + 10,
            critical_steps=10 * (work.longest + 3),
            tokens=10**10,
            usd=1e6,
            seconds=3600,
        )

    def start(self, work: common.Work) -> kn.Run:
        self.number += 1
        return kn.swarm(
            work.goal,
            **self.endpoint(work),
            tools=[look],
            max_agents=work.agents,
            max_steps=work.longest + 2,
            budget=self.budget,
            prices={"bench": kn.Price(1.0, 0.1, 4.0)},
            trace=Path(work.log or ".") / f"run-{self.number}.jsonl",
            early_start=work.early,
        )

    def endpoint(self, work: common.Work) -> dict[str, Any]:
        """The streamed endpoint as users name it; a plain one is a model of one's own."""
        if work.stream:
            return {"model": "bench", "base_url": work.url, "key": "sk-bench"}

        if self.plain is None:
            self.plain = ChatModel(
                "bench", base_url=work.url, key=Secret("sk-bench"), streaming=False
            )

        return {"model": self.plain}

    async def __call__(self, work: common.Work) -> str:
        run = await self.start(work)
        agents = run.metrics.agents - 1  # the orchestrator is one, too

        if run.status != "finished" or agents != work.agents:
            raise RuntimeError(f"{run.status}, {agents} sub-agents: {run.why}")

        return run.answer

    async def close(self) -> None:
        """A run closes the connections that it opened; those of a plain model are ours."""
        if self.plain is not None:
            await asyncio.wrap_future(runtime().spawn(self.plain.close()))


async def cancel(work: common.Work, swarm: Any) -> dict[str, Any]:
    """Cancel through the handle, and wait for the run's end in its own loop."""
    run = swarm.start(work)
    await asyncio.sleep(work.after)
    began = time.perf_counter()
    run.cancel()

    while not run.done:  # noqa: ASYNC110 - the handle has no event to wait for
        await asyncio.sleep(0.001)

    return {"cancel": time.perf_counter() - began, "status": run.status}


def ticking(lag: common.Lag) -> Future[None]:
    """The agents' loop is the one whose lag counts."""
    return runtime().spawn(lag.tick())


if __name__ == "__main__":
    common.main(common.Client(import_s, KimiNB, cancel, ticking, lambda: runtime().loop))
