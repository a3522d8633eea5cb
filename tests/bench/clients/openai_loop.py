"""A hand-written AsyncOpenAI + asyncio.gather loop, as the SDK's own examples have it."""

# ruff: noqa: E402 - the imports are what is timed
import time

began = time.perf_counter()
import asyncio

import openai

import_s = time.perf_counter() - began

import json
from typing import Any

import common
from tool_specs import ASSIGN, LOOK

Message = dict[str, Any]


class OpenAILoop:
    """One client, one loop: create, call the tools, create again."""

    def __init__(self, work: common.Work) -> None:
        self.stream = work.stream
        self.client = openai.AsyncOpenAI(base_url=work.url, api_key="sk-bench")

    async def __call__(self, work: common.Work) -> str:
        return await self.agent(common.ORCHESTRATOR, work.goal, ASSIGN)

    async def close(self) -> None:
        await self.client.close()

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
        arguments = json.loads(call["function"]["arguments"])

        if call["function"]["name"] == "look":
            return common.looked(arguments["key"])

        return await self.agent(common.WORKER, arguments["prompt"], LOOK)

    async def turn(self, messages: Any, tools: Any) -> Message:
        if self.stream:
            return await self.assemble(messages, tools)

        reply = await self.client.chat.completions.create(
            model="bench",
            messages=messages,
            tools=tools,
        )
        return reply.choices[0].message.model_dump(exclude_none=True)

    async def assemble(self, messages: Any, tools: Any) -> Message:
        """The message of a stream of deltas."""
        text: list[str] = []
        calls: list[Message] = []
        stream: Any = await self.client.chat.completions.create(
            model="bench",
            messages=messages,
            tools=tools,
            stream=True,
            stream_options={"include_usage": True},
        )

        async for chunk in stream:
            if not chunk.choices:
                continue

            delta = chunk.choices[0].delta

            if delta.content:
                text.append(delta.content)

            for part in delta.tool_calls or ():
                if part.index == len(calls):
                    calls.append(part.model_dump(exclude={"index"}))
                else:
                    calls[part.index]["function"]["arguments"] += part.function.arguments

        message: Message = {"role": "assistant", "content": "".join(text)}
        return message | {"tool_calls": calls} if calls else message


if __name__ == "__main__":
    common.main(common.Client(import_s, OpenAILoop))
