"""The ways in which one and the same answer may be spelled on the wire, singly or together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import orjson
from faults.server import DONE, Answer, event


class Made(NamedTuple):
    """A tool call that the model makes."""

    id: str
    name: str
    arguments: str
    """JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a model answers, apart from how it is spelled."""

    text: str = ""
    thinking: str = ""
    calls: tuple[Made, ...] = ()
    finish: str = ""
    """The finish reason; "": what the calls say."""

    @property
    def reason(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")

    @property
    def tokens(self) -> int:
        """Four bytes each."""
        written = [self.thinking, self.text, *(c.name + c.arguments for c in self.calls)]
        return sum(map(len, map(str.encode, written))) // 4 + 1

    def within(self, cap: int) -> Turn:
        """The same, broken off where it would be longer than `cap` tokens."""
        if self.tokens <= cap:
            return self

        left = 4 * cap - 1
        thinking, left = _cut(self.thinking, left)
        text, left = _cut(self.text, left)
        calls: list[Made] = []

        for made in self.calls:
            if left <= len(made.name):
                break

            arguments, left = _cut(made.arguments, left - len(made.name))
            calls.append(made._replace(arguments=arguments))

        return Turn(text=text, thinking=thinking, calls=tuple(calls), finish="length")


def _cut(text: str, size: int) -> tuple[str, int]:
    """What of `text` goes into `size` bytes, and how many are left then."""
    whole = text.encode()
    return whole[:size].decode(errors="ignore"), max(0, size - len(whole))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How the server spells what it says; as it stands, the way the platform documents it."""

    index: str = "each"
    """Of tool calls: "each" its own, "zero" for all, "none" at all."""
    ids: str = "unique"
    """Of tool calls: "unique", "repeated" (counted from 0 in each turn), "none"."""
    arguments_first: bool = False
    """The arguments come before the name."""
    empty_deltas: bool = False
    empty_calls: bool = False
    """Deltas whose list of tool calls is empty, or whose call says nothing."""
    thinking_key: str = "reasoning_content"
    """The field of the thinking; the server wants it back under the same name."""
    finish: str = ""
    """"stop": also with tool calls; "tool_calls": also without; "": the right one."""
    overthinks: bool = False
    """Thinking uses up all that the answer may be long; nothing is said."""
    done: bool = True
    """The stream ends with [DONE]."""
    crlf: bool = False
    """Lines end in \\r\\n, and there is no blank after "data:"."""
    comments: bool = False
    """Lines that begin with a colon, between the events."""
    piece: int = 8
    """Characters of text or arguments in one delta."""
    usage: str = "both"
    """"choice": in choices[0]; "last": in a chunk without choices; "both"; "none"."""
    cached: str = "flat"
    """"flat": usage.cached_tokens; "details": usage.prompt_tokens_details.cached_tokens."""

    def call_id(self, name: str, before: int, position: int) -> str:
        """The id of a turn's call, after `before` calls of earlier turns."""
        if self.ids == "none":
            return ""

        return f"{name}:{position if self.ids == 'repeated' else before + position}"


DELTAS_MAX = 1_000
"""Of one answer, about; a huge one comes in larger pieces."""


def spell(turn: Turn, usage: dict[str, int], quirks: Quirks, model: str, *, last: bool) -> Answer:
    """The turn as bytes, streamed and plain.

    `usage`: tokens_in, tokens_out and cached; `last`: the client wants them in a last chunk.
    """
    bill = _bill(usage, quirks)
    quirks = replace(quirks, piece=max(quirks.piece, 4 * turn.tokens // DELTAS_MAX))
    head = {"id": "chatcmpl-mock", "created": 1_762_000_000, "model": model}
    events = [
        event({**head, "object": "chat.completion.chunk", **body})
        for body in _chunks(turn, bill, quirks, last=last)
    ]

    if quirks.done:
        events.append(DONE)

    whole = {**head, "object": "chat.completion", **_whole(turn, quirks)}

    if quirks.usage != "none":
        whole["usage"] = bill

    return Answer(parts=tuple(_lines(events, quirks)), plain=orjson.dumps(whole))


def _bill(usage: dict[str, int], quirks: Quirks) -> dict[str, Any]:
    cached: dict[str, Any] = {"cached_tokens": usage["cached"]}
    return {
        "prompt_tokens": usage["tokens_in"],
        "completion_tokens": usage["tokens_out"],
        "total_tokens": usage["tokens_in"] + usage["tokens_out"],
        **(cached if quirks.cached == "flat" else {"prompt_tokens_details": cached}),
    }


def _chunks(
    turn: Turn, bill: dict[str, Any], quirks: Quirks, *, last: bool
) -> Iterator[dict[str, Any]]:
    """The stream's objects, without what is the same in all."""
    for delta in _deltas(turn, quirks):
        if quirks.empty_deltas:
            yield _choice({})

        yield _choice(delta)

        if quirks.empty_calls:
            yield _choice({"tool_calls": []})

    end = _choice({}, quirks.finish or turn.reason)

    if quirks.usage in {"choice", "both"}:
        end["choices"][0]["usage"] = bill

    yield end

    if last and quirks.usage in {"last", "both"}:
        yield {"choices": [], "usage": bill}


def _choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _deltas(turn: Turn, quirks: Quirks) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}

    for piece in _pieces(turn.thinking, quirks.piece):
        yield {quirks.thinking_key: piece}

    for piece in _pieces(turn.text, quirks.piece):
        yield {"content": piece}

    for position, made in enumerate(turn.calls):
        index = {"each": {"index": position}, "zero": {"index": 0}, "none": {}}[quirks.index]

        for call in _call_deltas(made, quirks):
            yield {"tool_calls": [{**index, **call}]}


def _call_deltas(made: Made, quirks: Quirks) -> Iterator[dict[str, Any]]:
    """One call, in pieces. Its id comes with its beginning, whichever that is."""
    id = {"id": made.id} if made.id else {}
    name = {"type": "function", "function": {"name": made.name}}
    cut = _pieces(made.arguments, quirks.piece) or [""]
    pieces = [{"function": {"arguments": piece}} for piece in cut]

    if quirks.empty_calls:
        pieces.insert(1, {"function": {"arguments": ""}})

    if quirks.arguments_first:
        yield {**id, **pieces[0]}
        yield from pieces[1:]
        yield name
    else:
        yield {**id, "type": "function", "function": {"name": made.name, "arguments": ""}}
        yield from pieces


def _whole(turn: Turn, quirks: Quirks) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text}

    if turn.thinking:
        message[quirks.thinking_key] = turn.thinking

    if turn.calls:
        message["tool_calls"] = [
            {
                **({"id": made.id} if made.id else {}),
                "type": "function",
                "function": {"name": made.name, "arguments": made.arguments},
            }
            for made in turn.calls
        ]

    reason = quirks.finish or turn.reason
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}


def _lines(events: Sequence[bytes], quirks: Quirks) -> Iterator[bytes]:
    for each in events:
        if quirks.comments:
            yield b": keep-alive\r\n\r\n" if quirks.crlf else b": keep-alive\n\n"

        if not quirks.crlf:
            yield each
        else:
            yield each.replace(b"\n", b"\r\n").replace(b"data: ", b"data:", 1)


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def overthought(turn: Turn, cap: int) -> Turn:
    """The same turn, of which only the thinking is written, all `cap` tokens of it."""
    return replace(turn, thinking="Hm, " * (cap + 1), text="", calls=()).within(cap)
