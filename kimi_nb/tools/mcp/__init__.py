"""The tools of any MCP server, as tools of a swarm. Needs the official SDK, an extra."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.redact import know
from kimi_nb.tools.base import Tool
from kimi_nb.tools.image import Image
from kimi_nb.tools.mcp.connection import Connection, Place
from kimi_nb.tools.mcp.dialect import moonshot
from kimi_nb.tools.render import clean

if TYPE_CHECKING:
    from mcp.types import CallToolResult
    from mcp.types import Tool as Offered

__all__ = ["mcp_tools"]

DESCRIPTION = 2_000
"""Characters of a tool's description: it is a stranger's text in every prompt."""
_SECRET = re.compile(r"(?i)key|token|secret|passw")
INSTALL = "pip install 'kimi-nb[mcp]'"


def mcp_tools(
    server: str | Sequence[str],
    *,
    only: Iterable[str] = (),
    prefix: str = "",
    env: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    private: bool = False,
    trusted: bool = False,
) -> list[Tool]:
    """The tools of an MCP server, to hand over: `kn.swarm(goal, tools=kn.mcp_tools(…))`.

    server: the URL of one that runs (Streamable HTTP), or the command that starts one, as a line
        or a list of words. It is started at once, ends with the run, and starts again when called.
    only: names of the tools to take; all without it. `prefix` goes before their names.
    env: variables for the command; of ours it gets PATH, HOME and the like, no keys. One that is
        called a key, token, secret or password is hidden wherever a key is.
    headers: for a URL, such as {"Authorization": "Bearer …"}; never shown or logged.
    private: what it says may be data of yours: it reads your mail, say, or your files.
    trusted: what it says is not taken as a stranger's text, nor what it is asked as sent out.

    Raises UsageFault where it cannot be asked so, and ToolError where it does not answer.
    """
    if importlib.util.find_spec("mcp") is None:
        raise UsageFault(f"the tools of an MCP server need the MCP SDK; type: {INSTALL}")

    for secret in (headers or {}).values():
        know(secret.removeprefix("Bearer ").strip())

    for name, value in (env or {}).items():
        if _SECRET.search(name):
            know(value)

    connection = Connection(_place(server, env or {}, headers or {}))
    wanted = frozenset(only)
    offered = [each for each in connection.tools() if not wanted or each.name in wanted]

    if missing := wanted - {each.name for each in offered}:
        names = ", ".join(sorted(each.name for each in connection.tools()))
        raise UsageFault(f"the server has no tool {min(missing)!r}; it has: {names}")

    made = [_tool(connection, each, prefix) for each in offered]
    return [
        replace(each, private=private, untrusted=not trusted, outward=not trusted) for each in made
    ]


def _place(
    server: str | Sequence[str], env: Mapping[str, str], headers: Mapping[str, str]
) -> Place:
    words = shlex.split(server) if isinstance(server, str) else list(server)

    if not words:
        raise UsageFault("name an MCP server: a URL, or the command that starts one")

    if words[0].startswith(("http://", "https://")):
        if env or len(words) > 1:
            raise UsageFault("a server with a URL is not started here: leave out env and arguments")

        return Place(url=words[0], headers=headers)

    if headers:
        raise UsageFault("headers are for a server with a URL; give a command its keys with env=")

    return Place(command=tuple(words), environment=env)


def _tool(connection: Connection, offered: Offered, prefix: str) -> Tool:
    hints = offered.annotations
    harmless = hints is not None and (hints.read_only_hint or hints.idempotent_hint)

    async def call(**arguments: Any) -> Any:
        return _returned(await connection.call(offered.name, arguments))

    return Tool(
        name=_name(prefix + offered.name),
        description=clean(offered.description or offered.name)[:DESCRIPTION],
        parameters=moonshot(offered.input_schema),
        function=call,
        side_effects=not harmless,
        close=connection.close,
    )


def _name(name: str) -> str:
    """A name that Kimi takes: 3 to 64 letters, digits, _ or -, and no digit or - first."""
    kept = re.sub(r"[^a-zA-Z0-9_-]", "_", name)
    kept = kept if re.match(r"[a-zA-Z_]", kept) else f"_{kept}"
    return kept[:64].ljust(3, "_")


def _returned(result: CallToolResult) -> Any:
    """Text and images of a result. Raises ToolError for one that says that it is an error."""
    parts = [_part(block) for block in result.content]

    if result.is_error:
        text = "\n".join(part for part in parts if isinstance(part, str))
        raise ToolError(text or "the tool failed and did not say why")

    if not parts and result.structured_content is not None:
        return orjson.dumps(result.structured_content).decode()

    text = "\n".join(part for part in parts if isinstance(part, str))
    images = [part for part in parts if isinstance(part, Image)]
    return [text, *images] if images else text


def _part(block: Any) -> str | Image:
    match block.type:
        case "text":
            return str(block.text)
        case "image":
            return _image(block.data, block.mime_type)
        case "resource_link":
            return f"[resource {block.name}: {block.uri}]"
        case "resource":
            text = getattr(block.resource, "text", None)
            return str(text) if text is not None else f"[binary resource {block.resource.uri}]"
        case kind:
            return f"[{kind}: not shown]"


def _image(data: str, kind: str) -> str | Image:
    try:
        return Image(base64.b64decode(data, validate=True))
    except (binascii.Error, ToolError) as error:
        return f"[an image of type {kind} cannot be shown: {error}]"
