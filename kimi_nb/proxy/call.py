"""One call on its way to the endpoint and back, and what it turns out to have cost."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

import orjson

from kimi_nb.errors import Allowed, ModelError
from kimi_nb.models.base import Usage
from kimi_nb.models.sse import Splitter
from kimi_nb.proxy.asked import Asked
from kimi_nb.proxy.ledger import Entry
from kimi_nb.proxy.purse import Hold
from kimi_nb.proxy.seats import Seat

__all__ = ["HUNG_UP", "Call"]

HUNG_UP = 499


@dataclass(slots=True)
class Call:
    """What is known of a call so far."""

    seat: Seat
    asked: Asked
    hold: Hold
    arrived: float
    sent: bool = False
    """The endpoint has it, and may charge for it."""
    status: int = HUNG_UP
    error: ModelError | None = None
    allowed: Allowed | None = None
    usage: Usage | None = None
    """As the endpoint counted it."""
    _splitter: Splitter = field(default_factory=Splitter)
    _events: int = 0
    _bytes: int = 0
    _smallest: int = 2**31

    @property
    def tokens(self) -> int:
        """What limiters reckon with: the prompt and the longest answer."""
        return self.asked.prompt_estimate + self.hold.max_tokens

    @property
    def tokens_used(self) -> int | None:
        """As the endpoint counted them; None: it did not."""
        return self.usage and self.usage.tokens_in + self.usage.tokens_out

    def pass_on(self, chunk: bytes) -> bytes:
        """Note what part of a stream says; what of it the learner gets."""
        events = self._splitter.feed(chunk)
        kept: list[bytes] = []

        for data in events:
            self._events += 1
            self._bytes += len(data)
            self._smallest = min(self._smallest, len(data))

            if b'"usage"' in data and b"_tokens" in data:
                event = _object(data)
                self.note_usage(event)

                if not event.get("choices"):
                    continue

            kept.append(b"data: " + data + b"\n\n")

        return chunk if self.asked.wants_usage else b"".join(kept)

    def last(self) -> bytes:
        """What a stream's end still brings to the learner, though no blank line came after it."""
        rest = self.pass_on(b"\n\n")
        return b"" if self.asked.wants_usage else rest

    def note_usage(self, answer: object) -> None:
        """Read the usage out of an answer or an event."""
        if not isinstance(answer, dict):
            return

        answer = cast("dict[str, Any]", answer)
        choices = answer.get("choices")
        first = cast("list[Any]", choices)[0] if isinstance(choices, list) and choices else None
        inner = cast("dict[str, Any]", first).get("usage") if isinstance(first, dict) else None
        found = answer.get("usage") or inner

        if isinstance(found, dict):
            self.usage = _usage(cast("dict[str, Any]", found)) or self.usage

    def paid(self) -> Usage:
        """What it cost: as the endpoint says, else what was reserved or has been streamed."""
        if self.usage is not None:
            return self.usage

        if not self.sent or self.error is not None:
            return Usage(tokens_in=0, tokens_out=0)

        tokens_out = self.hold.max_tokens

        if self._events or (self.asked.streamed and self.status != HTTPStatus.OK):
            # an event's frame is about as long as the smallest event
            text = self._bytes - self._events * self._smallest
            tokens_out = min(tokens_out, text // 4 + self._events)

        return Usage(tokens_in=self.asked.prompt_bound, tokens_out=tokens_out, estimated=True)

    def entry(self, paid: Usage, usd: float) -> Entry:
        """Its line in the ledger."""
        return Entry(
            at=time.time(),
            group=self.seat.who.group,
            student=self.seat.who.student,
            model=self.asked.model,
            tokens_in=paid.tokens_in,
            tokens_out=paid.tokens_out,
            tokens_cached=paid.tokens_cached,
            usd=usd,
            status=self.status,
            seconds=round(time.monotonic() - self.arrived, 4),
        )


def _usage(found: dict[str, Any]) -> Usage | None:
    details = found.get("prompt_tokens_details")
    nested = (
        cast("dict[str, Any]", details).get("cached_tokens") if isinstance(details, dict) else 0
    )
    sent, made = found.get("prompt_tokens"), found.get("completion_tokens")

    if not isinstance(sent, int) or not isinstance(made, int) or min(sent, made) < 0:
        return None  # it would fill a purse again

    cached = [count for count in (found.get("cached_tokens"), nested) if isinstance(count, int)]
    return Usage(tokens_in=sent, tokens_out=made, tokens_cached=min(sent, max((0, *cached))))


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(data)
    except ValueError:
        return {}

    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
