"""What a sub-agent gets to do, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kimi_nb.tools.rights import NONE, Labels

__all__ = ["Assignment", "Outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who is to do what."""

    name: str
    """Name of the configuration."""
    system_prompt: str
    task: str
    parent: str
    stage: int
    call: int
    context: str = ""
    """What goes before the task in the prompt: results of earlier tasks of a plan."""
    after: str = ""
    labels: Labels = NONE
    """What may be in the task and before it: whoever wrote it may have taken this in."""


class Outcome(NamedTuple):
    """How a sub-agent came to its end."""

    kind: str
    """See `events.AgentEnded.outcome`."""
    text: str
    labels: Labels
    """All that it has taken in."""
