"""One agent's loop: ask the model, carry out its calls, until it answers."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from kimi_nb.events import ToolReturned
from kimi_nb.models.base import Message, Reply, ToolCall, ToolSpecs
from kimi_nb.swarm.artefacts import keep, recalled
from kimi_nb.swarm.engine import AgentFault, Engine
from kimi_nb.swarm.reply import echo
from kimi_nb.swarm.step import take_step
from kimi_nb.swarm.turn import Answer, Stepper, Turn
from kimi_nb.tools.render import clean
from kimi_nb.tools.rights import why_not
from kimi_nb.tools.threads import in_thread

__all__ = ["ToolTurn", "converse"]

VAIN_TURNS = 8
"""Turns in a row of which no call succeeds before an agent is given up."""
EMPTY_TURNS = 2
"""Empty answers after which an agent is asked once more."""
UNKNOWN = (
    "ERROR: the run was interrupted while this ran, and whether it took effect is unknown. "
    "Look before you repeat it."
)


async def converse(
    engine: Engine, agent: Stepper, tools: ToolSpecs, new_turn: Callable[[int], Turn]
) -> str:
    """The agent's final text. Raises AgentFault, ModelError or BudgetExceeded instead."""
    vain = empty = 0

    for step in range(1, engine.settings.max_steps + 1):
        turn = new_turn(step)
        reply = await take_step(engine, agent, tools, turn)
        agent.conversation.append(echo(reply))

        if not reply.calls:
            if reply.text.strip():
                return _final_text(reply)

            empty += 1
            _ask_again(agent, reply, empty)
            continue

        answers = await _answers(engine, agent, turn, reply.calls)

        for call, answer in zip(reply.calls, answers, strict=True):
            agent.conversation.append(_answer(call, answer))
            agent.labels |= answer.labels

        vain = 0 if any(answer.ok for answer in answers) else vain + 1

        if vain >= VAIN_TURNS:
            message = f"gave up: no tool call of {vain} turns in a row succeeded; the last said: "
            raise AgentFault(message + answers[-1].text[:300])

    message = f"did not finish within its {engine.settings.max_steps} steps"
    raise AgentFault(message)


async def _answers(
    engine: Engine, agent: Stepper, turn: Turn, calls: tuple[ToolCall, ...]
) -> list[Answer]:
    """The turn's answers. If the run ends first, the log says so of each that is missing."""
    try:
        return await turn.answer(calls)
    except BaseException:
        past = engine.past.agent(agent.id)

        for call in calls:
            known = past is not None and (agent.step, call.index) in past.returns

            if call.index not in turn.answered and not known:
                _record_open(engine, agent, call)

        raise


def _record_open(engine: Engine, agent: Stepper, call: ToolCall) -> None:
    """Answer a call that its agent's end leaves open; if the run ends, a resumed one asks again."""
    stays = agent.id in engine.cancelled
    who = "agent was cancelled" if stays else "run stopped"
    text = f"ERROR: the {who} before this was answered"
    fact = ToolReturned(
        step=agent.step, call=call.index, ok=False, text=text, interrupted=not stays
    )
    engine.log.add(agent.id, fact)


def _final_text(reply: Reply) -> str:
    """The text, with a mark where it is not all of the answer."""
    match reply.finish:
        case "length":
            return reply.text + "\n[cut: the answer reached max_completion_tokens]"
        case "content_filter":
            return reply.text + "\n[cut: the endpoint's content filter withheld the rest]"
        case _:
            return reply.text


def _ask_again(agent: Stepper, reply: Reply, empty: int) -> None:
    if reply.finish == "length":
        message = (
            f"thinking used up the {agent.max_tokens} tokens of an answer; "
            "raise max_tokens or choose less reasoning effort"
        )
        raise AgentFault(message)

    if reply.finish == "content_filter":
        message = "the endpoint's content filter withheld the answer"
        raise AgentFault(message)

    if empty > EMPTY_TURNS:
        message = f"the model answered with nothing {empty} times"
        raise AgentFault(message)

    agent.conversation.append({"role": "user", "content": "Your answer was empty. Go on."})


def _answer(call: ToolCall, answer: Answer) -> Message:
    text = answer.text if answer.text.strip() else "(nothing)"
    content: Any = text

    if answer.images:
        first = [{"type": "text", "text": answer.text}] if answer.text.strip() else []
        content = [*first, *(image.part for image in answer.images)]

    return {"role": "tool", "tool_call_id": call.id, "content": content}


class ToolTurn:
    """A turn of an agent that has ordinary tools only."""

    __slots__ = ("_agent", "_engine", "_step", "answered", "recorded")

    def __init__(self, engine: Engine, agent: Stepper, step: int) -> None:
        self._engine = engine
        self._agent = agent
        self._step = step
        self.recorded: dict[int, ToolCall] = {}
        self.answered: set[int] = set()

    def on_text(self, text: str) -> None:
        if self._agent.stage == 0:
            self._engine.draft.append(text)

    def on_thinking(self, text: str) -> None: ...
    def on_call(self, call: ToolCall) -> None: ...

    def restart(self) -> None:
        self._engine.hush(self._agent.stage)

    async def answer(self, calls: tuple[ToolCall, ...]) -> list[Answer]:
        """Calls side by side; one after the other if one of them has side effects."""
        if len(calls) == 1 or any(_has_side_effects(self._engine, call) for call in calls):
            return [await self._one(call) for call in calls]

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(call)) for call in calls]

        return [task.result() for task in tasks]

    async def _one(self, call: ToolCall) -> Answer:
        answer = await _run_tool(self._engine, self._agent, self._step, call)
        self.answered.add(call.index)
        return answer


def _has_side_effects(engine: Engine, call: ToolCall) -> bool:
    tool = engine.tools.get(call.name)
    return tool is not None and tool.side_effects


async def _run_tool(engine: Engine, stepper: Stepper, step: int, call: ToolCall) -> Answer:
    """The answer of one ordinary tool call: from the log if it has it, otherwise carried out."""
    agent, labels = stepper.id, engine.labels_of((call.name,))
    past = engine.past.agent(agent)

    if past and (returned := past.returns.get((step, call.index))):
        return recalled(engine.log.path, returned)._replace(labels=labels)

    tool = engine.tools.get(call.name)

    if tool is not None and (why := why_not(tool, stepper.labels)):
        return _record_return(engine, agent, step, call, Answer(ok=False, text=f"ERROR: {why}"))

    if _has_side_effects(engine, call):
        if past and step in past.replies:
            return _record_return(engine, agent, step, call, Answer(ok=False, text=UNKNOWN))

        await engine.sync()

    engine.check(agent)

    try:
        outcome = await engine.tools.call(call.name, call.arguments, engine.tool_context(agent))
    except (SystemExit, KeyboardInterrupt, BaseExceptionGroup) as error:
        text = clean(f"ERROR: {type(error).__name__}: {error}")
        answer = Answer(ok=False, text=text, labels=labels)
        return _record_return(engine, agent, step, call, answer)

    answer = Answer(outcome.ok, outcome.text, outcome.images, labels)
    names = ""

    if answer.images:
        names = await in_thread(functools.partial(keep, engine.log.path, answer.images))

    return _record_return(engine, agent, step, call, answer, names)


def _record_return(
    engine: Engine, agent: str, step: int, call: ToolCall, answer: Answer, names: str = ""
) -> Answer:
    fact = ToolReturned(step=step, call=call.index, ok=answer.ok, text=answer.text, artefact=names)
    engine.log.add(agent, fact)
    return answer
