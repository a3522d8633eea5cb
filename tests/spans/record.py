"""Record the spans that other libraries write when they run a swarm.

    python tests/spans/record.py openai-agents

Each recording is one orchestrator with parallel sub-agents of that library, on real files, against
the simulator of this project over HTTP. The spans go through the library's instrumentation and
the OTLP exporter to a receiver on this machine, and from there to tests/spans/NAME.jsonl.
Run it in a virtual environment of its own; it says what to install there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import operator
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypedDict

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GOAL = (
    "For each file in museums, give the opening hours and the ticket price. "
    "Join the results into one table."
)
MUSEUMS = {"art": 12, "history": 9, "nature": 8}
SYSTEM = "You are an orchestrator. Create a sub-agent and assign each file to one; then join."
SDK = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"


class Recording(NamedTuple):
    packages: str
    """What to install."""
    instruments: str
    """The classes that instrument it, as module:name."""
    run: str


RECORDINGS = {
    "openai-agents": Recording(
        "openai-agents openinference-instrumentation-openai-agents",
        "openinference.instrumentation.openai_agents:OpenAIAgentsInstrumentor",
        "openai_agents",
    ),
    "openai-agents-genai": Recording(
        "openai-agents opentelemetry-instrumentation-genai-openai-agents "
        "opentelemetry-instrumentation-genai-openai",
        "opentelemetry.instrumentation.genai.openai_agents:OpenAIAgentsInstrumentor "
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "openai_agents",
    ),
    "openai-agents-openllmetry": Recording(
        "openai-agents opentelemetry-instrumentation-openai-agents",
        "opentelemetry.instrumentation.openai_agents:OpenAIAgentsInstrumentor",
        "openai_agents",
    ),
    "langgraph": Recording(
        "langgraph langchain langchain-openai openinference-instrumentation-langchain",
        "openinference.instrumentation.langchain:LangChainInstrumentor",
        "langgraph_agents",
    ),
    "langgraph-genai": Recording(
        "langgraph langchain langchain-openai opentelemetry-instrumentation-genai-langchain",
        "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor",
        "langgraph_agents",
    ),
    "langgraph-openllmetry": Recording(
        "langgraph langchain langchain-openai opentelemetry-instrumentation-langchain",
        "opentelemetry.instrumentation.langchain:LangchainInstrumentor",
        "langgraph_agents",
    ),
    "langgraph-send": Recording(
        "langgraph langchain langchain-openai openinference-instrumentation-langchain",
        "openinference.instrumentation.langchain:LangChainInstrumentor",
        "langgraph_send",
    ),
    "langgraph-send-genai": Recording(
        "langgraph langchain langchain-openai opentelemetry-instrumentation-genai-langchain",
        "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor",
        "langgraph_send",
    ),
    "pydantic-ai": Recording(
        "pydantic-ai-slim[openai]",
        "pydantic_ai.models.instrumented:InstrumentationSettings",
        "pydantic_ai",
    ),
}


class World:
    """The files that the tools see, and the sub-agents that were created."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.prompts: dict[str, str] = {}

    def list_files(self, folder: str = ".") -> str:
        """List the files of a folder: one line for each, its path."""
        there = sorted((self.folder / folder).iterdir())
        return "\n".join(path.relative_to(self.folder).as_posix() for path in there)

    def read_file(self, path: str) -> str:
        """Read a text file of the working folder."""
        return (self.folder / path).read_text("utf-8")

    def create_subagent(self, name: str, system_prompt: str) -> str:
        """Create a custom subagent with specific system prompt and name for reuse."""
        self.prompts[name] = system_prompt
        return f"created {name}"


class State(TypedDict):
    """Of the graph; LangGraph looks its types up in the module."""

    found: Annotated[list[str], operator.add]
    answer: str


# The libraries.


async def openai_agents(world: World) -> str:
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=world.url, api_key="none")
    model = OpenAIChatCompletionsModel(model="simulator", openai_client=client)
    reading = [function_tool(world.list_files), function_tool(world.read_file)]

    async def assign_task(agent: str, prompt: str) -> str:
        """Launch a new agent; it returns a single message when it is done."""
        instructions = world.prompts[agent]
        worker = Agent(name=agent, instructions=instructions, model=model, tools=reading)
        return (await Runner.run(worker, prompt)).final_output

    spawning = [function_tool(world.create_subagent), function_tool(assign_task)]
    main = Agent(name="orchestrator", instructions=SYSTEM, model=model, tools=[*reading, *spawning])
    return (await Runner.run(main, GOAL)).final_output


async def langgraph_agents(world: World) -> str:
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="simulator", base_url=world.url, api_key="none")
    reading = [world.list_files, world.read_file]

    async def assign_task(agent: str, prompt: str) -> str:
        """Launch a new agent; it returns a single message when it is done."""
        worker = create_agent(model, reading, system_prompt=world.prompts[agent], name=agent)
        done = await worker.ainvoke({"messages": [("user", prompt)]})
        return done["messages"][-1].content

    tools = [*reading, world.create_subagent, assign_task]
    main = create_agent(model, tools, system_prompt=SYSTEM, name="orchestrator")
    done = await main.ainvoke({"messages": [("user", GOAL)]})
    return done["messages"][-1].content


async def langgraph_send(world: World) -> str:
    """A graph that fans out with `Send`: every reader calls the model and its tools itself."""
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    model = ChatOpenAI(model="simulator", base_url=world.url, api_key="none")
    tools = {"read_file": tool(world.read_file)}
    reading = model.bind_tools(list(tools.values()))

    async def reader(state: dict[str, Any]) -> dict[str, Any]:
        messages: list[Any] = [HumanMessage(f"What is the ticket price in {state['path']}?")]

        while True:
            answer: AIMessage = await reading.ainvoke(messages)
            messages.append(answer)

            if not answer.tool_calls:
                return {"found": [str(answer.content)]}

            for call in answer.tool_calls:
                text = await tools[call["name"]].ainvoke(call["args"])
                messages.append(ToolMessage(text, tool_call_id=call["id"]))

    async def join(state: State) -> dict[str, Any]:
        said = "\n".join(state["found"])
        return {"answer": str((await model.ainvoke(f"Join these results:\n{said}")).content)}

    def split(_state):  # LangGraph looks annotations up in the module
        return [Send("reader", {"path": path}) for path in world.list_files("museums").split("\n")]

    graph = StateGraph(State)
    graph.add_node("reader", reader)
    graph.add_node("join", join)
    graph.add_conditional_edges(START, split, ["reader"])
    graph.add_edge("reader", "join")
    graph.add_edge("join", END)
    return (await graph.compile(name="prices").ainvoke({"found": []}))["answer"]


async def pydantic_ai(world: World) -> str:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("simulator", provider=OpenAIProvider(world.url, api_key="none"))
    reading = [world.list_files, world.read_file]

    async def assign_task(agent: str, prompt: str) -> str:
        """Launch a new agent; it returns a single message when it is done."""
        worker = Agent(model, name=agent, instructions=world.prompts[agent], tools=reading)
        return (await worker.run(prompt)).output

    tools = [*reading, world.create_subagent, assign_task]
    return (
        await Agent(model, name="orchestrator", instructions=SYSTEM, tools=tools).run(GOAL)
    ).output


# The recording.


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("recording", choices=sorted(RECORDINGS))
    arguments.add_argument("--kimi-nb", default=str(ROOT / ".venv/bin/kimi-nb"))
    given = arguments.parse_args()
    recording = RECORDINGS[given.recording]

    needed = [*recording.instruments.split(), "opentelemetry.exporter.otlp.proto.http"]

    if not all(map(_is_there, needed)):
        sys.exit(f"type first: {sys.executable} -m pip install {recording.packages} {SDK}")

    os.environ["OTEL_RESOURCE_ATTRIBUTES"] = ""
    sys.path.insert(0, str(HERE.parent))
    from otlp import Receiver

    with Receiver() as receiver, _simulator(given.kimi_nb) as url, _museums() as folder:
        provider = _provider(receiver.url, given.recording)
        _instrument(recording, provider)
        answer = asyncio.run(globals()[recording.run](World(folder, url)))
        provider.force_flush()
        provider.shutdown()

    target = HERE / f"{given.recording}.jsonl"
    lines = [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in receiver.requests]
    target.write_text("\n".join(lines) + "\n", "utf-8")  # as the Collector's file exporter
    names = [name.partition("[")[0] for name in recording.packages.split()]
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    sys.stdout.write(f"{answer}\n{target}: {target.stat().st_size // 1000} kB\n{versions}\n")


def _is_there(place: str) -> bool:
    module = place.partition(":")[0]

    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _provider(url: str, name: str) -> object:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider


def _instrument(recording: Recording, provider: object) -> None:
    for place in recording.instruments.split():
        module, _, name = place.partition(":")
        cls = getattr(importlib.import_module(module), name)

        if module.startswith("pydantic_ai"):  # its own, and no instrumentor
            from pydantic_ai import Agent

            Agent.instrument_all(cls(tracer_provider=provider))
        else:
            cls().instrument(tracer_provider=provider)


@contextlib.contextmanager
def _simulator(command: str) -> Iterator[str]:
    options = ["simulator", "--port", "0", "--latency", "0.05"]
    process = subprocess.Popen([command, *options], stderr=subprocess.PIPE, text=True)

    try:
        line = process.stderr.readline()
        yield next(word.rstrip(";") for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextlib.contextmanager
def _museums() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "museums").mkdir()

        for name, price in MUSEUMS.items():
            lines = (
                f"# Museum of {name}",
                "",
                f"Opening hours: 10-{price}",
                f"Ticket price: {price} euros",
            )
            (Path(folder) / "museums" / f"{name}.md").write_text("\n".join(lines) + "\n", "utf-8")

        yield Path(folder)


if __name__ == "__main__":
    main()
