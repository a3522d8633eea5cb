"""A learner's request, checked, and as it goes on to the endpoint."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

import orjson

from kimi_nb.errors import BadRequest, UnknownModel
from kimi_nb.models.base import image_excess

__all__ = ["Asked", "read_request"]

LONGEST_ANSWER = 32_768
"""Tokens, where the client names no limit."""
LONGEST_TYPED = 131_072
"""Kimi K3's own limit; a thousand million would fill the account's minute for all others."""
LIMITS = ("max_completion_tokens", "max_tokens")
FIELDS = frozenset(
    {
        "chat_template_kwargs",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
    }
)
"""Others may name further models or a dearer service, as `models`, `fallbacks`, `service_tier`."""
PARTS = frozenset({"text", "image_url"})
"""What a message may hold: a video or a file costs more than its name is long."""
NESTED = 500_000
"""Objects and lists in a body: making them holds everybody up, 0.1 s for so many."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """One chat request."""

    model: str
    head: bytes
    """The body without its end, and without what `wire` adds."""
    limit_name: str
    """The field that the client, or this endpoint, limits an answer by."""
    size: int
    """Bytes, an image counted as the text of its tokens."""
    max_tokens: int
    streamed: bool
    wants_usage: bool
    """It asked for the usage that comes at a stream's end."""

    @property
    def prompt_bound(self) -> int:
        """Tokens that the prompt hardly exceeds: two bytes each."""
        return self.size // 2 + 1

    @property
    def prompt_estimate(self) -> int:
        """Tokens that the prompt has about: four bytes each."""
        return self.size // 4 + 1

    def wire(self, max_tokens: int) -> bytes:
        """The body for the endpoint: with usage, and an answer of at most `max_tokens`."""
        more: dict[str, Any] = {self.limit_name: max_tokens}

        if self.streamed:
            more["stream_options"] = {"include_usage": True}

        return self.head + b"," + orjson.dumps(more)[1:]


def read_request(body: bytes, models: Collection[str]) -> Asked:
    """The request of a body. Raises BadRequest, UnknownModel."""
    if body.count(b"{") + body.count(b"[") > NESTED:
        raise BadRequest(f"the body has more than {NESTED:,} objects and lists")

    try:
        fields = orjson.loads(body)
        messages = fields["messages"]
        size = len(body) - sum(map(image_excess, messages))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise BadRequest("the body must be a JSON object with 'messages', a list") from None

    typed = cast("dict[str, Any]", fields)

    if (model := typed.get("model")) not in models:
        raise UnknownModel(f"there is no model {model!r:.80} here, only {', '.join(models)}")

    if unknown := sorted(typed.keys() - FIELDS):
        raise BadRequest(f"{unknown[0]!r:.80} is not let through here: leave it out")

    if not isinstance(typed.get("stream") or False, bool):
        raise BadRequest("stream must be true or false")

    if typed.get("n", 1) != 1:
        raise BadRequest("n must be 1: ask again for another answer")

    if any(_field(tool, "type") != "function" for tool in _list(typed.get("tools"))):
        raise BadRequest("tools must be of type function: the endpoint's own cost extra")

    contents = (_list(_field(message, "content")) for message in messages)

    if any(_field(part, "type") not in PARTS for parts in contents for part in parts):
        raise BadRequest(f"the parts of a message must be of type {' or '.join(sorted(PARTS))}")

    limits = [typed[name] for name in LIMITS if typed.get(name) is not None]

    if not all(type(limit) is int and limit > 0 for limit in limits):
        raise BadRequest(f"{' and '.join(LIMITS)} must be whole numbers above 0")

    name = next((name for name in LIMITS if name in typed), LIMITS[0])
    options = cast("object", typed.get("stream_options"))
    kept = {key: typed[key] for key in typed if key not in {*LIMITS, "stream_options"}}
    return Asked(
        model=str(model),
        head=orjson.dumps(kept)[:-1],
        limit_name=name,
        size=size,
        max_tokens=min([*limits, LONGEST_TYPED]) if limits else LONGEST_ANSWER,
        streamed=typed.get("stream") is True,
        wants_usage=_field(options, "include_usage") is True,
    )


def _field(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
