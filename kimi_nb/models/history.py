"""A conversation as a model wants it back: ids in its own form, thinking, images in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kimi_nb.errors import BadRequest, ModelError
from kimi_nb.models.base import THINKING_KEYS, Conversation, Message
from kimi_nb.models.rules import Rules

__all__ = ["about_images", "call_namer", "misses_thinking", "reworked"]

UNTHOUGHT = "."
"""Stands for thinking that nobody has: some endpoints refuse an empty one."""
UNSEEN = "(the image that this returned follows the last tool result)"
_IMAGES = re.compile(r"image|vision|multi-?modal", re.IGNORECASE)
_MISSING = re.compile(r"reasoning_content.{0,20}missing|missing.{0,20}reasoning_content")


def call_namer(rules: Rules, conversation: Conversation) -> Callable[[str, int], str] | None:
    """Makes the id of this turn's call from its name and position; None: as it came.

    Calls are counted through the whole conversation.
    """
    if not (form := rules.call_id):
        return None

    before = sum(len(message.get("tool_calls", ())) for message in conversation.messages)
    return lambda name, position: form.format(name=name, number=before + position)


def reworked(conversation: Conversation, rules: Rules, *, recalls: bool) -> list[Message] | None:
    """The messages that are sent in place of the conversation's own; None: it is as it must be.

    With `recalls` a stand-in for thinking goes wherever an assistant's message has none: where
    another model wrote it, or this one without thinking.
    """
    fills = recalls and conversation.thoughtless
    moves = conversation.pictured and not rules.tool_images

    if not (fills or moves):
        return None

    messages: Iterable[Message] = (
        map(_filled, conversation.messages) if fills else (conversation.messages)
    )
    return list(_moved(messages) if moves else messages)


def about_images(error: ModelError, conversation: Conversation, model: str) -> ModelError:
    """The same error; a refusal that may be for images says what to do where a model sees none."""
    refused = isinstance(error, BadRequest) and _IMAGES.search(str(error))

    if not (refused and conversation.pictured):
        return error

    return error.reworded(
        f"{error}; if {model} takes no images, choose a model that does, or leave out the tools "
        "that return them"
    )


def _moved(messages: Iterable[Message]) -> Iterator[Message]:
    """The same with the images of tools in a user's message behind all answers of their turn."""
    parts: list[dict[str, Any]] = []

    for message in messages:
        if parts and message["role"] != "tool":
            yield {"role": "user", "content": parts}
            parts = []

        if message["role"] == "tool" and not isinstance(message["content"], str):
            text = [part for part in message["content"] if part["type"] == "text"]
            parts.append({"type": "text", "text": f"From the call {message['tool_call_id']}:"})
            parts += [part for part in message["content"] if part["type"] != "text"]
            yield {**message, "content": "\n".join([*(part["text"] for part in text), UNSEEN])}
        else:
            yield message

    if parts:
        yield {"role": "user", "content": parts}


def misses_thinking(error: BadRequest) -> bool:
    """Whether a request was refused because a message has no thinking."""
    return _MISSING.search(str(error)) is not None


def _filled(message: Message) -> Message:
    if message["role"] != "assistant" or THINKING_KEYS & message.keys():
        return message

    return {**message, "reasoning_content": UNTHOUGHT}
