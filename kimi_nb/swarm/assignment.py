"""What a sub-agent gets to do, and where it does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kimi_nb.tools.rights import NONE, Labels

if TYPE_CHECKING:
    from kimi_nb.swarm.engine import Engine

__all__ = ["Assignment", "Outcome", "Place"]


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


class Place(Protocol):
    """Where the sub-agents of a run live that do not live beside their orchestrator."""

    async def open(self, engine: Engine) -> None:
        """Make ready for that run; from then on the place keeps the pace of all its calls.

        Raises ClusterLost where nothing can live there, and UsageFault.
        """
        ...

    async def outcome(self, engine: Engine, id: str, work: Assignment) -> Outcome:
        """Let a sub-agent live there until it ends; its facts go into the engine's log.

        Raises CancelledError when it is cancelled, and has ended it there.
        """
        ...

    async def close(self) -> None:
        """The run has ended."""
        ...
