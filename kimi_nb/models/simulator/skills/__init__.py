"""What the simulator can do beside tables of files: each skill knows its own goals.

A skill sees what a model would: the messages, and the names of the tools.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Turn

__all__ = ["skilled"]

Skill = Callable[[Past, frozenset[str], Options], Turn | None]
"""The next turn; None: this goal, or this set of tools, is none of its business."""

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
    for name, needed in _NEEDS.items():
        if needed <= tools:
            skill: Skill = import_module(f"{__name__}.{name}").turn
            found = skill(past, tools, options)

            if found is not None:
                return found

    return None
