"""The tool with which an agent computes."""

from __future__ import annotations

from kimi_nb.tools.base import Tool, ToolContext
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.sandbox import Sandbox

__all__ = ["python_tool"]


def python_tool(sandbox: Sandbox | None = None) -> Tool:
    """A `python` tool with workers of its own, which its `close` ends."""
    pool = sandbox or Sandbox()

    @tool(private=True, untrusted=True, close=pool.close)
    async def python(context: ToolContext, code: str) -> str:
        """Run Python code and get what it prints, and the value of its last expression.

        The working folder is /data, read-only, and the current directory. Each call starts
        afresh: nothing is kept from the last one. At most 10 seconds and 200 MB.
        It is a small Python without network, processes and installed packages. Modules:
        asyncio, collections, csv, dataclasses, datetime, decimal, functools, hashlib,
        itertools, json, math, os (listdir, walk, path), pathlib, random, re, sys, time.
        Missing: yield, del, class inheritance, @property, and all other modules (no
        statistics, string, io, heapq, enum, glob, numpy, pandas).
        Files are UTF-8 by default; open(path, encoding=…, errors=…) reads others.

        Args:
            code: The code. Print the results.
        """
        return await pool.run(code, context.folder)

    return python
