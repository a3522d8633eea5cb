"""One step of an agent: a model call, with its reservation, its place in the queue, its retries."""

from __future__ import annotations

import asyncio
from typing import Protocol

from kimi_nb.errors import ModelError, Overloaded, RateLimited
from kimi_nb.events import (
    Fact,
    Said,
    StepBegan,
    StepEnded,
    StepQueued,
    StepRetried,
    StepSent,
    ToolCalled,
)
from kimi_nb.models.base import Conversation, Reply, Request, Sink, ToolCall, ToolSpecs, Usage
from kimi_nb.models.limiter import backoff
from kimi_nb.swarm.budget import Reservation
from kimi_nb.swarm.engine import Engine

__all__ = ["Stepper", "Turn", "record_call", "take_step"]

LIMITED_ATTEMPTS = 60
"""Attempts at a call that the endpoint answers with 429 only. The limiter paces them."""


class Turn(Sink, Protocol):
    """Hears one assistant turn and carries out its tool calls."""

    @property
    def recorded(self) -> set[int]:
        """Positions of the calls that are in the log already."""
        ...

    def restart(self) -> None:
        """The attempt failed; what it said is void."""
        ...

    async def answer(self, calls: tuple[ToolCall, ...]) -> list[tuple[bool, str]]:
        """(ok, text) for each call, in their order."""
        ...


class Stepper:
    """Who takes steps: an agent's id, its memory, and how far it is."""

    __slots__ = ("_known", "conversation", "id", "max_tokens", "stage", "step")

    def __init__(self, id: str, stage: int, conversation: Conversation, max_tokens: int) -> None:
        self.id = id
        self.stage = stage
        """0 for the orchestrator; see `events.AgentBegan`."""
        self.conversation = conversation
        self.max_tokens = max_tokens
        self.step = 0
        self._known = (0, 0)

    def prompt_tokens(self) -> int:
        """What the next prompt will count, rather too high than too low.

        The last call's usage is exact; what was added since counts a token for three bytes,
        more than English text or Chinese has.
        """
        tokens, size = self._known
        return tokens + (len(self.conversation.wire) - size) // 3 + 1

    def learn(self, usage: Usage) -> None:
        """Take the usage of the step that has just ended, before its reply is appended."""
        if not usage.estimated:
            self._known = (usage.tokens_in, len(self.conversation.wire))


async def take_step(engine: Engine, agent: Stepper, tools: ToolSpecs, turn: Turn) -> Reply:
    """The next assistant turn: from the log if it was paid for, otherwise from the model.

    Raises ModelError when all attempts failed, BudgetExceeded when it was not sent.
    """
    agent.step += 1
    past = engine.past.agent(agent.id)

    if past and (reply := past.replies.get(agent.step)):
        turn.recorded.update(range(len(reply.calls)))
        agent.learn(reply.usage)
        return reply

    engine.log.add(agent.id, StepBegan(step=agent.step))
    reservation = await _reserve(engine, agent, tools)

    try:
        reply = await _attempts(engine, agent, tools, turn, reservation)
    except BaseException as error:
        engine.account.settle(reservation, None)

        if isinstance(error, ModelError):
            _record_failure(engine, agent)

        raise

    engine.account.settle(reservation, reply.usage)
    agent.learn(reply.usage)
    _record(engine, agent, reply, turn.recorded)
    return reply


async def _reserve(engine: Engine, agent: Stepper, tools: ToolSpecs) -> Reservation:
    prompt = agent.prompt_tokens() + (0 if agent.step > 1 else len(tools.wire) // 3)
    queued = False

    while True:
        reservation = engine.account.try_reserve(agent.id, agent.stage, prompt, agent.max_tokens)

        if reservation is not None:
            break

        if not queued:
            engine.log.add(agent.id, StepQueued(step=agent.step))
            queued = True

        await engine.account.wait()

    if queued:
        engine.log.add(agent.id, StepSent(step=agent.step))

    return reservation


async def _attempts(
    engine: Engine, agent: Stepper, tools: ToolSpecs, turn: Turn, reservation: Reservation
) -> Reply:
    limited = failed = 0

    while True:
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
            exhausted = failed >= engine.settings.max_attempts or limited >= LIMITED_ATTEMPTS

            if exhausted or not error.retryable:
                raise

            turn.restart()
            wait = _pause(engine, error, attempt if paced else failed)
            why = " ".join(str(error).split())[:300]
            fact = StepRetried(
                step=agent.step, attempt=attempt, error=type(error).__name__, why=why, wait=wait
            )
            engine.log.add(agent.id, fact)
            await asyncio.sleep(wait)


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
        reply = await engine.model.reply(request, turn)
        used = reply.usage.tokens_in + reply.usage.tokens_out
    except ModelError as error:
        fault = error
        raise
    else:
        return reply
    finally:
        limiter.release(tokens, used, fault)


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


def _record(engine: Engine, agent: Stepper, reply: Reply, recorded: set[int]) -> None:
    facts: list[Fact] = [_called(agent, call) for call in reply.calls if call.index not in recorded]

    if reply.text or reply.thinking:
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


def _record_failure(engine: Engine, agent: Stepper) -> None:
    ended = StepEnded(step=agent.step, finish="failed", tokens_in=0, tokens_out=0, tokens_cached=0)
    engine.log.add(agent.id, ended)
