"""What was asked, said and handed to tools, where spans have it. Any of it may be missing."""

from __future__ import annotations

from typing import Any, cast

import orjson

from kimi_nb.views.otel.dialects import first_of, kind_of
from kimi_nb.views.otel.spans import Span, text_of

__all__ = ["answer_of", "arguments_of", "question_of", "result_of", "task_of"]

LONGEST = 20_000
"""Characters of a text that a trace gets."""

_QUESTIONS = (
    "gen_ai.input.messages",
    "pydantic_ai.all_messages",
    "input.value",
    "traceloop.entity.input",
    "gen_ai.prompt",
)
_ANSWERS = (
    "gen_ai.output.messages",
    "llm.output_messages.0.message.content",
    "final_result",
    "gen_ai.completion.0.content",
)
_OUTPUTS = ("output.value", "traceloop.entity.output")
_ARGUMENTS = ("gen_ai.tool.call.arguments", "tool_arguments", "input.value")
_RESULTS = ("gen_ai.tool.call.result", "tool_response", "output.value")
_TASKS = ("prompt", "task", "input", "query", "question", "instructions", "request")
"""What tools that launch agents call the task."""
_WRAPPERS = ("inputs", "outputs", "input", "output", "messages")
_ROLES = {"human": "user", "ai": "assistant"}


def question_of(span: Span) -> str:
    """What an agent, or a run, was asked."""
    return _spoken(first_of(span, _QUESTIONS), "user")


def answer_of(span: Span) -> str:
    """What a model, an agent or a run answered."""
    outputs = () if kind_of(span) == "call" else _OUTPUTS
    return _spoken(first_of(span, (*_ANSWERS, *outputs)), "assistant")


def arguments_of(span: Span) -> str:
    """What a tool was called with: JSON text, or "{}"."""
    text = first_of(span, _ARGUMENTS)
    found = _parsed(text)

    if isinstance(found, dict) and isinstance(inner := cast("Any", found).get("inputs"), dict):
        return orjson.dumps(inner).decode()[:LONGEST]  # LangChain's, with what it added around it

    return text[:LONGEST] or "{}"


def result_of(span: Span) -> str:
    """What a tool answered."""
    return _spoken(first_of(span, _RESULTS), "tool")


def task_of(span: Span) -> str:
    """The task in the arguments of a tool that launches an agent; "" if none is found."""
    found = _parsed(arguments_of(span))

    if not isinstance(found, dict):
        return ""

    about = cast("dict[str, Any]", found)
    return next((said[:LONGEST] for name in _TASKS if (said := text_of(about.get(name)))), "")


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _spoken(text: str, role: str) -> str:
    """The words of `role` in messages, or `text` itself where it holds none.

    Of a user the first, of all others the last.
    """
    spoken = [_message(message) for message in _messages(_parsed(text))]
    words = [said for by, said in spoken if by == role and said]

    if words:
        return (words[0] if role == "user" else words[-1])[:LONGEST]

    return "" if any(by for by, _ in spoken) else text[:LONGEST]


def _messages(found: Any) -> list[Any]:
    """What may be messages, out of whatever is wrapped around them."""
    while isinstance(found, dict):
        about = cast("dict[str, Any]", found)
        inner = [about[name] for name in _WRAPPERS if isinstance(about.get(name), dict | list)]

        if not inner:
            return [about]

        found = inner[0]

    listed = cast("list[Any]", found) if isinstance(found, list) else []

    match listed:
        case [[dict(), *_] as batch]:  # LangChain can ask several things in one call
            return cast("list[Any]", batch)
        case _:
            return listed


def _message(message: Any) -> tuple[str, str]:
    """Who says what; ("", "") for what is no message."""
    match message:
        case {"kwargs": {"type": str(by), "content": content}}:  # as LangChain writes them
            pass
        case {"type": str(by), "data": {"content": content}}:
            pass
        case {"role": str(by), "parts": content} | {"role": str(by), "content": content}:
            pass
        case [str(by), str(content)]:
            pass
        case _:
            return "", ""

    return _ROLES.get(by, by), _words(content)


def _words(content: Any) -> str:
    if not isinstance(content, list):
        return text_of(content)

    said: list[str] = []

    for part in cast("list[Any]", content):
        match part:
            case {"type": "text", "content": str(text)} | {"type": "text", "text": str(text)}:
                said.append(text)
            case _:
                pass

    return "".join(said)
