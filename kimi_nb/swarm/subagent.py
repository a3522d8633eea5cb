"""A sub-agent from its task to its one message. Whatever happens to it, its siblings go on."""

from __future__ import annotations

import asyncio

from kimi_nb.errors import BudgetExceeded, ModelError
from kimi_nb.events import AgentBegan, AgentEnded
from kimi_nb.models.base import Conversation
from kimi_nb.swarm.agent import ToolTurn, converse
from kimi_nb.swarm.assignment import Assignment, Outcome
from kimi_nb.swarm.engine import BY_USER, AgentFault, Engine, Report, Stop
from kimi_nb.swarm.prompts import subagent_prompt
from kimi_nb.swarm.turn import Stepper
from kimi_nb.tools.render import clean

__all__ = ["launch", "one_line", "outcome_here", "report_of"]

TOGETHER = 8
"""Sub-agents that take their first step in the same turn of the event loop."""
SPREAD = 320
"""Sub-agents over which first steps are spread."""
MAX_REPORT = 20_000
"""Characters of a sub-agent's message that its orchestrator gets."""
CANCELLED = Report(ok=False, text="ERROR: this sub-agent was cancelled by the user")


def launch(engine: Engine, group: asyncio.TaskGroup, work: Assignment) -> str:
    """Start a sub-agent, or take it up where an earlier process left it; returns its id."""
    id = engine.past.adopt(work.parent, work.stage, work.name, work.task, work.call)

    if id is None:
        id = engine.new_agent_id()
        engine.account.agents += 1

    if _brought(engine, id, work) is None:
        began = AgentBegan(
            role="sub-agent",
            name=work.name,
            task=work.task,
            parent=work.parent,
            stage=work.stage,
            call=work.call,
            after=work.after,
        )
        engine.begin(id, began)

    engine.tasks[id] = group.create_task(_live(engine, id, work), name=f"kimi_nb {id}")
    return id


async def report_of(engine: Engine, id: str) -> Report:
    """What a sub-agent brings back, when it has ended.

    A task that is cancelled before its first step never runs: its end is logged here.
    """
    task = engine.tasks[id]

    if not task.done():
        await asyncio.wait({task})

    if task.cancelled():
        return _cancelled(engine, id)

    return task.result()


async def _live(engine: Engine, id: str, work: Assignment) -> Report:
    """What one sub-agent brings back; logs how it ended."""
    if (report := _brought(engine, id, work)) is not None:
        return report

    try:
        if engine.place is None:
            await _in_turn(engine.launched - 1)
            outcome, text, labels = await outcome_here(engine, id, work)
        else:
            outcome, text, labels = await engine.place.outcome(engine, id, work)
    except asyncio.CancelledError:
        report = _cancelled(engine, id)

        if engine.stopped is not None or id not in engine.cancelled:
            raise

        return report

    engine.end(id, outcome, text)

    if outcome == "finished":
        return Report(ok=True, text=_capped(text), labels=labels)

    return Report(
        ok=False,
        text=_capped(f"ERROR: {text}"),
        interrupted=outcome == "over_budget",
        labels=labels,
    )


async def outcome_here(engine: Engine, id: str, work: Assignment) -> Outcome:
    """Let a sub-agent live on this event loop, and say what came of it."""
    agent = _stepper(engine, id, work)
    kind, text = await _outcome(engine, agent)
    return Outcome(kind, text, agent.labels)


def _brought(engine: Engine, id: str, work: Assignment) -> Report | None:
    """What it brought back in an earlier process: its message, or that the user cancelled it."""
    past = engine.past.agent(id)

    if past is None or past.ended is None:
        return None

    match past.ended:
        case AgentEnded(outcome="finished", text=text):
            labels = work.labels | engine.labels_of(past.heard)
            return Report(ok=True, text=_capped(text), labels=labels)
        case AgentEnded(outcome="cancelled", text=text) if text == BY_USER:
            return CANCELLED
        case _:
            return None


def _cancelled(engine: Engine, id: str) -> Report:
    engine.end(id, "cancelled", engine.cancelled.get(id, "cancelled"))
    return CANCELLED


async def _in_turn(place: int) -> None:
    """Let a hundred first steps be spread over many turns of the event loop, not fill one."""
    for _ in range(place % SPREAD // TOGETHER):
        await asyncio.sleep(0)


def _stepper(engine: Engine, id: str, work: Assignment) -> Stepper:
    system = subagent_prompt(work.system_prompt, engine.settings.folder)
    conversation = Conversation(
        (
            {"role": "system", "content": system},
            {"role": "user", "content": work.context + work.task},
        )
    )
    return Stepper(id, work.stage, conversation, engine.settings.max_tokens, work.labels)


async def _outcome(engine: Engine, agent: Stepper) -> tuple[str, str]:
    try:
        text = await converse(
            engine, agent, engine.sub_specs, lambda step: ToolTurn(engine, agent, step)
        )
    except BudgetExceeded as error:
        return "over_budget", str(error)
    except ModelError as error:
        engine.check(agent.id)  # what ended the run is said once, not by all whom it met

        if error.ends_run:
            engine.stop(Stop("failed", one_line(error)))

        return "failed", one_line(error)
    except AgentFault as error:
        return "failed", str(error)
    except Exception as error:  # noqa: BLE001 -- one agent's defect, a user's model included, is data
        return "failed", f"{type(error).__name__}: {one_line(error)}"

    return "finished", text


def one_line(error: BaseException) -> str:
    """The message of an error, on one line, at most 500 characters."""
    return clean(" ".join(str(error).split()))[:500] or type(error).__name__


def _capped(text: str) -> str:
    if len(text) <= MAX_REPORT:
        return text

    return f"{text[:MAX_REPORT]}\n[… {len(text) - MAX_REPORT} more characters were cut]"
