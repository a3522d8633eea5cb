"""openai-agents: the fan-out is a tool that runs a sub-agent; the Runner calls tools at once."""

# ruff: noqa: E402 - the imports are what is timed
import time

began = time.perf_counter()
import agents
import openai

import_s = time.perf_counter() - began

import common


class OpenAIAgents:
    """Two agents on one model; tracing is off."""

    def __init__(self, work: common.Work) -> None:
        agents.set_tracing_disabled(True)
        self.stream = work.stream
        self.longest = work.longest
        self.client = openai.AsyncOpenAI(base_url=work.url, api_key="sk-bench")
        model = agents.OpenAIChatCompletionsModel("bench", self.client)
        settings = agents.ModelSettings(include_usage=True)

        @agents.function_tool
        async def look(key: str) -> str:
            """Look up a key."""
            return common.looked(key)

        worker = agents.Agent(
            name="worker",
            instructions=common.WORKER,
            model=model,
            model_settings=settings,
            tools=[look],
        )

        @agents.function_tool
        async def assign_task(agent: str, prompt: str) -> str:  # noqa: ARG001 - the model's choice
            """Launch a new agent."""
            return await self.run(worker, prompt)

        self.orchestrator = agents.Agent(
            name="orchestrator",
            instructions=common.ORCHESTRATOR,
            model=model,
            model_settings=settings,
            tools=[assign_task],
        )

    async def __call__(self, work: common.Work) -> str:
        return await self.run(self.orchestrator, work.goal)

    async def close(self) -> None:
        await self.client.close()

    async def run(self, agent: agents.Agent, prompt: str) -> str:
        turns = self.longest + 2

        if not self.stream:
            return (await agents.Runner.run(agent, prompt, max_turns=turns)).final_output

        result = agents.Runner.run_streamed(agent, prompt, max_turns=turns)

        async for _event in result.stream_events():
            pass

        return result.final_output


if __name__ == "__main__":
    common.main(common.Client(import_s, OpenAIAgents))
