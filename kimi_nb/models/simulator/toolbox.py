"""What each tool of a request is good for, read off its schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

__all__ = ["Tool", "Toolbox", "open_toolbox"]

_SPAWNERS = frozenset({"create_subagent", "assign_task", "map_task"})
_PATHS = frozenset({"path", "file", "filename", "file_path", "filepath"})
_FOLDERS = frozenset({"folder", "path", "directory", "dir"})


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str
    parameters: tuple[tuple[str, str], ...]
    """Name and JSON type of each."""
    required: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """Its parameters' names."""
        return frozenset(name for name, _ in self.parameters)

    def type_of(self, parameter: str) -> str:
        """The JSON type of one parameter, "string" if it has none."""
        return dict(self.parameters).get(parameter, "string")


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools by what they do; None where a request has none of that kind."""

    create: Tool | None
    assign: Tool | None
    spread: Tool | None
    """`map_task`"""
    list_files: Tool | None
    read_file: Tool | None
    grep: Tool | None
    list_packages: Tool | None
    package_info: Tool | None
    python: Tool | None
    mount: str
    """Where the sandbox has the working folder."""
    others: tuple[Tool, ...]
    """Tools that fit none of these: the user's own."""

    @property
    def kept(self) -> frozenset[str]:
        """Tools whose results do not load the working memory."""
        tools = (
            self.create,
            self.assign,
            self.spread,
            self.list_files,
            self.list_packages,
        )
        return frozenset(tool.name for tool in tools if tool)

    @property
    def can_spawn(self) -> bool:
        """The agent that holds these tools is an orchestrator."""
        return self.create is not None and (self.assign or self.spread) is not None


def open_toolbox(specs: Sequence[dict[str, Any]]) -> Toolbox:
    """The tools of a request by what they do."""
    return _sort(orjson.dumps(specs))


@lru_cache(maxsize=64)
def _sort(wire: bytes) -> Toolbox:
    tools = [_tool(spec.get("function") or {}) for spec in orjson.loads(wire)]
    by_name = {tool.name: tool for tool in tools}
    spawners = {name: by_name.get(name) for name in _SPAWNERS}
    rest = [tool for tool in tools if tool.name not in _SPAWNERS]
    roles: dict[str, Tool] = {}

    for role, test in _TESTS.items():
        named = [tool for tool in rest if tool.name == role and test(tool)]
        found = named or [tool for tool in rest if test(tool)]

        if found:
            roles[role] = found[0]
            rest.remove(found[0])

    python = roles.get("python")
    return Toolbox(
        create=spawners["create_subagent"],
        assign=spawners["assign_task"],
        spread=spawners["map_task"],
        list_files=roles.get("list_files"),
        read_file=roles.get("read_file"),
        grep=roles.get("grep"),
        list_packages=roles.get("list_packages"),
        package_info=roles.get("package_info"),
        python=python,
        mount=_mount(python.description if python else ""),
        others=tuple(rest),
    )


def _tool(function: dict[str, Any]) -> Tool:
    schema: dict[str, Any] = function.get("parameters") or {}
    properties: dict[str, dict[str, Any]] = schema.get("properties") or {}
    parameters = tuple((name, str(s.get("type", "string"))) for name, s in properties.items())
    required = tuple(schema.get("required") or ())
    description = str(function.get("description") or "")
    return Tool(str(function.get("name", "")), description, parameters, required)


def _mount(description: str) -> str:
    found = re.search(r"[\"'`\s(](/\w[\w/]*)", description)
    return found[1].rstrip("/") if found else "/data"


def _says(tool: Tool, *words: str) -> bool:
    text = f"{tool.name} {tool.description}".lower()
    return all(re.search(word, text) for word in words)


def _only_needs(tool: Tool, names: frozenset[str]) -> bool:
    return set(tool.required) <= names


_TESTS: dict[str, Callable[[Tool], bool]] = {
    "python": lambda tool: tool.required == ("code",) and _says(tool, "python"),
    "grep": lambda tool: (
        tool.required == ("pattern",) and _says(tool, "grep|search|line|match|find")
    ),
    "list_files": lambda tool: (
        bool(tool.names & _FOLDERS)
        and _only_needs(tool, _FOLDERS)
        and _says(tool, r"\blist|\bls\b|entries", "file|folder|director")
    ),
    "read_file": lambda tool: (
        len(tool.required) == 1
        and tool.required[0] in _PATHS
        and _says(tool, r"read|\bcat\b|open|content|text of", "file")
    ),
    "list_packages": lambda tool: not tool.required and _says(tool, "list|name|all", "package"),
    "package_info": lambda tool: len(tool.required) == 1 and _says(tool, "package"),
}
