"""One step of an agent: a model call with its reservation, from the log where it was paid for."""

from __future__ import annotations

from collections.abc import Mapping

from kimi_nb.events import Fact, Said, StepBegan, StepEnded, StepQueued, StepSent, ToolCalled
from kimi_nb.models.base import Reply, ToolCall, ToolSpecs
from kimi_nb.swarm.attempt import all_attempts, cost_of, partial
from kimi_nb.swarm.budget import Reservation
from kimi_nb.swarm.engine import Engine
from kimi_nb.swarm.turn import Stepper, Turn

__all__ = ["record_call", "take_step"]


async def take_step(engine: Engine, agent: Stepper, tools: ToolSpecs, turn: Turn) -> Reply:
    """The next assistant turn: from the log if it was paid for, otherwise from the model.

    Raises ModelError when all attempts failed, BudgetExceeded when it was not sent.
    """
    engine.check(agent.id)
    agent.step += 1
    past = engine.past.agent(agent.id)

    if past and (reply := past.replies.get(agent.step)):
        agent.learn(reply.usage)
        return reply

    engine.log.add(agent.id, StepBegan(step=agent.step))
    reservation = await _reserve(engine, agent, tools)

    try:
        reply = await all_attempts(engine, agent, tools, turn, reservation)
    except BaseException as error:
        engine.account.settle(reservation, None)

        if isinstance(error, Exception):
            _record_failure(engine, agent, error)

        raise
    finally:
        engine.hush(agent.stage)

    engine.account.settle(reservation, reply.usage)
    agent.learn(reply.usage)
    _record(engine, agent, reply, turn.recorded)
    return reply


async def _reserve(engine: Engine, agent: Stepper, tools: ToolSpecs) -> Reservation:
    prompt = agent.prompt_tokens(tools)
    reservation, waited = await engine.account.reserve(
        agent.id,
        agent.stage,
        prompt,
        agent.max_tokens,
        queued=lambda: engine.log.add(agent.id, StepQueued(step=agent.step)),
    )

    if waited:
        engine.log.add(agent.id, StepSent(step=agent.step))

    return reservation


def record_call(engine: Engine, agent: Stepper, call: ToolCall) -> None:
    """Log that the model asked for a tool."""
    engine.log.add(agent.id, _called(agent, call))


def _called(agent: Stepper, call: ToolCall) -> ToolCalled:
    return ToolCalled(
        step=agent.step,
        call=call.index,
        call_id=call.id,
        tool=call.name,
        arguments=call.arguments,
    )


def _record(engine: Engine, agent: Stepper, reply: Reply, recorded: Mapping[int, ToolCall]) -> None:
    facts: list[Fact] = [
        _called(agent, call) for call in reply.calls if recorded.get(call.index) != call
    ]

    if reply.text or reply.thinking_key:
        facts.append(
            Said(
                step=agent.step,
                text=reply.text,
                thinking=reply.thinking,
                thinking_key=reply.thinking_key,
            )
        )

    usage = reply.usage
    ended = StepEnded(
        step=agent.step,
        finish=reply.finish,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        tokens_cached=usage.tokens_cached,
        estimated=usage.estimated,
    )
    engine.log.add(agent.id, *facts, ended)


def _record_failure(engine: Engine, agent: Stepper, error: Exception) -> None:
    cost = cost_of(error)
    ended = StepEnded(
        step=agent.step,
        finish="failed",
        tokens_in=cost.tokens_in,
        tokens_out=cost.tokens_out,
        tokens_cached=0,
        estimated=bool(cost.tokens_in),
    )
    engine.log.add(agent.id, *partial(agent, error), ended)
