"""An assistant turn made fit to be logged, carried out and sent back, whatever a model wrote."""

from __future__ import annotations

from dataclasses import replace

import orjson

from kimi_nb.models.base import Message, Reply, ToolCall
from kimi_nb.tools.render import clean

__all__ = ["echo", "sound", "sound_call"]


def sound(reply: Reply) -> Reply:
    """The same in valid unicode, its calls counted from 0, each with an id of its own.

    Two calls of one turn with one id could not be told apart by their answers; what is blank
    is refused by endpoints.
    """
    return replace(
        reply,
        text=clean(reply.text),
        thinking=clean(reply.thinking),
        thinking_key=reply.thinking_key or ("reasoning_content" if reply.thinking else ""),
        calls=_told_apart(reply.calls),
    )


def sound_call(call: ToolCall, index: int) -> ToolCall:
    """The same in valid unicode, at position `index` of its turn."""
    return ToolCall(
        index=index, id=clean(call.id), name=clean(call.name), arguments=clean(call.arguments)
    )


def echo(reply: Reply) -> Message:
    """The assistant message to send back.

    Arguments that are no JSON object go back inside one: vLLM and others parse them, and
    refuse every later request of a conversation in which one cannot be parsed.
    """
    calls = tuple(replace(call, arguments=_as_object(call.arguments)) for call in reply.calls)
    return replace(reply, calls=calls).message()


def _told_apart(calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    taken: set[str] = set()
    told: list[ToolCall] = []

    for index, raw in enumerate(calls):
        call = sound_call(raw, index)
        id = call.id if call.id.strip() else f"call_{index}"

        while id in taken:
            id = f"{id}_{index}"

        taken.add(id)
        told.append(call if id == call.id else replace(call, id=id))

    return tuple(told)


def _as_object(arguments: str) -> str:
    if not arguments.strip():
        return "{}"

    try:
        if isinstance(orjson.loads(arguments), dict):
            return arguments
    except ValueError:
        pass

    return orjson.dumps({"not_a_json_object": arguments}).decode()
