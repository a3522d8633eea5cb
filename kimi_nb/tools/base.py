"""What a tool is, and the set of tools that an agent holds."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.tools.handwritten import reader_of
from kimi_nb.tools.image import Image, parted
from kimi_nb.tools.nearest import suggest
from kimi_nb.tools.processes import Processes, submitted
from kimi_nb.tools.render import capped, clean, render
from kimi_nb.tools.scalars import BadArgument, Fit, Reader
from kimi_nb.tools.threads import Slots, in_thread

__all__ = ["MOST_TOOLS", "Tool", "ToolContext", "ToolOutcome", "Toolset"]

OUTPUT_LIMIT = 20_000
"""Characters of one result: some 5,000 tokens."""
THREADS = 32
"""Plain functions of one Toolset that run at once."""
MOST_TOOLS = 128
"""Kimi accepts no more in a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Who calls, and where. A parameter annotated with it is filled in, not shown to the model."""

    folder: Path
    """The run's working folder, the same for all its agents; file tools see nothing outside it."""
    agent: str
    """The agent's id in the run: "a0" is the one that got the goal, sub-agents follow."""
    run: str
    """The same for all calls of one run, other runs have others."""
    left: Mapping[str, float] = field(default_factory=dict[str, float])
    """What the run's budget still holds, by the names of `kn.Budget`; no key: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What goes back to the model. A failure is an answer too."""

    ok: bool
    text: str
    truncated: bool = False
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that a model can call. Calling the tool calls the function."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments, in Moonshot's dialect."""
    function: Callable[..., Any]
    context_parameter: str | None = None
    """The parameter that gets the ToolContext."""
    side_effects: bool = False
    """Calling it twice may do harm."""
    private: bool = False
    """What it returns may be the user's own data."""
    untrusted: bool = False
    """What it returns may be written by strangers."""
    outward: bool = False
    """Calling it sends its arguments out; see `tools.rights`."""
    reader: Reader | None = None
    """Turns a JSON object into keyword arguments; None: made from `parameters`."""
    executor: Executor | Literal["processes"] | None = None
    """Where its function runs; None: in a thread, or on the event loop if it is async."""
    close: Callable[[], Awaitable[None]] | None = None
    """Frees what the tool holds; it may be used again afterwards."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @property
    def spec(self) -> dict[str, Any]:
        """The tool as the API has it."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        }


class Toolset:
    """Tools by name. Their order is the order in which they were given."""

    __slots__ = ("_asynchronous", "_limit", "_processes", "_readers", "_slots", "_tools")

    def __init__(self, tools: Iterable[Tool] = (), *, output_limit: int = OUTPUT_LIMIT) -> None:
        self._tools = _by_name(tools)
        self._limit = output_limit
        self._slots = Slots(THREADS)
        self._processes = Processes()
        self._asynchronous = {
            name for name, tool in self._tools.items() if _is_async(tool.function)
        }
        self._readers = {
            name: tool.reader or reader_of(tool.parameters) for name, tool in self._tools.items()
        }

    @property
    def specs(self) -> list[dict[str, Any]]:
        """All tools as the API has them, always in the same order."""
        return [tool.spec for tool in self]

    @property
    def output_limit(self) -> int:
        """Characters of an answer."""
        return self._limit

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __add__(self, other: Iterable[Tool]) -> Toolset:
        return Toolset([*self, *other], output_limit=self._limit)

    def __repr__(self) -> str:
        return f"Toolset({', '.join(self._tools)})"

    async def call(self, name: str, arguments: str, context: ToolContext) -> ToolOutcome:
        """Do what a model asked. Raises nothing but CancelledError: a failure is an answer."""
        tool = self._tools.get(name)

        if tool is None:
            return self._failure(f"no tool {name!r}; {suggest(name, self._tools)}")

        try:
            keywords = self._read(tool, arguments)
        except BadArgument as error:
            return self._failure(f"{error}\n{_usage(tool)}")

        return await self._run(tool, keywords, context)

    async def close(self) -> None:
        """Free what the tools hold: processes, connections. They may be used again."""
        await self._processes.close()

        for tool in self:
            if tool.close is not None:
                await tool.close()

    def _read(self, tool: Tool, arguments: str) -> dict[str, Any]:
        return self._readers[tool.name](_parsed(arguments), "", Fit.LENIENT)

    async def _run(self, tool: Tool, keywords: dict[str, Any], context: ToolContext) -> ToolOutcome:
        if tool.context_parameter is not None:
            keywords[tool.context_parameter] = context

        try:
            rest, images = parted(await self._result(tool, keywords))
            text = render(rest)
        except ToolError as error:
            return self._failure(str(error))
        except asyncio.CancelledError:
            task = asyncio.current_task()

            if task is None or task.cancelling():
                raise

            return self._failure("the tool gave up: something that it waited for was cancelled")
        except Exception as error:  # noqa: BLE001
            # A user's function may raise anything, and whatever it is, it must reach the
            # model as an answer: an agent has to go on where a tool fails.
            return self._failure(f"{type(error).__name__}: {error}")

        text, truncated = capped(clean(text), self._limit, _advice(tool))
        return ToolOutcome(ok=True, text=text, truncated=truncated, images=images)

    async def _result(self, tool: Tool, keywords: dict[str, Any]) -> Any:
        if tool.executor == "processes":
            return await self._processes.call(tool.function, keywords)

        if tool.executor is not None:
            return await submitted(tool.executor, tool.function, keywords)

        if tool.name in self._asynchronous:
            return await tool.function(**keywords)

        async with self._slots.taken():
            result = await in_thread(lambda: tool.function(**keywords))

        return await result if inspect.isawaitable(result) else result

    def _failure(self, message: str) -> ToolOutcome:
        text, truncated = capped(clean(f"ERROR: {message}"), self._limit, "the rest is left out")
        return ToolOutcome(ok=False, text=text, truncated=truncated)


def _by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}

    for tool in tools:
        if found.setdefault(tool.name, tool) is not tool:
            raise UsageFault(
                f"two tools are called {tool.name!r}; rename one with @kn.tool(name='…')"
            )

    if len(found) > MOST_TOOLS:
        raise UsageFault(f"{len(found)} tools are too many: Kimi takes {MOST_TOOLS} at most")

    return found


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
    )


def _parsed(arguments: str) -> Any:
    if not arguments.strip():
        return {}

    try:
        return orjson.loads(arguments) or {}
    except orjson.JSONDecodeError as error:
        raise BadArgument(f"the arguments are not valid JSON ({error})") from error


def _usage(tool: Tool) -> str:
    properties: dict[str, Any] = tool.parameters.get("properties", {})

    if not properties:
        return f"{tool.name} takes no arguments: send {{}}"

    required = tool.parameters.get("required", ())
    told = [
        f"{name} ({_kind(schema)}{'' if name in required else ', optional'})"
        for name, schema in properties.items()
    ]
    return f"{tool.name} takes: {', '.join(told)}"


def _kind(schema: dict[str, Any]) -> str:
    branches = schema.get("anyOf", [schema])
    return " or ".join(str(branch.get("type", "any")) for branch in branches)


def _advice(tool: Tool) -> str:
    properties = tool.parameters.get("properties", {})

    if "offset" in properties:
        return "call again with another offset, or a smaller limit"

    if "limit" in properties:
        return "call again with a smaller limit"

    return "ask for less to see the rest"
