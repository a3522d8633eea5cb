"""One run from its goal to its answer, in any of three modes."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import cast

from kimi_nb.errors import BudgetExceeded, ModelError
from kimi_nb.events import AgentBegan, AgentEnded, Judged, RunEnded
from kimi_nb.models.base import Conversation, ToolSpecs
from kimi_nb.swarm.agent import ToolTurn, converse
from kimi_nb.swarm.engine import AgentFault, Engine, Stop
from kimi_nb.swarm.plan import Task, run_plan
from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS, orchestrator_prompt, single_prompt
from kimi_nb.swarm.runtime import GRACE
from kimi_nb.swarm.stage import NOT_WANTED, Stage
from kimi_nb.swarm.subagent import one_line
from kimi_nb.swarm.team import Team
from kimi_nb.swarm.turn import Stepper
from kimi_nb.tools.render import clean
from kimi_nb.tools.threads import in_thread
from kimi_nb.trace import Log

__all__ = ["run_to_end"]

Ending = tuple[str, str, str]
"""Status, answer, why."""
PROGRAM_ENDED = Stop("cancelled", "the kernel or the program ended")
LOOK = 1.0
"""Seconds between looks at a run that was stopped and does not end."""


async def run_to_end(engine: Engine, goal: str, plan: Sequence[Task]) -> None:
    """Carry the run out and log its end, whatever happens. Raises nothing.

    Cancelling the task that runs this ends the run with status "cancelled" and everything
    that was done.
    """
    deadline = _set_deadline(engine)
    engine.root = asyncio.create_task(_mode(engine, goal, plan), name="kimi_nb root")

    try:
        await _patiently(engine, engine.root)
    except asyncio.CancelledError:
        engine.stop(PROGRAM_ENDED)
        await _patiently(engine, engine.root)

    status, answer, why = _ending_of(engine, engine.root)
    engine.root = None

    if deadline is not None:
        deadline.cancel()

    for id in tuple(engine.open):  # cut off, or of an earlier process and not asked for again
        engine.end(id, "cancelled", NOT_WANTED if engine.past.agent(id) else "cancelled")

    reports = _reports(engine)

    if status == "failed" and reports:
        status = "partial"

    answer = answer or reports
    doubt = await _judged(engine, answer)
    why = "; ".join(part for part in (why, doubt, engine.log.fault) if part)
    engine.log.add("", RunEnded(status=status, answer=answer, why=why))
    engine.log = Log()  # whoever has ignored the cancellation speaks to nobody from now on


async def _judged(engine: Engine, answer: str) -> str:
    """Log the verdict on the answer, if somebody judges it; why there is none, if there is none."""
    if engine.judge is None:
        return ""

    judge = functools.partial(engine.judge.judge, answer, engine.settings.folder)
    engine.judging = asyncio.create_task(in_thread(judge), name="kimi_nb judge")

    try:
        engine.log.add("", _sound(await engine.judging))
    except asyncio.CancelledError:
        return "it was not judged, for that was cancelled; resume it to have it judged"
    except Exception as error:  # noqa: BLE001 -- what judges may not cost the run its end
        why = f"{type(error).__name__}: {one_line(error)}"
        return f"it could not be judged: {why}; resume it to try again"

    return ""


def _sound(verdict: Judged) -> Judged:
    """The verdict as the log can hold it: judges are of the user's, too."""
    if not 0 <= verdict.quality <= 1:
        message = f"a quality lies between 0 and 1, not at {verdict.quality}"
        raise ValueError(message)

    return replace(verdict, by=clean(verdict.by), why=clean(verdict.why))


async def _patiently(engine: Engine, root: asyncio.Task[Ending]) -> None:
    """Return when the run is over, or a while after it was stopped: some tools do not stop."""
    loop = asyncio.get_running_loop()

    while not root.done() and (engine.stopped is None or loop.time() < engine.stopped_at + GRACE):
        await asyncio.wait({root}, timeout=LOOK)


def _ending_of(engine: Engine, root: asyncio.Task[Ending]) -> Ending:
    error = None if not root.done() or root.cancelled() else root.exception()

    if root.done() and not root.cancelled() and error is None:
        return root.result()

    stop = engine.stopped or _defect(error)
    return stop.status, "", stop.why


def _defect(error: BaseException | None) -> Stop:
    """How a run ends that nobody stopped and that did not come to its end either."""
    if error is None:
        return PROGRAM_ENDED

    if isinstance(error, BaseExceptionGroup):
        return _defect(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])

    return Stop("failed", f"{type(error).__name__}: {one_line(error)}")


async def _mode(engine: Engine, goal: str, plan: Sequence[Task]) -> Ending:
    if engine.stopped is not None:  # cancelled before it could begin
        raise asyncio.CancelledError

    match engine.settings.mode:
        case "plan":
            return await run_plan(engine, plan)
        case "single":
            return await _alone(engine, goal)
        case _:
            return await _orchestrated(engine, goal)


def _set_deadline(engine: Engine) -> asyncio.TimerHandle | None:
    seconds = engine.account.budget.seconds

    if seconds is None:
        return None

    spent = engine.log.records[-1].t if engine.log.records else 0.0
    stop = Stop("over_budget", f"the budget of {seconds:g} seconds is used up")
    return asyncio.get_running_loop().call_later(max(0.0, seconds - spent), engine.stop, stop)


async def _orchestrated(engine: Engine, goal: str) -> Ending:
    settings = engine.settings
    prompt = orchestrator_prompt(settings.folder, settings.max_agents)
    agent = _begin(engine, "orchestrator", prompt, goal, 2 * settings.max_tokens)
    specs = ToolSpecs((*ORCHESTRATOR_TOOLS, *engine.tools.specs))
    team = Team()

    async with asyncio.TaskGroup() as group:
        ending = await _ending(
            engine,
            agent,
            lambda: converse(
                engine, agent, specs, lambda step: Stage(engine, agent, step, team, group)
            ),
        )

        for task in engine.tasks.values():  # begun early by a turn that failed for good
            if not task.done():
                task.cancel()

    return ending


async def _alone(engine: Engine, goal: str) -> Ending:
    settings = engine.settings
    agent = _begin(engine, "single", single_prompt(settings.folder), goal, 2 * settings.max_tokens)
    specs = engine.sub_specs
    return await _ending(
        engine,
        agent,
        lambda: converse(engine, agent, specs, lambda step: ToolTurn(engine, agent, step)),
    )


def _begin(engine: Engine, role: str, prompt: str, goal: str, max_tokens: int) -> Stepper:
    began = AgentBegan(role=role, name=role, task=goal, parent="", stage=0, call=-1)
    engine.begin("a0", began)
    conversation = Conversation(
        ({"role": "system", "content": prompt}, {"role": "user", "content": goal})
    )
    return Stepper("a0", 0, conversation, max_tokens)


async def _ending(engine: Engine, agent: Stepper, talk: Callable[[], Awaitable[str]]) -> Ending:
    try:
        text = await talk()
    except asyncio.CancelledError:
        engine.end(agent.id, "cancelled", "cancelled")
        raise
    except BudgetExceeded as error:
        outcome, status, text = "over_budget", "over_budget", str(error)
    except (ModelError, AgentFault) as error:
        outcome, status, text = "failed", "failed", one_line(error)
    except Exception as error:  # noqa: BLE001 -- a defect of a user's model must not lose the run
        outcome, status, text = "failed", "failed", f"{type(error).__name__}: {one_line(error)}"
    else:
        outcome, status = "finished", "finished"

    engine.end(agent.id, outcome, text)
    return (status, text, "") if status == "finished" else (status, "", text)


def _reports(engine: Engine) -> str:
    """What the sub-agents have brought, for a run without an answer of its own."""
    tasks: dict[str, str] = {}
    reports: dict[str, str] = {}

    for record in engine.log.records:
        match record.fact:
            case AgentBegan(role="sub-agent", task=task):
                tasks[record.agent] = task
            case AgentEnded(outcome="finished", text=text) if record.agent in tasks:
                reports[record.agent] = text
            case _:
                pass

    if not reports:
        return ""

    shared = _shared(tasks.values()) if len(tasks) > 1 else 0
    head = f"Not joined: the reports of the {len(reports)} sub-agents that finished.\n\n"
    return head + "\n\n".join(
        f"### {agent}: {_title(tasks[agent], shared)}\n\n{text}" for agent, text in reports.items()
    )


def _shared(texts: Iterable[str]) -> int:
    """The length of the beginning that all texts have in common."""
    columns = zip(*texts, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, columns))


def _title(task: str, shared: int) -> str:
    """What tells a task from its siblings, which begin with the same `shared` characters."""
    line = " ".join(task[shared:].split()) or " ".join(task.split())
    return f"{'…' if shared else ''}{line[:100]}{'…' if len(line) > 100 else ''}"
