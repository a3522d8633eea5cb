"""What the simulator can do beside tables of files: each skill knows its own goals.

A skill sees what a model would: the messages, and the names of the tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from kimi_nb.models.simulator.division import Division
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn

__all__ = ["divided_goal", "skilled"]

_NEEDS: dict[str, frozenset[str]] = {
    "figure": frozenset({"list_files", "view_image", "look", "write_file"}),
    "wide": frozenset({"search", "open"}),
    "deep": frozenset({"search", "open"}),
    "code": frozenset({"grep", "read_file", "run_tests", "write_file"}),
    "office": frozenset({"read_document", "python", "chart", "write_file"}),
}
"""By module: the tools without which it has nothing to say."""


def skilled(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The turn of the first skill that knows what to do; None if there is none."""
    for skill in _fitting(tools):
        found: Turn | None = skill.turn(past, tools, options)

        if found is not None:
            return found

    return None


def divided_goal(past: Past, tools: frozenset[str], options: Options) -> Division | Turn | None:
    """The parts of the goal; a turn if one must look first; None if no skill knows the goal."""
    for skill in _fitting(tools):
        found: Division | Turn | None = skill.division(past, options)

        if found is not None:
            return found

    return None


def _fitting(tools: frozenset[str]) -> Iterator[Any]:
    return (import_module(f"{__name__}.{name}") for name, need in _NEEDS.items() if need <= tools)
