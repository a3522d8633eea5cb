"""A small MCP server for tests: `python mcp_peer.py` speaks stdio.

With the descriptor of a socket that listens it serves HTTP there.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import sys
from pathlib import Path
from typing import Any, Literal

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ImageContent, TextContent, ToolAnnotations
from pydantic import BaseModel

PNG = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()
server: MCPServer[Any] = MCPServer("peer", log_level="ERROR")


class Node(BaseModel):
    name: str
    children: list[Node] = []


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def environment() -> str:
    """All names and values of this process's environment."""
    return "\n".join(f"{name}={value}" for name, value in os.environ.items())


@server.tool()
def add(a: int, b: int | None = 2, way: Literal["plus", "minus"] = "plus") -> str:
    """Add two numbers."""
    return str(a + (b or 0) if way == "plus" else a - (b or 0))


@server.tool()
def depth(tree: Node) -> str:
    """How deep a tree is."""

    def of(node: Node) -> int:
        return 1 + max(map(of, node.children), default=0)

    return str(of(tree))


@server.tool()
def picture() -> list[TextContent | ImageContent]:
    """A picture of one pixel."""
    image = ImageContent(type="image", data=PNG, mime_type="image/png")
    return [TextContent(type="text", text="one pixel"), image]


@server.tool()
def fail() -> str:
    """Fail."""
    raise ToolError("it is broken")


@server.tool()
def die() -> str:
    """End the server."""
    os._exit(3)


@server.tool(name="x.1")
def odd() -> str:
    """A tool with a name that Kimi refuses."""
    return "odd"


@server.tool()
async def wait(path: str) -> str:
    """Write "began" to a file, and "stopped" if cancelled."""
    state = Path(path)
    state.write_text("began")  # noqa: ASYNC240 -- a word

    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        state.write_text("stopped")  # noqa: ASYNC240
        raise

    return "waited"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        listening = socket.socket(fileno=int(sys.argv[1]))
        config = uvicorn.Config(server.streamable_http_app(), log_level="error")
        uvicorn.Server(config).run(sockets=[listening])
    else:
        server.run("stdio")
