"""What the platform refuses in a request with 400 invalid_request_error, as it is documented.

`complaints` is a pure function from a request's body and its model's card to the platform's
words. It looks for one thing after the other; the first one is told.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import orjson
from faults.cards import Card
from faults.schema_rules import schema_complaint

NAME = re.compile(r"^[a-zA-Z_][a-zA-Z0-9-_]{2,63}$")
TOOLS_MAX = 128
IMAGE_TOKENS = 1_024
"""An image's, whatever its size."""
FIXED = {"temperature": 1, "top_p": 0.95, "n": 1, "presence_penalty": 0, "frequency_penalty": 0}
ROLES = {"system", "user", "assistant", "tool"}


def complaints(body: Any, model: Card, thinking_key: str = "reasoning_content") -> str | None:
    """What is wrong with a request; None: nothing.

    `thinking_key`: the name under which this server sends thinking and wants it back.
    """
    try:
        return next(_all(body, model, thinking_key), None)
    except (AttributeError, KeyError, TypeError):  # a field of another type than any rule expects
        return "Invalid request: the request body is malformed"


def count_tokens(body: dict[str, Any]) -> int:
    """The tokens of a request's prompt: four bytes of JSON each, images apart."""
    messages = body.get("messages", [])
    images = [part for part in _parts(messages) if part.get("type") == "image_url"]
    size = len(orjson.dumps([messages, body.get("tools", [])]))
    size -= sum(len(orjson.dumps(part)) for part in images)
    return size // 4 + 1 + IMAGE_TOKENS * len(images)


def _parts(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The parts of all messages whose content is a list."""
    for message in messages:
        content = message.get("content")
        yield from (part for part in content if part) if isinstance(content, list) else ()


def _all(body: Any, model: Card, thinking_key: str) -> Iterator[str]:
    yield from _parameters(body, model)
    yield from _tools(body, model)
    messages = body.get("messages")

    if not isinstance(messages, list) or not messages:
        yield "Invalid request: messages must not be empty"
        return

    for place, message in enumerate(messages):
        yield from _message(message, place, model)

    yield from _order(messages)
    yield from _thinking(body, model, thinking_key)
    cap = model.cap(body)

    if (wanted := count_tokens(body) + cap) > model.context:
        yield (
            f"Invalid request: Your request exceeded model token limit: {model.context} "
            f"(requested: {wanted})"
        )


def _parameters(body: dict[str, Any], model: Card) -> Iterator[str]:
    for name, fixed in FIXED.items():
        if name in body and body[name] != fixed:
            yield f"invalid {name}: only {fixed} is allowed for this model"

    both = {"thinking", "reasoning_effort"} & body.keys()

    if len(both) == 2:
        yield "Invalid request: thinking and reasoning_effort cannot be set at the same time"

    if "thinking" in both and model.thinking != "switch":
        yield f"Invalid request: thinking is not supported by {model.id}"

    if "reasoning_effort" in both and not model.effort:
        yield f"Invalid request: reasoning_effort is not supported by {model.id}"

    if "reasoning_effort" in both and body["reasoning_effort"] not in ("low", "high", "max"):
        yield "Invalid request: reasoning_effort must be one of low, high, max"

    if "thinking" in both and (body["thinking"] or {}).get("type") not in ("enabled", "disabled"):
        yield "Invalid request: thinking.type must be one of enabled, disabled"

    for name in ("max_completion_tokens", "max_tokens"):
        if name in body and not (isinstance(body[name], int) and body[name] > 0):
            yield f"Invalid request: {name} must be a positive integer"


def _tools(body: dict[str, Any], model: Card) -> Iterator[str]:
    tools = body.get("tools", [])

    if len(tools) > TOOLS_MAX:
        yield f"Invalid request: tools has {len(tools)} items, at most {TOOLS_MAX} are allowed"

    names = [(tool.get("function") or {}).get("name") for tool in tools]

    for tool, name in zip(tools, names, strict=True):
        if names.count(name) > 1:
            yield f"Invalid request: function name {name} is duplicated"

        yield from _tool(tool, name)

    choice = body.get("tool_choice", "auto")

    if not isinstance(choice, str):
        yield "Invalid request: tool_choice with a named function is not supported"
    elif choice not in ("auto", "none", "required"):
        yield f"Invalid request: tool_choice {choice!r} is not supported"
    elif choice == "required" and not model.required:
        yield f"Invalid request: tool_choice 'required' is not supported by {model.id}"


def _tool(tool: dict[str, Any], name: object) -> Iterator[str]:
    if tool.get("type") != "function":
        yield f"Invalid request: tool type {tool.get('type')!r} is not supported"

    if not isinstance(name, str) or not NAME.match(name):
        yield f"Invalid request: function name {name!r} is invalid, must match {NAME.pattern}"

    if wrong := schema_complaint(tool["function"].get("parameters", {}), str(name)):
        yield wrong


def _message(message: Any, place: int, model: Card) -> Iterator[str]:
    """What is wrong with one message, apart from where it stands."""
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        yield f"Invalid request: message at position {place} has no valid role"
        return

    role, content = message["role"], message.get("content")
    calls = message.get("tool_calls") or []

    nothing = f"Invalid request: message at position {place} with role '{role}' must not be empty"

    if content is None and not (role == "assistant" and calls):
        yield nothing

    if isinstance(content, str) and not content.strip():
        yield "Invalid request: text content is empty" if calls else nothing

    for part in content if isinstance(content, list) else ():
        yield from _part(part, role, model)

    if calls and role != "assistant":
        yield f"Invalid request: message at position {place} with role '{role}' has tool calls"

    for call in calls:
        if not isinstance(call.get("function", {}).get("arguments"), str) or not call.get("id"):
            yield f"Invalid request: message at position {place} has a malformed tool call"


def _part(part: dict[str, Any], role: str, model: Card) -> Iterator[str]:
    if part.get("type") == "text":
        if not str(part.get("text") or "").strip():
            yield "Invalid request: text content is empty"

        return

    if part.get("type") != "image_url" or role not in {"user", "tool"}:
        yield f"Invalid request: content part {part.get('type')!r} is not supported"
        return

    if not model.images:
        yield f"Invalid request: image input is not supported by {model.id}"

    if image_bytes(part) is None:
        yield "Invalid request: unsupported image url, only base64 data urls are supported"


def image_bytes(part: dict[str, Any]) -> bytes | None:
    """The picture in an image part; None where it is no data URL."""
    given = part.get("image_url")
    url = given.get("url") if isinstance(given, dict) else given
    head, _, data = str(url).partition(",")

    if not re.fullmatch(r"data:image/(png|jpeg|webp|gif);base64", head):
        return None

    try:
        return base64.b64decode(data, validate=True) or None
    except ValueError:
        return None


def _order(messages: list[dict[str, Any]]) -> Iterator[str]:
    """Every call is answered, after its own turn and before anything else."""
    open_ids: list[str] = []

    for message in messages:
        if message["role"] == "tool":
            given = message.get("tool_call_id")

            if given not in open_ids:
                yield f"Invalid request: tool_call_id {given} is not found"
                return

            open_ids.remove(given)
            continue

        if open_ids:
            break

        open_ids = [call["id"] for call in message.get("tool_calls") or ()]

        if len(set(open_ids)) < len(open_ids):
            yield f"Invalid request: tool_call_id {open_ids[0]} is duplicated"

    if open_ids:
        yield (
            "Invalid request: an assistant message with 'tool_calls' must be followed by tool "
            "messages responding to each 'tool_call_id'. The following tool_call_ids did not "
            f"have response messages: {', '.join(open_ids)}"
        )


def _thinking(body: dict[str, Any], model: Card, key: str) -> Iterator[str]:
    """Thinking that is not sent back. Elsewhere than at a tool call nobody asks for it."""
    if not model.thinks(body):
        return

    for place, message in enumerate(body["messages"]):
        if message.get("tool_calls") and not message.get(key):
            yield (
                f"thinking is enabled but {key} is missing in assistant tool call message "
                f"at index {place}"
            )
