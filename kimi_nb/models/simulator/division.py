"""A goal in parts: what there is to decide for whoever says which agent does what, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kimi_nb.models.simulator.script import Turn

__all__ = ["Division", "Part", "label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that one agent can do: the main agent itself, or a sub-agent."""

    name: str
    """What tells it from the other parts."""
    task: str
    """What a sub-agent is told."""
    work: float
    """Model calls that it takes one agent: an estimate from the words of the goal."""
    coupling: float = 0.0
    """How badly it suffers from being done out of context, in [0, 1]: an estimate too."""
    needs: tuple[int, ...] = ()
    """Places of the parts that it waits for, all of them before its own."""
    done: bool = False
    """By what was read, or by what sub-agents have reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """The parts of a goal as they are now, and how to go on with each of them."""

    parts: tuple[Part, ...]
    agent: str
    """The name of a sub-agent that does parts."""
    role: str
    """Its system prompt."""
    alone: Callable[[int], Turn | None]
    """The next turn of who does the part at this place itself; None: nothing is left to do."""
    join: Callable[[], Turn]
    """The next turn of who submits what is done; the one without calls is the answer."""
    note: str = ""
    """What was learned just now, to be said with the next turn: what was said is not forgotten."""


def label(items: Sequence[str]) -> str:
    """The name of a part that is made of these."""
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"{items[0]}{more}"
