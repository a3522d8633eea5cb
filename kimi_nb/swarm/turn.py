"""Who takes a step, and who carries out what the step asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from kimi_nb.models.base import Conversation, Sink, ToolCall, ToolSpecs, Usage
from kimi_nb.tools.image import Image
from kimi_nb.tools.rights import NONE, Labels

__all__ = ["Answer", "Stepper", "Turn"]


class Answer(NamedTuple):
    """What a tool call is answered with."""

    ok: bool
    text: str
    images: tuple[Image, ...] = ()
    labels: Labels = NONE
    """What whoever reads it takes in; see `tools.rights`."""


class Turn(Sink, Protocol):
    """Hears one assistant turn and carries out its tool calls."""

    @property
    def recorded(self) -> Mapping[int, ToolCall]:
        """The calls that went into the log while the turn was written, by position."""
        ...

    @property
    def answered(self) -> set[int]:
        """Positions of the calls whose answers are in the log."""
        ...

    def restart(self) -> None:
        """The attempt failed; what it said is void."""
        ...

    async def answer(self, calls: tuple[ToolCall, ...]) -> list[Answer]:
        """One for each call, in their order."""
        ...


class Stepper:
    """Who takes steps: an agent's id, its memory, and how far it is."""

    __slots__ = ("_known", "conversation", "id", "labels", "max_tokens", "stage", "step")

    def __init__(
        self,
        id: str,
        stage: int,
        conversation: Conversation,
        max_tokens: int,
        labels: Labels = NONE,
    ) -> None:
        self.id = id
        self.stage = stage
        """0 for the orchestrator; see `events.AgentBegan`."""
        self.conversation = conversation
        self.max_tokens = max_tokens
        self.step = 0
        self.labels = labels
        """What may be in its memory. It grows between turns, so that all calls of one turn,
        which were written before any of them was answered, are judged alike."""
        self._known = (0, 0)

    def prompt_tokens(self, tools: ToolSpecs) -> int:
        """What the next prompt will count, rather too high than too low.

        The last call's usage is exact; what was added since, or all where no usage was sent,
        counts a token for three bytes, more than English text or Chinese has.
        """
        tokens, size = self._known
        added = self.conversation.size - size + (0 if size else len(tools.wire))
        return tokens + added // 3 + 1

    def learn(self, usage: Usage) -> None:
        """Take the usage of the step that has just ended, before its reply is appended."""
        if not usage.estimated:
            self._known = (usage.tokens_in, self.conversation.size)
