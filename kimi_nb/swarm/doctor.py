"""Is everything in order? One check a line, and for each that fails what to do."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kimi_nb._version import __version__
from kimi_nb.errors import KimiNbError
from kimi_nb.models.base import Conversation, Request, ToolCall, ToolSpecs
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.connect import Connection, connect
from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS
from kimi_nb.swarm.runtime import runtime
from kimi_nb.tools import ToolContext, standard_tools

__all__ = ["Check", "Report", "examine"]

PATIENCE = 90.0
"""Seconds for one check."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    detail: str


class Report(list[Check]):
    """The checks, in their order."""

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self)

    def as_dict(self) -> dict[str, Any]:
        """{"checks": [{"name", "ok", "detail"}]}."""
        return {"checks": [asdict(check) for check in self]}

    def __repr__(self) -> str:
        return "\n".join(
            f"{'✔ ok    ' if check.ok else '✘ failed'}  {check.name:<12} {check.detail}"
            for check in self
        )


def examine(
    model: str | None = None,
    base_url: str | None = None,
    key: str | Secret | None = None,
    *,
    told: Callable[[Check], None] = lambda _check: None,
) -> Report:
    """Check the installation, the key, the models and, with one small paid call, the endpoint.

    `told` hears each check as it ends.
    """
    key = Secret.of(key)
    return runtime().spawn(_examine(model, base_url, key, told)).result()


async def _examine(
    model: str | None, base_url: str | None, key: Secret | None, told: Callable[[Check], None]
) -> Report:
    report = Report()

    async def check(name: str, work: Awaitable[str]) -> bool:
        try:
            found = Check(name, ok=True, detail=await asyncio.wait_for(work, PATIENCE))
        except TimeoutError:
            found = Check(name, ok=False, detail=f"no answer within {PATIENCE:.0f} s")
        except (KimiNbError, OSError) as error:
            found = Check(name, ok=False, detail=" ".join(str(error).split()))

        report.append(found)
        told(found)
        return found.ok

    await check("version", _version())
    await check("log", _log())
    await check("sandbox", _sandbox())
    made: list[Connection] = []

    async def connection() -> str:
        made.append(connect(model, base_url, key, None, None, None))
        return _described(made[0])

    if not await check("model", connection()):
        return report

    try:
        if made[0].base_url is not None and not await check("models", _models(made[0])):
            return report

        await check("call", _call(made[0]))
    finally:
        await made[0].model.close()

    return report


async def _version() -> str:
    return f"kimi_nb {__version__}, Python {platform.python_version()}, {platform.system()}"


async def _log() -> str:
    folder = Path.cwd()

    if os.access(folder, os.W_OK):
        return f"goes to {folder / '.kimi_nb' / 'runs'}"

    return f"{folder} is read-only; logs go to {tempfile.gettempdir()}"


async def _sandbox() -> str:
    tools = standard_tools()
    context = ToolContext(folder=Path.cwd(), agent="doctor", run="doctor")

    try:
        outcome = await tools.call("python", '{"code": "print(6 * 7)"}', context)
    finally:
        await tools.close()

    if outcome.text.strip() != "42":
        raise KimiNbError(outcome.text)

    return "runs model-written Python"


def _described(connection: Connection) -> str:
    if connection.model.simulated:
        return (
            "the simulator: rules, no language model; "
            "set MOONSHOT_API_KEY (or KIMI_API_KEY), or give --model and --base-url"
        )

    return f"{connection.model.name} at {connection.base_url}"


async def _models(connection: Connection) -> str:
    from kimi_nb.models.chat import ChatModel

    chat = connection.model

    if not isinstance(chat, ChatModel):
        return "not listed: a client of your own"

    names = [card.id for card in await chat.models()]
    listed = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")

    if names and chat.name not in names:
        message = f"{chat.name} is not among the models here: {listed}"
        raise KimiNbError(message)

    return listed


class _Ear:
    """Counts what streams in."""

    def __init__(self) -> None:
        self.pieces = 0
        self.calls: list[ToolCall] = []

    def on_text(self, text: str) -> None:
        self.pieces += bool(text)

    def on_thinking(self, text: str) -> None:
        self.pieces += bool(text)

    def on_call(self, call: ToolCall) -> None:
        self.calls.append(call)


async def _call(connection: Connection) -> str:
    goal = "Create a sub-agent named helper with create_subagent. Answer with that call only."
    request = Request(
        conversation=Conversation(({"role": "user", "content": goal},)),
        tools=ToolSpecs(ORCHESTRATOR_TOOLS),
        max_tokens=4_096,
    )
    ear = _Ear()
    loop = asyncio.get_running_loop()
    began = loop.time()
    reply = await connection.model.reply(request, ear)
    seconds = loop.time() - began
    tools = "calls tools" if reply.calls else "answered without a tool call"
    usage = "estimated" if reply.usage.estimated else "reported"
    return (
        f"answered in {seconds:.1f} s, {tools}; {reply.usage.tokens_in} + "
        f"{reply.usage.tokens_out} tokens ({usage})"
    )
