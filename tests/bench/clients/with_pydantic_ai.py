"""pydantic-ai: the fan-out is a tool that runs a sub-agent; tools of a turn run at once."""

# ruff: noqa: E402 - the imports are what is timed
import time

began = time.perf_counter()
import openai
import pydantic_ai
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import_s = time.perf_counter() - began

from collections.abc import AsyncIterable
from typing import Any

import common


async def hear(_context: Any, events: AsyncIterable[Any]) -> None:
    """Take the streamed events, as a user interface would."""
    async for _event in events:
        pass


class PydanticAI:
    """Two agents on one model; no instrumentation, no limit on requests."""

    def __init__(self, work: common.Work) -> None:
        self.handler = hear if work.stream else None
        self.limits = pydantic_ai.UsageLimits(request_limit=None)
        self.client = openai.AsyncOpenAI(base_url=work.url, api_key="sk-bench")
        model = OpenAIChatModel("bench", provider=OpenAIProvider(openai_client=self.client))
        self.worker = pydantic_ai.Agent(model, instructions=common.WORKER)
        self.orchestrator = pydantic_ai.Agent(model, instructions=common.ORCHESTRATOR)

        @self.worker.tool_plain
        async def look(key: str) -> str:
            """Look up a key."""
            return common.looked(key)

        @self.orchestrator.tool_plain
        async def assign_task(agent: str, prompt: str) -> str:  # noqa: ARG001 - the model's choice
            """Launch a new agent."""
            return await self.run(self.worker, prompt)

    async def __call__(self, work: common.Work) -> str:
        return await self.run(self.orchestrator, work.goal)

    async def close(self) -> None:
        await self.client.close()

    async def run(self, agent: pydantic_ai.Agent, prompt: str) -> str:
        result = await agent.run(
            prompt,
            usage_limits=self.limits,
            event_stream_handler=self.handler,
        )
        return result.output


if __name__ == "__main__":
    common.main(common.Client(import_s, PydanticAI))
