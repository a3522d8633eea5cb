"""A small agent loop around the simulator: real tools on a real folder, no engine."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from kimi_nb.models.simulator import Options
from kimi_nb.models.simulator.respond import respond
from kimi_nb.models.simulator.script import Dropped, Fault
from kimi_nb.models.simulator.tables import read_tables
from kimi_nb.tools.base import ToolContext, Toolset

QUIET = Options(latency=0.0, spread=0.0)


def _function(name: str, description: str, *required: str, **optional: str) -> dict[str, Any]:
    properties = {n: {"type": "string"} for n in required}
    properties |= {n: {"type": kind} for n, kind in optional.items()}
    parameters = {"type": "object", "required": list(required), "properties": properties}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


SPAWN = [
    _function("create_subagent", "Create a custom subagent.", "name", "system_prompt"),
    _function("assign_task", "Launch a new agent.", "agent", "prompt"),
    _function("map_task", "One new agent for each item.", "agent", "template", items="array"),
]


@dataclass
class Assembled:
    """One assistant turn, put together from a script."""

    text: str = ""
    thinking: str = ""
    finish: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)

    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self.text}

        if self.calls:
            message["tool_calls"] = self.calls

        return message


def assemble(script) -> Assembled:
    turn = Assembled()

    for event in script:
        assert not isinstance(event.what, (Fault, Dropped)), event
        for choice in event.what["choices"]:
            delta = choice["delta"]
            turn.text += delta.get("content") or ""
            turn.thinking += delta.get("reasoning_content") or ""
            turn.finish = choice["finish_reason"] or turn.finish

            for part in delta.get("tool_calls", ()):
                if part["index"] == len(turn.calls):
                    call = {**part, "function": dict(part["function"])}
                    turn.calls.append({key: call[key] for key in ("id", "type", "function")})
                else:
                    function = turn.calls[part["index"]]["function"]
                    function["arguments"] += part["function"]["arguments"]

    return turn


@dataclass
class World:
    """Agents, real tools and a working folder."""

    folder: Path
    tools: Toolset
    most: int = 20
    options: Options = QUIET
    fail_agents: frozenset[int] = frozenset()
    """Numbers of the sub-agents, in the order of their launch, that fail."""
    launched: int = 0
    steps: list[int] = field(default_factory=list)
    """Assistant turns of every agent that ended."""
    answers: list[str] = field(default_factory=list)
    tool_calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def swarm(self, goal: str) -> str:
        system = (
            f"You are the orchestrator. You may launch at most {self.most} sub-agents in this "
            f"run.\nWorking folder: {self.folder}"
        )
        return await self._loop(system, goal, [*SPAWN, *self.tools.specs])

    async def single(self, goal: str) -> str:
        return await self._loop(
            f"You work alone.\nWorking folder: {self.folder}", goal, self.tools.specs
        )

    async def _loop(self, system: str, goal: str, specs: list[dict[str, Any]]) -> str:
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": system},
            {"role": "user", "content": goal},
        ]

        for step in range(1, 101):
            request = {"model": "simulator", "messages": messages, "tools": specs}
            turn = assemble(respond(request, self.options))
            messages.append(turn.message())

            if not turn.calls:
                self.steps.append(step)
                self.answers.append(turn.text)
                return turn.text

            results = await asyncio.gather(*(self._call(call) for call in turn.calls))
            messages += [
                {"role": "tool", "tool_call_id": call["id"], "content": result}
                for call, result in zip(turn.calls, results, strict=True)
            ]

        return "ERROR: the agent exceeded its 100 steps"

    async def _call(self, call: dict[str, Any]) -> str:
        name = call["function"]["name"]
        arguments = orjson.loads(call["function"]["arguments"])

        if name == "create_subagent":
            return "created"

        if name == "assign_task":
            return await self._agent(arguments["prompt"])

        if name == "map_task":
            return await self._map(arguments)

        self.tool_calls.append((name, arguments))
        outcome = await self.tools.call(name, call["function"]["arguments"], self._context())
        return outcome.text

    def _context(self) -> ToolContext:
        return ToolContext(folder=self.folder, agent="a", run="r")

    async def _map(self, arguments: dict[str, Any]) -> str:
        texts = await asyncio.gather(
            *(
                self._agent(arguments["template"].replace("{{item}}", item))
                for item in arguments["items"]
            )
        )
        return orjson.dumps(
            [
                {"item": item, "ok": not text.startswith("ERROR: "), "text": text}
                for item, text in zip(arguments["items"], texts, strict=True)
            ]
        ).decode()

    async def _agent(self, prompt: str) -> str:
        if self.launched >= self.most:
            return f"ERROR: no more sub-agents: the limit of {self.most} is reached"

        self.launched += 1

        if self.launched in self.fail_agents:
            return "ERROR: the endpoint could not be reached"

        return await self._loop("You are a sub-agent.", prompt, self.tools.specs)


def table_of(answer: str) -> dict[str, dict[str, str]]:
    """The one table of an answer: item → header → cell, without the item's own column."""
    (table,) = read_tables(answer)
    return {row[0]: dict(zip(table.headers[1:], row[1:], strict=True)) for row in table.rows}


def head_of(answer: str) -> str:
    """What stands above the table."""
    return re.split(r"(?m)^\|", answer, maxsplit=1)[0].strip()
