"""One run on one worker: its model, its tools, its copy of the folder, and who lives there."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Self

from kimi_nb.errors import UsageFault
from kimi_nb.models.endpoint import is_moonshot, resolve
from kimi_nb.models.secret import Secret
from kimi_nb.redact import Environment, learn_environment
from kimi_nb.swarm.assignment import Assignment, Outcome
from kimi_nb.swarm.cluster.baggage import Baggage, Kit, unpack_model, unpack_tools
from kimi_nb.swarm.cluster.gate import RemoteGate
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.post import Post
from kimi_nb.swarm.cluster.remote import Life, RemoteAccount, RemoteLog
from kimi_nb.swarm.cluster.supply import Supply, SupplyingTools
from kimi_nb.swarm.engine import Engine, Stop
from kimi_nb.swarm.past import Past
from kimi_nb.swarm.subagent import outcome_here
from kimi_nb.tools.rights import NONE
from kimi_nb.tools.threads import in_thread
from kimi_nb.trace import Record, decode

__all__ = ["Stay"]

OVER = Stop("cancelled", "the run is over")


class Stay:
    """A run's sub-agents in one worker process. One event loop only."""

    def __init__(self, post: Post, kernel: str, where: str, folder: Path) -> None:
        self._post = post
        self._kernel = kernel
        self._where = where
        self._folder = folder
        self._lives: dict[str, tuple[Engine, asyncio.Task[Outcome]]] = {}

    async def open(self) -> Self:
        """Ask the kernel for all that the run needs. Raises what cannot be made here."""
        reply = await self._post.ask(self._kernel, {"op": "open"})
        baggage: Baggage = pickle.loads(reply["baggage"])  # noqa: S301 -- from our own kernel
        key = Secret.of(reply.pop("key", None))
        learn_environment()
        self._baggage = baggage

        if baggage.kit.keyed and key is None:
            key = _own_key(baggage.kit)

        tools = unpack_tools(baggage.kit.tools)
        self._model = unpack_model(baggage.kit.model, key)
        self._supply = await in_thread(functools.partial(Supply, self._folder))
        self._tools = SupplyingTools(tools, self._supply)
        self._gate = RemoteGate(self._post, baggage.kit.gate)
        self._facts = _records(baggage.facts)
        return self

    async def live(self, agent: str) -> None:
        """Let a sub-agent live here, and tell the kernel how it ended."""
        asked: Message = {
            "op": "begin",
            "agent": agent,
            "where": self._where,
            "has": self._supply.has,
        }
        begun = await self._post.ask(self._kernel, asked)

        if "gone" in begun:
            return

        life = Life(self._post, self._kernel, agent, begun["number"])
        engine, work = self._engine(life, begun)
        task = asyncio.create_task(
            self._outcome(engine, life, work, begun), name=f"kimi_nb {agent}"
        )
        self._lives[agent] = engine, task
        self._tools.lives[agent] = life

        try:
            await asyncio.wait({task})
            life.send(_ending(engine, task))
        finally:
            task.cancel()  # Dask may have given this up

            if self._lives.get(agent, (None, None))[1] is task:
                del self._lives[agent], self._tools.lives[agent]

    def cancel(self, agent: str, why: str) -> None:
        """End a sub-agent; `why` is "" where the run stops."""
        if agent not in self._lives:
            return

        engine, task = self._lives[agent]

        if why:
            engine.cancelled[agent] = why
        else:
            engine.stopped = OVER

        task.cancel()

    async def close(self) -> None:
        """End all that lives here, and free what the run held."""
        tasks = [task for _, task in self._lives.values()]

        for agent in list(self._lives):
            self.cancel(agent, "")

        if tasks:
            await asyncio.wait(tasks, timeout=2)

        for closing in (self._tools.close, self._model.close):
            with contextlib.suppress(Exception):
                await closing()

        await in_thread(self._supply.close)

    def _engine(self, life: Life, begun: Message) -> tuple[Engine, Assignment]:
        baggage = self._baggage
        work: Assignment = pickle.loads(begun["work"])  # noqa: S301 -- from our own kernel
        engine = Engine(
            log=RemoteLog(life, begun["t"], self._supply.log),
            model=self._model,
            limiter=self._gate,
            account=RemoteAccount(life, baggage.budget),
            tools=self._tools,
            past=Past([*self._facts, *_records(begun["records"])]),
            settings=replace(baggage.settings, folder=self._supply.folder),
            cache_key=baggage.cache_key,
        )
        return engine, work

    async def _outcome(
        self, engine: Engine, life: Life, work: Assignment, begun: Message
    ) -> Outcome:
        await self._supply.update(life, begun["files"])
        await self._supply.recall(life, engine.past.agent(life.agent))
        outcome = await outcome_here(engine, life.agent, work)

        if refused := await self._supply.push(life):
            return outcome._replace(text=f"{outcome.text}\n{refused}")

        return outcome


def _ending(engine: Engine, task: asyncio.Task[Outcome]) -> Message:
    if task.cancelled():
        outcome = Outcome("cancelled", "cancelled", NONE)
    elif (error := task.exception()) is not None:
        outcome = Outcome("failed", f"{type(error).__name__}: {error}", NONE)
    else:
        outcome = task.result()

    stop = engine.stopped if engine.stopped is not OVER else None
    return {
        "op": "ended",
        "kind": outcome.kind,
        "text": outcome.text,
        "labels": sorted(outcome.labels),
        "stop": stop and [stop.status, stop.why],
    }


def _own_key(kit: Kit) -> Secret:
    """A key of the worker's own. Raises UsageFault where its environment has none."""
    url = kit.base_url or ""
    names = "MOONSHOT_API_KEY" if is_moonshot(url) else f"MOONSHOT_API_KEY and KIMI_BASE_URL={url}"
    message = (
        f"it has no key of its own for {url}, and none is sent to it over an open network: set "
        f"{names} where the workers start, or use a scheduler at tls://"
    )

    try:
        endpoint = resolve(None, url, None, Environment())
    except UsageFault as error:
        raise UsageFault(f"{message} ({error})") from None

    if endpoint is None or endpoint.key is None:
        raise UsageFault(message)

    return endpoint.key


def _records(lines: bytes) -> list[Record]:
    return [decode(line) for line in lines.splitlines()]
