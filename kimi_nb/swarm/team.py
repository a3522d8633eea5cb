"""The orchestrator's own tools: the team that it creates, and what its calls must hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from kimi_nb.errors import ToolError
from kimi_nb.models.base import ToolCall
from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS
from kimi_nb.tools.render import clean

__all__ = ["OWN_TOOLS", "Team", "own_arguments"]

OWN_TOOLS = frozenset(spec["function"]["name"] for spec in ORCHESTRATOR_TOOLS)
"""Names of the tools that only the orchestrator holds."""


@dataclass(slots=True)
class Team:
    """The configurations that the orchestrator has created: name → system prompt."""

    prompts: dict[str, str] = field(default_factory=dict[str, str])

    def create(self, name: str, system_prompt: str) -> str:
        """Add one. Raises ToolError if the name is blank or stands for another prompt."""
        if not name.strip():
            message = "the name is empty: a sub-agent needs one, for assign_task and map_task"
            raise ToolError(message)

        if self.prompts.setdefault(name, system_prompt) != system_prompt:
            message = f"a sub-agent {name!r} exists with another prompt; choose another name"
            raise ToolError(message)

        return f"created {name!r}; give it work with assign_task or map_task"

    def prompt(self, name: str) -> str:
        """Its system prompt. Raises ToolError if there is none of that name."""
        if name not in self.prompts:
            known = ", ".join(sorted(self.prompts)) or "none yet"
            message = f"no sub-agent {name!r} was created (known: {known}); call create_subagent"
            raise ToolError(message)

        return self.prompts[name]


def own_arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments of an own call. Raises ToolError saying what is wrong with them."""
    spec = next(s["function"] for s in ORCHESTRATOR_TOOLS if s["function"]["name"] == call.name)

    try:
        parsed: Any = orjson.loads(call.arguments)
    except orjson.JSONDecodeError as error:
        message = f"the arguments of {call.name} are not JSON: {error}"
        raise ToolError(message) from None

    arguments: dict[str, Any] = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}

    for name, schema in spec["parameters"]["properties"].items():
        if not _fits(arguments.get(name), schema["type"]):
            kind = "a list of strings" if schema["type"] == "array" else "a string"
            message = f"{call.name} needs {name!r}, {kind}"
            raise ToolError(message)

    return {name: _cleaned(value) for name, value in arguments.items()}


# Once more, after `sound`: JSON can write any letter of a key as an escape.
def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(item) for item in cast("list[Any]", value)]

    return clean(value) if isinstance(value, str) else value


def _fits(value: Any, kind: str) -> bool:
    if kind == "array":
        items = cast("list[Any]", value) if isinstance(value, list) else [None]
        return all(isinstance(item, str) for item in items)

    return isinstance(value, str)
