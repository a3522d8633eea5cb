"""The attempts at one model call: each waits for its place in the queue and gives it back."""

from __future__ import annotations

import asyncio

from kimi_nb.errors import Allowed, ModelError, Unreachable
from kimi_nb.events import Said, StepQueued, StepRetried, StepSent
from kimi_nb.models.base import Reply, Request, ToolSpecs, Usage
from kimi_nb.models.limiter import backoff
from kimi_nb.swarm.budget import Reservation
from kimi_nb.swarm.engine import AgentFault, Engine
from kimi_nb.swarm.reply import sound
from kimi_nb.swarm.tries import Tries
from kimi_nb.swarm.turn import Stepper, Turn
from kimi_nb.tools.render import clean

__all__ = ["all_attempts", "cost_of", "partial"]


async def all_attempts(
    engine: Engine, agent: Stepper, tools: ToolSpecs, turn: Turn, reservation: Reservation
) -> Reply:
    """The reply of the first attempt that succeeds. Raises ModelError when none did."""
    tries = Tries(reservation.tokens)

    while True:
        engine.check(agent.id)
        request = Request(
            conversation=agent.conversation,
            tools=tools,
            max_tokens=reservation.max_tokens,
            seed=engine.settings.seed + tries.made,
            cache_key=engine.cache_key,
        )

        try:
            return await _attempt(engine, agent, request, turn, tries)
        except ModelError as error:
            engine.account.charge(cost_of(error))
            waits = tries.count(error, engine)
            wait = round(backoff(tries.failed, error, engine.random), 3) if waits else 0.0
            turn.restart()
            fact = StepRetried(
                step=agent.step,
                attempt=tries.made,
                error=type(error).__name__,
                why=clean(" ".join(str(error).split()))[:300],
                wait=wait,
                tokens_in=error.tokens_in,
                tokens_out=error.tokens_out,
            )
            engine.log.add(agent.id, *partial(agent, error), fact)
            await engine.account.check_cover()
            await asyncio.sleep(wait)


def cost_of(error: BaseException | None) -> Usage:
    """What a failed attempt is believed to have cost: an answer that broke off was made."""
    if not isinstance(error, ModelError):
        return Usage(tokens_in=0, tokens_out=0)

    return Usage(tokens_in=error.tokens_in, tokens_out=error.tokens_out, estimated=True)


def partial(agent: Stepper, error: BaseException) -> list[Said]:
    """The text that had come before an attempt broke off, marked as no answer."""
    text = clean(error.partial) if isinstance(error, ModelError) else ""
    return [Said(step=agent.step, text=text, cut=True)] if text else []


async def _attempt(
    engine: Engine, agent: Stepper, request: Request, turn: Turn, tries: Tries
) -> Reply:
    limiter, tokens = engine.limiter, tries.tokens
    waited = await limiter.acquire(
        tokens,
        again=tries.limited > 0,
        queued=lambda: engine.log.add(agent.id, StepQueued(step=agent.step)),
    )
    used: int | None = None
    fault: ModelError | None = None
    allowed: Allowed | None = None

    try:
        if waited:  # the calls before may have ended the run, or cost more than was foreseen
            engine.check(agent.id)
            await engine.account.check_cover()
            engine.log.add(agent.id, StepSent(step=agent.step))

        reply = await _reply(engine, request, turn)
        allowed = reply.allowed
        used = reply.usage.tokens_in + reply.usage.tokens_out
    except ModelError as error:
        fault = error
        raise
    else:
        return reply
    finally:
        limiter.release(tokens, used, fault, allowed)


async def _reply(engine: Engine, request: Request, turn: Turn) -> Reply:
    """One attempt. What a user's model raises to end a program ends the agent at most."""
    try:
        reply = sound(await engine.model.reply(request, turn))
    except asyncio.CancelledError:
        task = asyncio.current_task()

        if task is None or task.cancelling():
            raise

        message = "the model call was cancelled from inside"
        raise Unreachable(message) from None
    except (SystemExit, KeyboardInterrupt, BaseExceptionGroup) as error:
        message = f"the model raised {type(error).__name__}: {error}"
        raise AgentFault(message) from None

    if any(index >= len(reply.calls) for index in turn.recorded):
        message = "the turn ended without a tool call that it had begun"
        error = Unreachable(message)
        error.tokens_in, error.tokens_out = reply.usage.tokens_in, reply.usage.tokens_out
        raise error

    return reply
