"""Message content in the form that the GenAI conventions give it: JSON, and only if asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kimi_nb.events import Said, ToolCalled
from kimi_nb.views.otel.draft import Value

__all__ = ["answered", "asked", "tool_asked", "turn"]


def asked(text: str) -> dict[str, Value]:
    """What an agent, or the run, was asked."""
    return {"gen_ai.input.messages": _messages("user", [_text(text)])}


def answered(text: str, finish: str) -> dict[str, Value]:
    """What an agent, or the run, answered."""
    return {"gen_ai.output.messages": _messages("assistant", [_text(text)], finish)}


def turn(said: Said | None, calls: Iterable[ToolCalled], finish: str) -> dict[str, Value]:
    """What a model said and asked for in one turn."""
    parts: list[dict[str, Any]] = []

    if said is not None and said.thinking:
        parts.append({"type": "reasoning", "content": said.thinking})

    if said is not None and said.text:
        parts.append(_text(said.text))

    for call in calls:
        request = {"type": "tool_call", "id": call.call_id, "name": call.tool}
        parts.append(request | {"arguments": call.arguments})

    return {"gen_ai.output.messages": _messages("assistant", parts, finish)}


def tool_asked(call: ToolCalled) -> dict[str, Value]:
    """What a tool was called with."""
    return {"gen_ai.tool.call.arguments": call.arguments}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "content": text}


def _messages(role: str, parts: list[dict[str, Any]], finish: str = "") -> str:
    message: dict[str, Any] = {"role": role, "parts": parts}

    if finish:
        message["finish_reason"] = finish

    return json.dumps([message], ensure_ascii=False)  # orjson refuses lone surrogates
