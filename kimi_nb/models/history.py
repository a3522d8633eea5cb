"""A conversation as a model wants it back: ids in its own form, no message without thinking."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from kimi_nb.errors import BadRequest
from kimi_nb.models.base import THINKING_KEYS, Conversation, Message
from kimi_nb.models.rules import Rules

__all__ = ["call_namer", "misses_thinking", "with_thinking"]

UNTHOUGHT = "."
"""Stands for thinking that nobody has: some endpoints refuse an empty one."""
_MISSING = re.compile(r"reasoning_content.{0,20}missing|missing.{0,20}reasoning_content")


def call_namer(rules: Rules, conversation: Conversation) -> Callable[[str, int], str] | None:
    """Makes the id of this turn's call from its name and position; None: as it came.

    Calls are counted through the whole conversation.
    """
    if not (form := rules.call_id):
        return None

    before = sum(len(message.get("tool_calls", ())) for message in conversation.messages)
    return lambda name, position: form.format(name=name, number=before + position)


def with_thinking(messages: Sequence[Message]) -> list[Message]:
    """The same with a stand-in for thinking wherever an assistant's message has none.

    It has none where another model wrote it, or this one without thinking.
    """
    return [_filled(message) for message in messages]


def misses_thinking(error: BadRequest) -> bool:
    """Whether a request was refused because a message has no thinking."""
    return _MISSING.search(str(error)) is not None


def _filled(message: Message) -> Message:
    if message["role"] != "assistant" or THINKING_KEYS & message.keys():
        return message

    return {**message, "reasoning_content": UNTHOUGHT}
