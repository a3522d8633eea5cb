"""The floor: a hand-written loop on aiohttp and orjson, with nothing that one could leave out."""

# ruff: noqa: E402 - the imports are what is timed
import time

began = time.perf_counter()
import asyncio

import aiohttp
import orjson

import_s = time.perf_counter() - began

from typing import Any

import common
from tool_specs import ASSIGN, LOOK

Message = dict[str, Any]


class Floor:
    """One session, one loop: post, assemble, call the tools, post again."""

    def __init__(self, work: common.Work) -> None:
        self.url = f"{work.url}/chat/completions"
        self.stream = work.stream
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"Authorization": "Bearer sk-bench", "Content-Type": "application/json"},
        )

    async def __call__(self, work: common.Work) -> str:
        return await self.agent(common.ORCHESTRATOR, work.goal, ASSIGN)

    async def close(self) -> None:
        await self.session.close()

    async def agent(self, system: str, prompt: str, tools: list[Message]) -> str:
        messages: list[Message] = [
            {"role": "system", "content": system},
            {"role": "user", "content": prompt},
        ]

        while True:
            message = await self.turn(messages, tools)
            messages.append(message)
            calls = message.get("tool_calls")

            if not calls:
                return message["content"]

            texts = await asyncio.gather(*map(self.call, calls))
            messages += [
                {"role": "tool", "tool_call_id": call["id"], "content": text}
                for call, text in zip(calls, texts, strict=True)
            ]

    async def call(self, call: Message) -> str:
        arguments = orjson.loads(call["function"]["arguments"])

        if call["function"]["name"] == "look":
            return common.looked(arguments["key"])

        return await self.agent(common.WORKER, arguments["prompt"], LOOK)

    async def turn(self, messages: list[Message], tools: list[Message]) -> Message:
        body: Message = {"model": "bench", "messages": messages, "tools": tools}

        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}

        async with self.session.post(self.url, data=orjson.dumps(body)) as reply:
            reply.raise_for_status()

            if self.stream:
                return await assemble(reply.content)

            return orjson.loads(await reply.read())["choices"][0]["message"]


async def assemble(lines: aiohttp.StreamReader) -> Message:
    """The message of a stream of deltas."""
    text: list[str] = []
    calls: list[Message] = []

    async for line in lines:
        if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
            continue

        choices = orjson.loads(line[6:])["choices"]

        if not choices:
            continue

        delta = choices[0]["delta"]

        if content := delta.get("content"):
            text.append(content)

        for part in delta.get("tool_calls", ()):
            if part["index"] == len(calls):
                calls.append(part)
            else:
                calls[part["index"]]["function"]["arguments"] += part["function"]["arguments"]

    message: Message = {"role": "assistant", "content": "".join(text)}
    return message | {"tool_calls": calls} if calls else message


if __name__ == "__main__":
    common.main(common.Client(import_s, Floor))
