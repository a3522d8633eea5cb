"""The tolerant assembler: streamed deltas, as endpoints really send them, to one Reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from kimi_nb.errors import Allowed, Unreachable
from kimi_nb.models.base import Reply, Sink, ToolCall, Usage
from kimi_nb.models.draft import Draft
from kimi_nb.models.faults import fault, one_line

__all__ = ["Assembler"]


NOTHING = Allowed()
TOKEN = 16
"""Characters of a token; no answer in any language has so many on average."""


class Assembler:
    """Collects the chunks of one reply and tells `sink` what they say, as they come.

    A call is announced once, in the order in which the model began them: as soon as its
    arguments are a whole JSON object, or, if they are not, once a later call's are, or at the
    end. What still arrives for an announced call is in the final `Reply.calls`.

    Not every endpoint keeps to the length that it was asked for: what is far longer than
    `max_tokens` is cut off, as if the endpoint had done it.
    """

    def __init__(
        self, sink: Sink, call_id: Callable[[str, int], str] | None = None, max_tokens: int = 2**40
    ) -> None:
        self.ended = False
        """A finish reason has arrived. Without one the stream may have been cut."""
        self.full = False
        """What arrives from here on is dropped."""
        self._room = TOKEN * max_tokens
        self._sink = sink
        self._call_id = call_id
        """Makes an id of a call's name and its position, where the model wants its own form."""
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._thinking_key = ""
        self._drafts: list[Draft] = []
        self._open: dict[int | None, Draft] = {}
        self._announced: list[Draft] = []
        self._reason = ""
        self._usage: dict[str, Any] = {}

    def feed(self, chunk: dict[str, Any]) -> None:
        """Take a chunk of a stream, or a whole plain response.

        Raises ModelError for an error object, and Unreachable for what is not a chunk.
        """
        if "error" in chunk and (error := chunk["error"]) is not None:
            raise fault(None, error)

        if self.full:
            return

        if "usage" in chunk and (usage := chunk["usage"]):
            self._usage = _mapping(usage)

        if choices := chunk.get("choices"):
            self._choose(_mapping(_list(choices)[0]))

    @property
    def begun(self) -> bool:
        """Something of an answer, or its bill, has arrived."""
        return bool(self._text or self._thinking or self._drafts or self._usage)

    def partial(self, prompt_estimate: int) -> tuple[str, Usage]:
        """The text so far, and what a call that broke off here is believed to have cost."""
        calls = tuple(map(self._call, self._drafts))
        return "".join(self._text), replace(self._count(prompt_estimate, calls), estimated=True)

    def finish(self, prompt_estimate: int, allowed: Allowed = NOTHING) -> Reply:
        """The whole turn, after the calls that still look incomplete are announced.

        `prompt_estimate` stands in for the prompt's tokens where the endpoint sent no usage;
        `allowed` is what its headers said.
        """
        self._announce(self._drafts)
        calls = tuple(map(self._call, self._announced))
        return Reply(
            text="".join(self._text),
            thinking="".join(self._thinking),
            thinking_key=self._thinking_key,
            calls=calls,
            finish=self._finish(),
            usage=self._count(prompt_estimate, calls),
            allowed=allowed,
        )

    def _choose(self, choice: dict[str, Any]) -> None:
        if choice.get("index"):  # a second answer, which was not asked for
            return

        if delta := choice.get("delta"):
            self._take(_mapping(delta), whole=False)
        elif message := choice.get("message"):
            self._take(_mapping(message), whole=True)

        if reason := choice.get("finish_reason"):
            self._reason = str(reason)
            self.ended = True

        if "usage" in choice and (usage := choice["usage"]):
            self._usage = _mapping(usage)

    def _take(self, delta: dict[str, Any], *, whole: bool) -> None:
        if text := delta.get("content"):
            self._text.append(text := self._fitting(_string(text)))
            self._sink.on_text(text)

        for key in ("reasoning_content", "reasoning"):
            if key in delta and (text := delta[key]) is not None:
                self._think(key, text)
                break  # some send the same text under both names

        if "tool_calls" in delta and (calls := delta["tool_calls"]):
            for position, call in enumerate(_list(calls)):
                self._take_call(_mapping(call), position if whole else None)

    def _think(self, key: str, text: object) -> None:
        self._thinking_key = key

        if text := self._fitting(_string(text)):
            self._thinking.append(text)
            self._sink.on_thinking(text)

    def _take_call(self, delta: dict[str, Any], position: int | None) -> None:
        function = _mapping(delta.get("function") or {})
        name = _string(function.get("name") or "")
        text = self._fitting(_arguments(function.get("arguments")))
        id_ = _string(delta.get("id") or "")
        index = delta.get("index", position)
        draft = self._draft(index if isinstance(index, int) else position, id_, name, text)
        draft.id = draft.id or id_

        if name and draft.name != name:  # also one that is repeated, or split, as deltas allow
            draft.name += name

        if text:
            draft.add(text)

        if draft.complete and draft.position < 0 and draft.name:
            self._announce(self._drafts[: self._drafts.index(draft) + 1])

    def _fitting(self, text: str) -> str:
        """As much of it as there is room for."""
        self._room -= len(text)

        if self._room >= 0:
            return text

        self.full = self.ended = True
        kept = text[: self._room]
        self._room = 0
        return kept

    def _draft(self, index: int | None, id_: str, name: str, text: str) -> Draft:
        """The call that a delta belongs to.

        Some endpoints send no index, or 0 for all: the last call then goes on until something
        shows that it is another. An id alone does not: some send a new one with every delta.
        """
        draft = self._open.get(index)

        if draft is None and index is None and self._drafts:
            draft = self._drafts[-1]

        if draft is None or _begins(draft, id_, name, text):
            draft = Draft()
            self._drafts.append(draft)
            self._open[index] = draft

        return draft

    def _announce(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            if draft.position < 0 and not draft.empty:
                draft.position = len(self._announced)
                self._announced.append(draft)
                self._sink.on_call(self._call(draft))

    def _call(self, draft: Draft) -> ToolCall:
        made = self._call_id(draft.name, draft.position) if self._call_id else draft.id
        return ToolCall(
            index=draft.position,
            id=made or f"call_{draft.position}",
            name=draft.name,
            arguments=draft.arguments,
        )

    def _finish(self) -> str:
        """What the turn amounts to. Finish reasons are unreliable; what was assembled is not."""
        reason = "length" if self.full else self._reason
        cut = reason == "length" and not all(draft.complete for draft in self._announced)

        if self._announced and not cut:
            return "tool_calls"

        return reason if reason in {"length", "content_filter"} else "stop"

    def _count(self, prompt_estimate: int, calls: tuple[ToolCall, ...]) -> Usage:
        sent, made = self._usage.get("prompt_tokens"), self._usage.get("completion_tokens")
        known = isinstance(sent, int) and isinstance(made, int)
        return Usage(
            tokens_in=sent if isinstance(sent, int) else prompt_estimate,
            tokens_out=made if isinstance(made, int) else self._estimate(calls),
            tokens_cached=_cached(self._usage),
            estimated=not known,
        )

    def _estimate(self, calls: tuple[ToolCall, ...]) -> int:
        written = [*self._text, *self._thinking]
        written.extend(call.name + call.arguments for call in calls)
        return sum(len(text.encode(errors="replace")) for text in written) // 4 + 1


def _begins(draft: Draft, id_: str, name: str, text: str) -> bool:
    """Whether a delta that seems to belong to `draft` begins another call."""
    if id_ and draft.id and id_ != draft.id:
        return bool(name) or draft.complete

    if not (name and draft.name and draft.complete):
        return False

    return name != draft.name or text.lstrip()[:1] == "{"


def _cached(usage: dict[str, Any]) -> int:
    details = usage.get("prompt_tokens_details")
    nested = _mapping(details).get("cached_tokens") if details else None
    counts = (usage.get("cached_tokens"), nested)
    return max((count for count in counts if isinstance(count, int)), default=0)


def _arguments(value: object) -> str:
    """Arguments as JSON text; some endpoints send the object itself."""
    if isinstance(value, dict):
        return orjson.dumps(value).decode()

    return _string(value or "")


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _malformed(value)

    return value


# Called for every delta: without `cast`, which costs a call at run time.


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed(value)

    return value  # pyright: ignore[reportUnknownVariableType]


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _malformed(value)

    return value  # pyright: ignore[reportUnknownVariableType]


def _malformed(value: object) -> Unreachable:
    return Unreachable(f"the endpoint sent what is no chat chunk: {one_line(repr(value), 120)}")
