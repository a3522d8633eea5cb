"""A model that answers by a function: what a test needs to know, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from invariants import check_invariants, tasks_left  # noqa: F401 -- tests take both from here

import kimi_nb as kn
from kimi_nb.models.base import Message, Reply, Request, Sink, ToolCall, Usage
from kimi_nb.swarm.engine import Engine
from kimi_nb.swarm.runtime import runtime
from kimi_nb.views.critical import Metrics

Answer = Callable[[list[Message]], "Reply | BaseException | str"]
COMPLAINTS: list[str] = []
"""What a real endpoint would have refused, of all requests of a test."""
_IDS = itertools.count()


def call(name: str, /, **arguments: Any) -> ToolCall:
    return ToolCall(
        index=0, id=f"c{next(_IDS)}", name=name, arguments=orjson.dumps(arguments).decode()
    )


def calls(*made: ToolCall, text: str = "", thinking: str = "") -> Reply:
    numbered = tuple(
        ToolCall(index=i, id=c.id, name=c.name, arguments=c.arguments) for i, c in enumerate(made)
    )
    return Reply(
        text=text,
        thinking=thinking,
        thinking_key="reasoning_content" if thinking else "",
        calls=numbered,
        finish="tool_calls" if numbered else "stop",
        usage=Usage(tokens_in=100, tokens_out=10),
    )


def say(text: str) -> Reply:
    return calls(text=text)


def is_orchestrator(messages: list[Message]) -> bool:
    return messages[0]["content"].startswith("You are the orchestrator")


def results(messages: list[Message]) -> list[str]:
    """The texts of all tool messages so far."""
    return [m["content"] for m in messages if m["role"] == "tool"]


@pytest.fixture(autouse=True)
def _no_complaints() -> Iterator[None]:
    """Fail a test whose requests a real endpoint would have refused."""
    COMPLAINTS.clear()
    yield
    assert COMPLAINTS == []


def complaints(messages: list[Message]) -> Iterator[str]:
    """What is wrong with a conversation by the rules of Kimi's API."""
    if [m["role"] for m in messages[:2]] != ["system", "user"]:
        yield f"begins with {[m['role'] for m in messages[:2]]}"

    if messages[-1]["role"] == "assistant":
        yield "ends with what needs no reply"

    expected: list[str] = []

    for place, message in enumerate(messages):
        yield from (f"message {place} {what}" for what in _faults(message))

        if message["role"] == "tool":
            if not expected or message["tool_call_id"] != expected.pop(0):
                yield f"message {place} answers {message['tool_call_id']!r} out of turn"

            continue

        if expected:
            yield f"before message {place} the calls {expected} were not answered"

        expected = [c["id"] for c in message.get("tool_calls", [])]

    if expected:
        yield f"the calls {expected} were not answered"


def _faults(message: Message) -> Iterator[str]:
    made = message.get("tool_calls", [])
    ids = [c["id"] for c in made]

    if not str(message.get("content", "x")).strip():
        yield "is blank"

    if message["role"] == "assistant" and "content" not in message and not made:
        yield "says nothing"

    if len(set(ids)) < len(ids) or not all(ids):
        yield f"has calls with the ids {ids}"

    known = {"role", "content", "tool_calls", "reasoning_content", "tool_call_id"}

    if not known.issuperset(message):
        yield f"has {sorted(message)}"

    for c in made:
        if not _is_object(c["function"]["arguments"]):
            yield f"has the arguments {c['function']['arguments']!r}"


def _is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except ValueError:
        return False


def check_ended(run: kn.Replay, **more: Any) -> None:
    """What must hold of every run that has ended; `more` goes to `check_invariants`."""
    check_invariants(run, **more)

    if isinstance(run, kn.Run):
        check_books(run._engine, run.metrics)


def check_books(engine: Engine, found: Metrics) -> None:
    """Nothing is held any more, and what was counted while it ran is what the log says."""
    assert (engine.limiter.in_flight, engine.limiter.waiting) == (0, 0)
    account = engine.account
    assert (account._in_flight, account._held_tokens) == (0, 0)
    assert abs(account._held_usd) < 1e-9
    assert account.steps == found.total_steps
    assert account.tokens == found.tokens_in + found.tokens_out
    assert account.critical_steps == found.critical_steps


class Scripted:
    """`answer` gets the messages and returns a Reply, its text, or an exception to raise."""

    name = "scripted"
    simulated = False

    def __init__(self, answer: Answer, *, delay: float = 0.0, between_calls: float = 0.0) -> None:
        self._answer = answer
        self._delay = delay
        self._between = between_calls
        self.seen: list[list[Message]] = []
        self.completed = 0
        """Answers that were given to their end."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False

    async def reply(self, request: Request, sink: Sink) -> Reply:
        messages = list(request.conversation.messages)
        self.seen.append(messages)
        COMPLAINTS.extend(complaints(messages))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

        try:
            await asyncio.sleep(self._delay)
            answer = self._answer(messages)

            if isinstance(answer, BaseException):
                raise answer

            reply = say(answer) if isinstance(answer, str) else answer

            for made in reply.calls:
                sink.on_call(made)

                if self._between:
                    await asyncio.sleep(self._between)
        finally:
            self.in_flight -= 1

        self.completed += 1
        return reply

    async def close(self) -> None:
        self.closed = True


class Held(Scripted):
    """Gives so many answers; whoever asks then waits until it is let go, or for ever."""

    def __init__(self, answer: Answer, *, after: int) -> None:
        super().__init__(answer)
        self._left = after
        self._gate = asyncio.Event()

    async def reply(self, request: Request, sink: Sink) -> Reply:
        self._left -= 1

        if self._left < 0:
            await self._gate.wait()

        return await super().reply(request, sink)

    def let_go(self) -> None:
        runtime().loop.call_soon_threadsafe(self._gate.set)
