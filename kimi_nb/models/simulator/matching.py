"""Which of the user's own tools gives a measure, and how an item goes into it."""

from __future__ import annotations

import re

from kimi_nb.models.simulator.headings import field_name
from kimi_nb.models.simulator.measure import Measure
from kimi_nb.models.simulator.synonyms import synonyms
from kimi_nb.models.simulator.toolbox import Tool, Toolbox

__all__ = ["fitting", "match_tool", "slot_of"]


def match_tool(measure: Measure, tools: Toolbox) -> Tool | None:
    """The user's own tool that gives this measure: the one that shares most of its words."""
    wanted = set(_stems(f"{' '.join(synonyms(measure.column))} {field_name(measure.op)}"))
    best, most = None, 0

    for tool in tools.others:
        if len(tool.required) != 1:
            continue

        name = set(_stems(tool.name.replace("_", " ")))
        about = set(_stems(tool.description)) | name
        score = 2 * len(wanted & name) + len(wanted & about)

        if score > most:
            best, most = tool, score

    return best


def slot_of(tool: Tool) -> str:
    """The parameter that takes the item."""
    return tool.required[0] if tool.required else tool.parameters[0][0]


def fitting(tool: Tool, item: str) -> object:
    """The item in the JSON type that the tool wants."""
    kind = tool.type_of(slot_of(tool))

    if kind in {"integer", "number"} and re.fullmatch(r"-?\d+(\.\d+)?", item):
        return int(item) if kind == "integer" else float(item)

    return item


def _stems(text: str) -> list[str]:
    words = re.findall(r"[a-z]{3,}|[\u3400-\u9fff]", text.casefold())
    return [word.rstrip("s")[:6] for word in words]
