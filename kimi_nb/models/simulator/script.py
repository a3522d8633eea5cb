"""A turn that was decided, as the chunks of a stream with their delays."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from kimi_nb.models.base import image_excess
from kimi_nb.models.simulator.options import Options

__all__ = ["Call", "Chunk", "Dropped", "Event", "Fault", "Script", "Turn", "perform"]

Chunk = dict[str, Any]
"""An OpenAI `chat.completion.chunk`."""

CHARS_PER_TOKEN = 4
BURST = 512
"""Characters in one delta where no pace is set."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that the brain decided on."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the brain answers to one request."""

    thinking: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An HTTP error instead of an answer."""

    status: int
    type: str
    message: str
    retry_after: float | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection breaks here."""


@dataclass(frozen=True, slots=True)
class Event:
    delay: float
    """Seconds after the event before it."""
    what: Chunk | Fault | Dropped


Script = tuple[Event, ...]
"""All that one request is answered with, in order."""


def perform(turn: Turn, request: dict[str, Any], options: Options, first_id: int) -> Script:
    """The script of `turn`: latency and faults drawn from the seeds and the request's messages.

    `first_id` numbers the turn's first tool call.
    """
    wire = orjson.dumps(request["messages"])
    digest = _digest(wire, request.get("seed") or 0, options)
    draw = random.Random(digest)  # noqa: S311 - a seeded play, not a secret
    latency = options.latency * draw.lognormvariate(0.0, options.spread)
    fault = _fault(draw.random(), options)

    if fault is not None:
        return (Event(latency, fault),)

    limit = request.get("max_completion_tokens") or request.get("max_tokens") or 1 << 30
    deltas, finish = _cut(_deltas(turn, options, first_id), limit * CHARS_PER_TOKEN)
    frame = _Frame(f"chatcmpl-{digest:032x}", str(request.get("model") or "simulator"))
    events = [Event(latency, frame.chunk({"role": "assistant", "content": ""}))]
    pace = 1 / options.tokens_per_second if options.tokens_per_second else 0.0
    events += [Event(pace, frame.chunk(delta)) for _, delta in deltas]
    written = sum(size for size, _ in deltas)

    if draw.random() < _drop_share(options):
        half = draw.randint(1, len(events))
        return (*events[:half], Event(pace, Dropped()))

    events.append(Event(0.0, frame.chunk({}, finish)))
    read = len(wire) - sum(map(image_excess, request["messages"]))
    events.append(Event(0.0, frame.usage(read, written)))
    return tuple(events)


def _digest(wire: bytes, seed: int, options: Options) -> int:
    salted = hashlib.blake2b(f"{options.seed}:{seed}:".encode(), digest_size=16)
    salted.update(wire)
    return int.from_bytes(salted.digest(), "big")


def _fault(chance: float, options: Options) -> Fault | None:
    wait = options.retry_after

    for rate, fault in (
        (
            options.rate_limit_rate,
            Fault(
                status=429,
                type="rate_limit_reached_error",
                message="The simulator plays a rate limit. Wait and try again.",
                retry_after=wait,
            ),
        ),
        (
            options.overload_rate,
            Fault(
                status=429,
                type="engine_overloaded_error",
                message="The simulator plays an overloaded engine. Wait and try again.",
                retry_after=wait,
            ),
        ),
        (
            options.failure_rate,
            Fault(status=500, type="server_error", message="The simulator plays a failure."),
        ),
    ):
        if chance < rate:
            return fault

        chance -= rate

    return None


def _drop_share(options: Options) -> float:
    """The drop rate among the calls that no other fault has met."""
    rest = 1 - options.failure_rate - options.rate_limit_rate - options.overload_rate
    return options.drop_rate / rest if rest > 0 else 0.0


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def _deltas(turn: Turn, options: Options, first_id: int) -> Iterator[tuple[int, Chunk]]:
    """Each delta with the number of characters in it."""
    size = CHARS_PER_TOKEN if options.tokens_per_second else BURST

    for piece in _pieces(turn.thinking, size):
        yield len(piece), {"reasoning_content": piece}

    for piece in _pieces(turn.text, size):
        yield len(piece), {"content": piece}

    for index, call in enumerate(turn.calls):
        head = {"index": index, "id": f"{call.name}:{first_id + index}", "type": "function"}
        function = {"name": call.name, "arguments": ""}
        yield len(call.name), {"tool_calls": [{**head, "function": function}]}

        for piece in _pieces(orjson.dumps(call.arguments).decode(), size):
            part = {"index": index, "function": {"arguments": piece}}
            yield len(piece), {"tool_calls": [part]}


def _cut(deltas: Iterator[tuple[int, Chunk]], limit: int) -> tuple[list[tuple[int, Chunk]], str]:
    """The deltas that fit into `limit` characters, and the reason for the end."""
    kept: list[tuple[int, Chunk]] = []
    finish = "stop"

    for size, delta in deltas:
        if size > limit:
            return kept, "length"

        limit -= size
        kept.append((size, delta))
        finish = "tool_calls" if "tool_calls" in delta else finish

    return kept, finish


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all chunks of one answer share."""

    id: str
    model: str

    def chunk(self, delta: Chunk, finish: str | None = None) -> Chunk:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "choices": [choice],
        }

    def usage(self, read: int, written: int) -> Chunk:
        prompt, completion = read // CHARS_PER_TOKEN + 1, written // CHARS_PER_TOKEN + 1
        counts = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        return {**self.chunk({}), "choices": [], "usage": counts}
