"""A sub-agent from its task to its one message. Whatever happens to it, its siblings go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from kimi_nb.errors import BudgetExceeded, ModelError
from kimi_nb.events import AgentBegan, AgentEnded
from kimi_nb.models.base import Conversation, ToolSpecs
from kimi_nb.swarm.agent import ToolTurn, converse
from kimi_nb.swarm.engine import AgentFault, Engine, Report, Stop
from kimi_nb.swarm.prompts import subagent_prompt
from kimi_nb.swarm.step import Stepper

__all__ = ["Assignment", "launch", "one_line"]

TOGETHER = 8
"""Sub-agents that take their first step in the same turn of the event loop."""
SPREAD = 320
"""Sub-agents over which first steps are spread."""
MAX_REPORT = 20_000
"""Characters of a sub-agent's message that its orchestrator gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who is to do what."""

    name: str
    """Name of the configuration."""
    system_prompt: str
    task: str
    parent: str
    stage: int
    call: int
    context: str = ""
    """What goes before the task in the prompt: results of earlier tasks of a plan."""
    after: str = ""


def launch(engine: Engine, group: asyncio.TaskGroup, work: Assignment) -> str:
    """Start a sub-agent, or take it up where an earlier process left it; returns its id."""
    id = engine.past.adopt(work.parent, work.stage, work.name, work.task)

    if id is None:
        id = engine.new_agent_id()
        began = AgentBegan(
            role="sub-agent",
            name=work.name,
            task=work.task,
            parent=work.parent,
            stage=work.stage,
            call=work.call,
            after=work.after,
        )
        engine.log.add(id, began)
        engine.account.agents += 1

    engine.tasks[id] = group.create_task(_live(engine, id, work), name=f"kimi_nb {id}")
    return id


async def _live(engine: Engine, id: str, work: Assignment) -> Report:
    """What one sub-agent brings back; logs how it ended."""
    past = engine.past.agent(id)

    if past and past.ended and past.ended.outcome == "finished":
        return Report(ok=True, text=_capped(past.ended.text))

    conversation = Conversation(
        (
            {
                "role": "system",
                "content": subagent_prompt(work.system_prompt, engine.settings.folder),
            },
            {"role": "user", "content": work.context + work.task},
        )
    )
    agent = Stepper(id, work.stage, conversation, engine.settings.max_tokens)
    specs = engine.sub_specs

    try:
        await _in_turn(engine.launched - 1)
        outcome, text = await _outcome(engine, agent, specs)
    except asyncio.CancelledError:
        engine.log.add(id, AgentEnded(outcome="cancelled", text="cancelled"))

        if engine.stopped is not None or id not in engine.cancelled:
            raise

        return Report(ok=False, text="ERROR: this sub-agent was cancelled by the user")

    engine.log.add(id, AgentEnded(outcome=outcome, text=text))

    if outcome == "finished":
        return Report(ok=True, text=_capped(text))

    return Report(ok=False, text=_capped(f"ERROR: {text}"), interrupted=outcome == "over_budget")


async def _in_turn(place: int) -> None:
    """Let a hundred first steps be spread over many turns of the event loop, not fill one."""
    for _ in range(place % SPREAD // TOGETHER):
        await asyncio.sleep(0)


async def _outcome(engine: Engine, agent: Stepper, specs: ToolSpecs) -> tuple[str, str]:
    try:
        text = await converse(engine, agent, specs, lambda step: ToolTurn(engine, agent, step))
    except BudgetExceeded as error:
        return "over_budget", str(error)
    except ModelError as error:
        if error.ends_run:
            engine.stop(Stop("failed", one_line(error)))

        return "failed", one_line(error)
    except AgentFault as error:
        return "failed", str(error)
    except Exception as error:  # noqa: BLE001 -- one agent's defect, a user's model included, is data
        return "failed", f"{type(error).__name__}: {error}"

    return "finished", text


def one_line(error: Exception) -> str:
    """The message of an error, on one line, at most 500 characters."""
    return " ".join(str(error).split())[:500] or type(error).__name__


def _capped(text: str) -> str:
    if len(text) <= MAX_REPORT:
        return text

    return f"{text[:MAX_REPORT]}\n[… {len(text) - MAX_REPORT} more characters were cut]"
