"""Two ways to a run: start one, read one. The third, `resume`, has a file of its own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_nb._version import __version__
from kimi_nb.errors import ClusterLost, UsageFault
from kimi_nb.events import RunBegan, TrainingBegan
from kimi_nb.models.base import Model
from kimi_nb.models.rules import Manner, Rules
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.asked import (
    Plan,
    UserTools,
    all_prices,
    at_least_one,
    fits_plan,
    holds_run,
    mode_of,
    new_path,
    price_of,
    toolset_of,
    ways_on,
    working_folder,
)
from kimi_nb.swarm.budget import Account, Budget
from kimi_nb.swarm.connect import Connection, Limits, connect
from kimi_nb.swarm.engine import Engine, Judge, Place, Settings, Stop
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.orchestrate import run_to_end
from kimi_nb.swarm.past import Past
from kimi_nb.swarm.plan import Task, parse_plan
from kimi_nb.swarm.runtime import GRACE, runtime
from kimi_nb.swarm.saved import options_of, this_process
from kimi_nb.swarm.subagent import one_line
from kimi_nb.tools import Toolset
from kimi_nb.tools.render import clean
from kimi_nb.trace import Log, read
from kimi_nb.views.fold import training_fault
from kimi_nb.views.prices import Price

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from kimi_nb.models.simulator import Options

__all__ = ["launch", "place_on", "replay", "runs", "swarm"]


def swarm(  # noqa: PLR0913 -- the one front door; all but the goal have defaults
    goal: str,
    *,
    name: str = "swarm",
    model: str | Model | None = None,
    base_url: str | None = None,
    key: str | Secret | None = None,
    client: AsyncOpenAI | None = None,
    tools: UserTools = (),
    max_agents: int = 20,
    budget: Budget | None = None,
    limits: Limits | None = None,
    single: bool = False,
    plan: Plan | None = None,
    folder: str | Path = ".",
    trace: str | Path | None = None,
    prices: Mapping[str, Price] | None = None,
    seed: int = 0,
    early_start: bool = True,
    max_steps: int = 100,
    max_tokens: int = 16_384,
    thinking: str | None = None,
    rules: Iterable[Rules] = (),
    simulator: Options | None = None,
    judge: Judge | None = None,
    cluster: object = None,
) -> Run:
    """Start a run and return its handle at once: `await` it, or call `.result()`.

    `model`: an id, or anything that satisfies `models.base.Model`; without one, a key or a
    `base_url` the simulator answers. "parl:CHECKPOINT": a trained policy is its orchestrator.
    `client`: an `AsyncOpenAI` of one's own to call through. `single`: one agent does it all
    alone. `plan`: an explicit task graph, see `swarm.plan`. `folder`: what the file tools see.
    `trace`: the log file; a new one below `.kimi_nb/runs` if left out. `limits`: what the
    endpoint allows, for all runs of the kernel. `prices`: USD per 1M tokens by model id, beside
    the known ones. `thinking`: how much, where the model can be told: "low", "high", "max", "on"
    or "off". `rules`: rows that go before those of the table in `models.rules`. `tools`: beside
    the standard ones, functions, tools, and names of what comes with kimi_nb, such as
    "write_file"; a Toolset is taken as it is, instead of them. `judge`: grades the answer by a
    truth that no model sees, as a world does. `cluster`: sub-agents live on the workers of a
    Dask cluster; the scheduler's address, or a `distributed.Client`.

    Raises UsageFault if this cannot be done as asked.
    """
    key = Secret.of(key)
    settings = Settings(
        mode=mode_of(goal, single=single, plan=plan),
        max_agents=at_least_one("max_agents", max_agents),
        max_steps=at_least_one("max_steps", max_steps),
        max_tokens=at_least_one("max_tokens", max_tokens),
        thinking=thinking,
        early_start=early_start,
        seed=seed,
        folder=working_folder(folder),
    )
    toolset = toolset_of(tools)
    manner = Manner(thinking, tuple(rules))
    budget = budget or Budget()
    connection = connect(
        model, base_url, key, client, simulator, limits, manner, budget.critical_steps
    )
    goal = clean(goal)  # only now are all keys known that may stand in it
    tasks = parse_plan(plan) if plan is not None else []
    fits_plan(tasks, max_agents)
    account = Account(budget, price_of(connection, prices))

    if trace is not None and holds_run(Path(trace)):
        message = f"{trace} holds a run already; to go on with it: {ways_on(trace)}"
        raise UsageFault(message)

    place = place_on(cluster, connection, toolset)
    began = RunBegan(
        goal=goal,
        model=connection.model.name,
        simulated=connection.model.simulated,
        seed=seed,
        started=time.time(),
        version=__version__,
        options=options_of(settings, connection, account.budget, toolset, tasks, judge),
        process=this_process(),
    )

    try:
        log = Log(trace if trace is not None else new_path(name))
    except BaseException:
        if place is not None:
            runtime().spawn(place.close()).result()

        raise

    log.add("", began)
    return launch(
        log, connection, account, toolset, settings, goal, tasks, name, prices, judge, place
    )


def place_on(cluster: object, connection: Connection, toolset: Toolset) -> Place | None:
    """Where the sub-agents of a run live; None: here. Raises UsageFault."""
    if cluster is None or cluster == "":
        return None

    from kimi_nb.swarm.cluster import join

    return join(cluster, connection, toolset)


def replay(path: str | Path) -> Replay:
    """The run in a trace file, as it was. Raises TraceError, and UsageFault for a training's."""
    trace = read(path)

    if any(isinstance(record.fact, TrainingBegan) for record in trace):
        raise training_fault(path)

    return Replay(trace, name=Path(path).stem)


def launch(  # noqa: PLR0913, PLR0917 -- all that a run is made of
    log: Log,
    connection: Connection,
    account: Account,
    toolset: Toolset,
    settings: Settings,
    goal: str,
    tasks: Sequence[Task],
    name: str,
    prices: Mapping[str, Price] | None,
    judge: Judge | None,
    place: Place | None,
) -> Run:
    """Let the run in this log go on from its last record."""
    engine = Engine(
        log=log,
        model=connection.model,
        limiter=connection.limiter,
        account=account,
        tools=toolset,
        past=Past(log.records),
        settings=settings,
        judge=judge,
        place=place,
        cache_key=f"kimi_nb-{log.path.stem if log.path else id(log)}",
    )
    future = runtime().spawn(_drive(engine, connection, goal, tasks))
    run = Run(log, engine, future, name=name, prices=all_prices(prices))
    runs()[name] = run
    return run


@functools.cache
def runs() -> dict[str, Run]:
    """The runs of this process by name, the latest of each."""
    return {}


async def _drive(engine: Engine, connection: Connection, goal: str, tasks: Sequence[Task]) -> None:
    log = engine.log

    try:
        await _settle_in(engine)
        await run_to_end(engine, goal, tasks)
    finally:
        log.close()
        await asyncio.shield(_close(engine, connection))


async def _settle_in(engine: Engine) -> None:
    """Make the run's place ready; where that fails, the run ends before it begins."""
    if engine.place is None:
        return

    try:
        await engine.place.open(engine)
    except (ClusterLost, UsageFault) as error:
        engine.stop(Stop("failed", one_line(error)))


async def _close(engine: Engine, connection: Connection) -> None:
    """Free what the run held. What fails or hangs here has no say in how the run went."""
    closing = [engine.tools.close, *([connection.model.close] if connection.owned else [])]

    for close in (*closing, *([engine.place.close] if engine.place else [])):
        with contextlib.suppress(Exception):
            async with asyncio.timeout(GRACE):
                await close()
