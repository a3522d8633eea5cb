"""The two tools of the hand-written loops, as the API has them."""

from __future__ import annotations

from typing import Any

__all__ = ["ASSIGN", "LOOK"]


def function(name: str, description: str, *names: str) -> dict[str, Any]:
    properties = {key: {"type": "string"} for key in names}
    parameters = {"type": "object", "properties": properties, "required": list(names)}
    body = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": body}


ASSIGN = [function("assign_task", "Launch a new agent.", "agent", "prompt")]
LOOK = [function("look", "Look up a key.", "key")]
