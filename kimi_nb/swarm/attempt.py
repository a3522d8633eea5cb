"""The attempts at one model call: each waits for its place in the queue and gives it back."""

from __future__ import annotations

import asyncio

from kimi_nb.errors import ModelError, Overloaded, RateLimited, Unreachable
from kimi_nb.events import Said, StepQueued, StepRetried, StepSent
from kimi_nb.models.base import Reply, Request, ToolSpecs, Usage
from kimi_nb.models.limiter import backoff
from kimi_nb.swarm.budget import Reservation
from kimi_nb.swarm.engine import AgentFault, Engine
from kimi_nb.swarm.reply import sound
from kimi_nb.swarm.turn import Stepper, Turn
from kimi_nb.tools.render import clean

__all__ = ["all_attempts", "cost_of", "partial"]

LIMITED_ATTEMPTS = 60
"""Attempts at a call that the endpoint answers with 429 only. The limiter paces them."""


async def all_attempts(
    engine: Engine, agent: Stepper, tools: ToolSpecs, turn: Turn, reservation: Reservation
) -> Reply:
    """The reply of the first attempt that succeeds. Raises ModelError when none did."""
    limited = failed = 0

    while True:
        engine.check(agent.id)
        attempt = limited + failed + 1
        request = Request(
            conversation=agent.conversation,
            tools=tools,
            max_tokens=reservation.max_tokens,
            seed=engine.settings.seed + attempt - 1,
            cache_key=engine.cache_key,
        )

        try:
            return await _attempt(engine, agent, request, turn, reservation.tokens)
        except ModelError as error:
            paced = isinstance(error, Overloaded | RateLimited)
            limited, failed = limited + paced, failed + (not paced)
            engine.account.charge(cost_of(error))
            exhausted = failed >= engine.settings.max_attempts or limited >= LIMITED_ATTEMPTS

            if exhausted or not error.retryable:
                raise

            turn.restart()
            wait = _pause(engine, error, attempt if paced else failed)
            fact = StepRetried(
                step=agent.step,
                attempt=attempt,
                error=type(error).__name__,
                why=clean(" ".join(str(error).split()))[:300],
                wait=wait,
                tokens_in=error.tokens_in,
                tokens_out=error.tokens_out,
            )
            engine.log.add(agent.id, *partial(agent, error), fact)
            engine.account.check_cover()
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


def _pause(engine: Engine, error: ModelError, attempt: int) -> float:
    """Seconds until the next attempt; none where the limiter itself waits as it was told."""
    if isinstance(error, Overloaded | RateLimited) and error.retry_after is not None:
        return 0.0

    return round(backoff(attempt, error, engine.random), 3)


async def _attempt(
    engine: Engine, agent: Stepper, request: Request, turn: Turn, tokens: int
) -> Reply:
    limiter = engine.limiter

    if not limiter.try_acquire(tokens):
        engine.log.add(agent.id, StepQueued(step=agent.step))
        await limiter.acquire(tokens)
        engine.log.add(agent.id, StepSent(step=agent.step))

    used: int | None = None
    fault: ModelError | None = None

    try:
        reply = await _reply(engine, request, turn)
        used = reply.usage.tokens_in + reply.usage.tokens_out
    except ModelError as error:
        fault = error
        raise
    else:
        return reply
    finally:
        limiter.release(tokens, used, fault)


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
