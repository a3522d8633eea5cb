"""One model call: what goes in, what comes out, and who can make it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import orjson

from kimi_nb.errors import Allowed

__all__ = [
    "IMAGE_TOKENS",
    "THINKING_KEYS",
    "Conversation",
    "Message",
    "Model",
    "Reply",
    "Request",
    "Sink",
    "ToolCall",
    "ToolSpecs",
    "Usage",
    "image_excess",
]

Message = dict[str, Any]
"""A chat message as the OpenAI API has it: role, content, tool_calls, tool_call_id, …"""
THINKING_KEYS = frozenset({"reasoning_content", "reasoning"})
"""The fields in which endpoints send a model's thinking."""
IMAGE_TOKENS = 1_400
"""What an image counts until the endpoint says: one of 1024 × 1024 in patches of 28 × 28, and a
little more. The patch is that of Kimi's open vision encoder; the endpoint's rule is not published.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call as the model wrote it, complete but not validated."""

    index: int
    """Position in the turn, from 0."""
    id: str
    """The endpoint's id; may repeat across turns."""
    name: str
    arguments: str
    """JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call."""

    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    estimated: bool = False
    """The endpoint sent none; these are estimates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One complete assistant turn."""

    text: str
    thinking: str
    thinking_key: str
    """"reasoning_content" or "reasoning", as it arrived, be it empty; "" if none did."""
    calls: tuple[ToolCall, ...]
    finish: str
    """"stop", "tool_calls", "length" or "content_filter", decided by what was assembled."""
    usage: Usage
    allowed: Allowed = field(default_factory=Allowed)
    """What the endpoint's headers say of its limits."""

    def message(self) -> Message:
        """The assistant message to send back: no blank content, thinking under its own key.

        Thinking that arrived empty goes back empty: it says that the model did think.
        """
        message: Message = {"role": "assistant"}

        if self.text.strip() or not self.calls:
            message["content"] = self.text if self.text.strip() else "(nothing)"

        if self.thinking_key:
            message[self.thinking_key] = self.thinking

        if self.calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in self.calls
            ]

        return message


class Conversation:
    """An agent's own memory: messages that only grow, each serialised once.

    Sending the n-th turn therefore costs a memory copy, not another walk over n messages.
    """

    __slots__ = ("_wire", "messages", "pictured", "size", "thoughtless")

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self.messages: list[Message] = []
        self.size = 0
        """Bytes of JSON, an image counted as the text of IMAGE_TOKENS tokens."""
        self.thoughtless = False
        """An assistant message holds no thinking."""
        self.pictured = False
        """A tool's answer holds an image."""
        self._wire = bytearray()

        for message in messages:
            self.append(message)

    def append(self, message: Message) -> None:
        """Add one message at the end; it must not be changed afterwards."""
        if self.messages:
            self._wire += b","

        wire = orjson.dumps(message)
        self._wire += wire
        self.size += len(wire) - image_excess(message) + 1
        self.messages.append(message)

        if message["role"] == "assistant" and not THINKING_KEYS & message.keys():
            self.thoughtless = True

        if message["role"] == "tool" and not isinstance(message["content"], str):
            self.pictured = True

    @property
    def wire(self) -> bytearray:
        """The messages as JSON, without the enclosing brackets. Not to be changed."""
        return self._wire


def image_excess(message: Message) -> int:
    """Bytes by which the images of a message are longer than the text that they count as."""
    content = message.get("content")

    if not isinstance(content, list):
        return 0

    parts = cast("list[dict[str, Any]]", content)
    urls = [part["image_url"]["url"] for part in parts if part.get("type") == "image_url"]
    return sum(len(url) - 4 * IMAGE_TOKENS for url in urls)


class ToolSpecs:
    """The tools of a request, serialised once for all agents of a role."""

    __slots__ = ("specs", "wire")

    def __init__(self, specs: Sequence[dict[str, Any]] = ()) -> None:
        self.specs = tuple(specs)
        """Each as the API has it: {"type": "function", "function": {name, description, …}}."""
        self.wire = orjson.dumps(self.specs)
        """JSON array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one call asks."""

    conversation: Conversation
    tools: ToolSpecs
    max_tokens: int
    """Sent as max_completion_tokens: thinking and text together."""
    seed: int = 0
    """Distinguishes otherwise identical calls of the simulator; endpoints do not get it."""
    cache_key: str = ""
    """The same for all calls of a run, for the endpoint's prompt cache."""

    def estimate_tokens(self) -> int:
        """A rough count of the prompt's tokens, tools included: four bytes of JSON each."""
        return (self.conversation.size + len(self.tools.wire)) // 4 + 1


class Sink(Protocol):
    """Hears a reply while it streams. Calls come in the order in which the model wrote."""

    def on_text(self, text: str) -> None: ...
    def on_thinking(self, text: str) -> None: ...
    def on_call(self, call: ToolCall) -> None:
        """`call` looks complete: its arguments closed, or those of a later one did.

        The turn's end may still show it to be another; `Reply.calls` is what counts.
        """
        ...


class Model(Protocol):
    """Something that answers a request. One `reply` is one attempt: no retries inside."""

    @property
    def name(self) -> str: ...

    @property
    def simulated(self) -> bool: ...

    async def reply(self, request: Request, sink: Sink) -> Reply:
        """The whole turn, after `sink` heard all of it. Raises `errors.ModelError`."""
        ...

    async def close(self) -> None: ...
