"""What can go wrong with one answer: each function here makes one `Fault`.

A fault changes what is said (the turn) or how its bytes go out (the answer). Where it finds
nothing to break, as a cut inside a tool call in an answer that calls none, it breaks nothing,
and the log says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson
from faults.quirks import Turn
from faults.server import CUT, DROPPED, STALL, Answer, event, refuse
from faults.tier import RATE_LIMIT, retry_after

AGES = 3_600.0
WORDS = re.compile(rb'"content":"[^"]')
THINKING = re.compile(rb'"reasoning(?:_content)?":"[^"]')
ARGUMENTS = re.compile(rb'"arguments":"[^"]')
OVERLOADED = "The engine is currently overloaded, please try again later"
RATE_LIMITED = "Organization Rate limit exceeded, please try again after 1 seconds"
FILTERED = "The request was rejected because it was considered high risk"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mishap. `answer` returns None where there is nothing to break."""

    name: str
    answer: Callable[[Answer], Answer | None] = lambda answer: answer
    turn: Callable[[Turn], Turn] = lambda turn: turn
    spoils: bool = True
    """No client can make a whole answer of what is left."""


# In time and on the way --------------------------------------------------------------------


def delay(seconds: float) -> Fault:
    """The answer comes late."""
    return Fault("delay", lambda answer: answer.after(seconds), spoils=False)


def held(ready: Callable[[], object]) -> Fault:
    """The answer comes when something else is so, however fast or slow that is."""
    return Fault("held", lambda answer: replace(answer, ready=ready), spoils=False)


def stall() -> Fault:
    """Nothing comes, not even a status."""
    return Fault("stall", lambda answer: answer.after(AGES))


def stall_text() -> Fault:
    """The stream goes silent in the middle of the words."""
    return Fault("stall_text", lambda answer: _break(answer, STALL, WORDS, THINKING))


def drop() -> Fault:
    """The connection is reset before anything came."""
    return Fault("drop", lambda answer: replace(answer, status=DROPPED))


def cut_text() -> Fault:
    """The connection is dropped in the middle of the words."""
    return Fault("cut_text", lambda answer: _break(answer, CUT, WORDS, THINKING))


def cut_call() -> Fault:
    """The connection is dropped inside the arguments of the last tool call."""
    return Fault("cut_call", lambda answer: _break(answer, CUT, ARGUMENTS, last=True))


def end_text() -> Fault:
    """The stream ends in good order in the middle of the words."""
    return Fault("end_text", lambda answer: _break(answer, b"", WORDS, THINKING))


def malformed() -> Fault:
    """An event in the middle is no JSON."""
    wrong = b'data: {"choices": [}\n\n'
    patterns = WORDS, THINKING, ARGUMENTS
    return Fault("malformed", lambda answer: _break(answer, wrong, *patterns))


def error_in_stream(kind: str = "engine_overloaded_error", words: str = OVERLOADED) -> Fault:
    """An error object in the middle of the stream."""
    said = event({"error": {"type": kind, "message": words}})
    return Fault("error_in_stream", lambda answer: _break(answer, said, WORDS, THINKING, ARGUMENTS))


def split_utf8() -> Fault:
    """Every letter of more than one byte, and every event, is cut in the middle."""
    return Fault("split_utf8", _split, spoils=False)


# Refusals ----------------------------------------------------------------------------------


def status(code: int, words: str = "Internal server error", kind: str = "server_error") -> Fault:
    """An error response such as 500, 502, 503 or 529."""
    return _refusal(f"status {code}", refuse(code, kind, words))


def overloaded(after: float | None = None, form: str = "seconds") -> Fault:
    """429 of the engine; with Retry-After as "seconds" or as a "date"."""
    return _limited("overloaded", "engine_overloaded_error", OVERLOADED, after, form)


def rate_limited(
    after: float | None = None, form: str = "seconds", words: str = RATE_LIMITED
) -> Fault:
    """429 of the account; with Retry-After as "seconds" or as a "date"."""
    return _limited("rate_limited", RATE_LIMIT, words, after, form)


def no_quota() -> Fault:
    """429 for good: nothing is left to pay with."""
    return _refusal("no_quota", quota_refusal())


def filtered() -> Fault:
    """400: what was asked is not to be answered."""
    return _refusal("filtered", refuse(400, "content_filter", FILTERED))


def quota_refusal() -> Answer:
    words = "You exceeded your current token quota: <org-mock>, please check your account balance"
    return refuse(429, "exceeded_current_quota_error", words)


# In what is said ---------------------------------------------------------------------------


def filtered_finish() -> Fault:
    """The words break off, and the finish reason is content_filter."""

    def half(turn: Turn) -> Turn:
        return Turn(
            text=turn.text[: len(turn.text) // 2], thinking=turn.thinking, finish="content_filter"
        )

    return Fault("filtered_finish", turn=half, spoils=False)


def huge(characters: int = 5_000_000) -> Fault:
    """Far more words than were asked for, and more than the request allows."""
    line = "All of it, and once more. "
    text = (line * (characters // len(line) + 1))[:characters]
    return Fault("huge", turn=lambda turn: replace(turn, text=text), spoils=False)


# -------------------------------------------------------------------------------------------


def _refusal(name: str, answer: Answer) -> Fault:
    return Fault(name, lambda _answer: answer)


def _limited(name: str, kind: str, words: str, after: float | None, form: str) -> Fault:
    def refused(_answer: Answer) -> Answer:
        return refuse(429, kind, words, "" if after is None else retry_after(after, form))

    return Fault(name, refused)


def _break(
    answer: Answer, then: str | bytes, *patterns: re.Pattern[bytes], last: bool = False
) -> Answer | None:
    """The answer up to the middle of what the first fitting pattern finds, and `then`.

    `last`: up to the last of it instead.
    """
    for pattern in patterns:
        found = [
            place
            for place, part in enumerate(answer.parts)
            if isinstance(part, bytes) and pattern.search(part)
        ]

        if found:
            place = found[-1 if last else len(found) // 2]
            kept = answer.parts[:place]
            part = answer.parts[place]

            if len(found) == 1 and isinstance(part, bytes):
                kept = (*kept, part[: len(part) // 2])

            return replace(answer, parts=(*kept, then))

    return None


def _split(answer: Answer) -> Answer:
    parts: list[bytes | float | str] = []

    for part in answer.parts:
        if not isinstance(part, bytes):
            parts.append(part)
            continue

        letters = {place for place, byte in enumerate(part) if byte & 0xC0 == 0x80}
        ends = sorted({len(part) // 2, *letters, len(part)})

        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            parts += [part[start:end], 0.0]

    return replace(answer, parts=tuple(parts))


def message_of(answer: Answer) -> str:
    """The platform's words in a refusal."""
    return orjson.loads(answer.plain)["error"]["message"]
