"""The swarm of `scale.py`: a model in the process, with messages as long as real ones."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, cast
from zlib import crc32

import kimi_nb as kn
from kimi_nb.models.base import Message, Reply, Request, Sink, ToolCall, Usage

__all__ = ["Crew", "by_hand", "dispatched", "look"]

RESULT = 2_000
"""Characters of a tool's result: a page of a document."""
SAID = "I have read that part; the next one to look at is the one that it refers to. " * 2
ANSWER = "It opens at 9:00 and closes at 17:00, the ticket is 12 euros. " * 6
SHARES = (0.4, 0.4, 0.2)
"""Of the sub-agents, by stage."""
TASK = re.compile(r"with (\d+) model calls")


@kn.tool
async def look(key: str) -> str:
    """Look up a key."""
    return (f"{key}: " + "x" * RESULT)[:RESULT]


def dispatched(agents: int, calls: int) -> list[list[str]]:
    """The items of each stage; together they stand for so many calls of so many sub-agents."""
    ends = [calls * n // agents for n in range(agents + 1)]
    items = [f"museum {n}, with {ends[n + 1] - ends[n]} model calls" for n in range(agents)]
    found: list[list[str]] = []
    begin, part = 0, 0.0

    for share in SHARES:
        part += share
        end = round(agents * part)
        found.append(items[begin:end])
        begin = end

    return [stage for stage in found if stage]


class Crew:
    """The model. An orchestrator of so many stages, whose sub-agents look things up."""

    name = "crew"
    simulated = False

    def __init__(self, stages: list[list[str]], latency: float) -> None:
        self._stages = stages
        self._latency = latency
        self.calls = 0
        """Answers so far."""

    async def reply(self, request: Request, sink: Sink) -> Reply:
        messages = request.conversation.messages
        main = str(messages[0]["content"]).startswith("You are the orchestrator")
        done = sum(1 for message in messages if message["role"] == "assistant")
        spread = 0.5 + (crc32(str(messages[1]["content"]).encode()) + 37 * done) % 97 / 96
        await asyncio.sleep(0.0 if main else self._latency * spread)
        made = self._dispatch(done) if main else _looks(messages, done)
        calls = tuple(_call(index, name, given) for index, (name, given) in enumerate(made))

        for call in calls:
            sink.on_call(call)

        self.calls += 1
        return Reply(
            text=SAID if calls else ANSWER,
            thinking="",
            thinking_key="",
            calls=calls,
            finish="tool_calls" if calls else "stop",
            usage=Usage(tokens_in=request.estimate_tokens(), tokens_out=60),
        )

    def _dispatch(self, done: int) -> list[tuple[str, dict[str, Any]]]:
        first = {"name": "reader", "system_prompt": "Look things up, then answer briefly."}
        made: list[tuple[str, dict[str, Any]]] = [] if done else [("create_subagent", first)]

        if done >= len(self._stages):
            return made

        task = {"agent": "reader", "template": "Opening hours and price of {{item}}."}
        return [*made, ("map_task", task | {"items": self._stages[done]})]

    async def close(self) -> None: ...


def _looks(messages: list[Message], done: int) -> list[tuple[str, dict[str, Any]]]:
    told = TASK.search(messages[1]["content"])
    calls = int(told[1]) if told else 1
    return [("look", {"key": f"page {done} of {messages[1]['content'][:60]}"})] * (done + 1 < calls)


def _call(index: int, name: str, arguments: Mapping[str, Any]) -> ToolCall:
    return ToolCall(index=index, id=f"{name}:{index}", name=name, arguments=json.dumps(arguments))


async def by_hand(crew: Crew, stages: list[list[str]]) -> None:
    """The floor: the same calls of the same model, and nothing that one could leave out."""

    async def agent(item: str) -> str:
        messages: list[Message] = [
            {"role": "system", "content": "Look things up, then answer briefly."},
            {"role": "user", "content": f"Opening hours and price of {item}."},
        ]

        while True:
            reply = await crew.reply(cast("Request", Bare(messages)), cast("Sink", Bare(messages)))
            messages.append(reply.message())

            if not reply.calls:
                return reply.text

            for made in reply.calls:
                text = await look(**json.loads(made.arguments))
                messages.append({"role": "tool", "tool_call_id": made.id, "content": text})

    for stage in stages:
        await asyncio.gather(*map(agent, stage))


class Bare:
    """A request and a sink of the floor."""

    def __init__(self, messages: list[Message]) -> None:
        self.conversation = self
        self.messages = messages

    def estimate_tokens(self) -> int:
        return 1

    def on_call(self, call: ToolCall) -> None: ...
