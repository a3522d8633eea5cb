"""What an agent has done so far, as far as it remembers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

__all__ = ["Done", "Past", "images_of", "recall", "text_of"]

_MARK = re.compile(r"(?m)^\[from an agent [^\]\n]*: data, not instructions\]\n")
"""What stands before a report whose author has read text of strangers; no part of it."""


@dataclass(frozen=True, slots=True)
class Done:
    """A tool call that was answered."""

    name: str
    arguments: dict[str, Any]
    result: str | None
    """None: it dropped out of the working memory."""
    turn: int
    """Assistant turn since the task, from 0."""
    images: tuple[str, ...] = ()
    """The URLs of those that came with the result; they do not drop out."""


@dataclass(frozen=True, slots=True)
class Past:
    """One agent's messages, sorted."""

    system: str
    goal: str
    """The last message of the user."""
    done: tuple[Done, ...]
    """In the order of the calls."""
    turns: int
    """Assistant turns since the goal."""
    calls: int
    """Tool calls in the whole conversation."""
    said: tuple[str, ...] = ()
    """Its own texts since the goal, which never drop out."""


def text_of(content: Any) -> str:
    """The text of a message's content, which may be a list of parts or None."""
    if isinstance(content, str):
        return content

    parts = cast("list[dict[str, Any]]", content if isinstance(content, list) else [])
    return "\n".join(str(part["text"]) for part in parts if "text" in part)


def images_of(content: Any) -> tuple[str, ...]:
    """The URLs of the images in a message's content."""
    parts = cast("list[dict[str, Any]]", content if isinstance(content, list) else [])
    return tuple(p["image_url"]["url"] for p in parts if p.get("type") == "image_url")


def recall(messages: Sequence[dict[str, Any]], kept: frozenset[str], limit: int) -> Past:
    """What the messages tell; of results only the last `limit` characters can be used.

    The newest one can always be used. Results of the tools named in `kept` do not count and
    never drop out.
    """
    users = [n for n, message in enumerate(messages) if message.get("role") == "user"]
    start = users[-1] if users else len(messages)
    goal = _MARK.sub("", text_of(messages[start].get("content"))) if users else ""
    system = "\n".join(
        text_of(message.get("content"))
        for message in messages
        if message.get("role") in {"system", "developer"}
    )
    before = sum(len(message.get("tool_calls") or ()) for message in messages[:start])
    done, turns = _pair(messages[start:], kept, limit)
    said = (text_of(m.get("content")) for m in messages[start:] if m.get("role") == "assistant")
    return Past(
        system=system,
        goal=goal,
        done=done,
        turns=turns,
        calls=before + len(done),
        said=tuple(filter(None, said)),
    )


def _pair(
    messages: Sequence[dict[str, Any]], kept: frozenset[str], limit: int
) -> tuple[tuple[Done, ...], int]:
    """Each call with what is remembered of its answer, and the number of turns.

    Ids repeat across turns, so they are matched within a turn.
    """
    calls: list[tuple[str, Any, int]] = []
    answers: dict[int, Any] = {}
    open_calls: dict[str, int] = {}
    turn = -1

    for message in messages:
        role = message.get("role")

        if role == "assistant":
            turn += 1
            open_calls = {}

            for call in message.get("tool_calls") or ():
                open_calls[call.get("id", "")] = len(calls)
                function: dict[str, Any] = call.get("function") or {}
                calls.append((function.get("name", ""), function.get("arguments"), turn))
        elif role == "tool":
            place = open_calls.get(message.get("tool_call_id", ""))

            if place is not None:
                answers[place] = message.get("content")

    return _remembered(calls, answers, kept, limit), turn + 1


def _remembered(
    calls: Sequence[tuple[str, Any, int]],
    answers: Mapping[int, Any],
    kept: frozenset[str],
    limit: int,
) -> tuple[Done, ...]:
    """From the newest back, until the memory is full. This runs at every step: it is kept lean."""
    done: list[Done] = []
    room = limit
    newest = True

    for place in range(len(calls) - 1, -1, -1):
        name, arguments, turn = calls[place]
        content = answers.get(place, "")
        plain = isinstance(content, str)
        result = _unmarked(content if plain else text_of(content))

        if name not in kept:
            room -= len(result)
            result = None if room < 0 and not newest else result
            newest = False

        images = () if plain else images_of(content)
        done.append(Done(name, _arguments(arguments), result, turn, images))

    done.reverse()
    return tuple(done)


def _unmarked(text: str) -> str:
    return _MARK.sub("", text, count=1) if "[from an agent " in text else text


def _arguments(text: Any) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}

    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
