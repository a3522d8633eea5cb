"""langgraph (its agent is `langchain.agents.create_agent`): the fan-out is a tool."""

# ruff: noqa: E402 - the imports are what is timed
import time

began = time.perf_counter()
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

import_s = time.perf_counter() - began

from typing import Any

import common


class LangGraph:
    """Two compiled agents on one model; no tracer, no checkpointer."""

    def __init__(self, work: common.Work) -> None:
        self.config: Any = {"recursion_limit": 2 * work.longest + 10}
        model = ChatOpenAI(
            model="bench",
            base_url=work.url,
            api_key="sk-bench",
            streaming=work.stream,
            stream_usage=work.stream,
            use_responses_api=False,
        )

        @tool
        async def look(key: str) -> str:
            """Look up a key."""
            return common.looked(key)

        worker = create_agent(model, [look], system_prompt=common.WORKER)

        @tool
        async def assign_task(agent: str, prompt: str) -> str:  # noqa: ARG001 - the model's choice
            """Launch a new agent."""
            return await self.run(worker, prompt)

        self.orchestrator = create_agent(model, [assign_task], system_prompt=common.ORCHESTRATOR)

    async def __call__(self, work: common.Work) -> str:
        return await self.run(self.orchestrator, work.goal)

    async def close(self) -> None:
        """The model keeps its own client; there is nothing to close."""

    async def run(self, agent: Any, prompt: str) -> str:
        state = await agent.ainvoke({"messages": [("user", prompt)]}, self.config)
        return state["messages"][-1].content


if __name__ == "__main__":
    common.main(common.Client(import_s, LangGraph))
