"""A model that answers by a function: what a test needs to know, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import orjson

from kimi_nb.models.base import Message, Reply, Request, Sink, ToolCall, Usage

Answer = Callable[[list[Message]], "Reply | Exception | str"]
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


class Scripted:
    """`answer` gets the messages and returns a Reply, its text, or an exception to raise."""

    name = "scripted"
    simulated = False

    def __init__(self, answer: Answer, *, delay: float = 0.0, between_calls: float = 0.0) -> None:
        self._answer = answer
        self._delay = delay
        self._between = between_calls
        self.seen: list[list[Message]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False

    async def reply(self, request: Request, sink: Sink) -> Reply:
        messages = list(request.conversation.messages)
        self.seen.append(messages)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

        try:
            await asyncio.sleep(self._delay)
            answer = self._answer(messages)

            if isinstance(answer, Exception):
                raise answer

            reply = say(answer) if isinstance(answer, str) else answer

            for made in reply.calls:
                sink.on_call(made)

                if self._between:
                    await asyncio.sleep(self._between)
        finally:
            self.in_flight -= 1

        return reply

    async def close(self) -> None:
        self.closed = True
