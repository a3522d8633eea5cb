"""How a limiter stands at one moment: for a line of text, and for who counts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limit", "Standing"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What may be, and who says so."""

    most: float | None
    """None: nothing limits it."""
    source: str
    """ "" is the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What goes, what waits, and what limits it."""

    in_flight: int
    """Calls that were let go and not yet released."""
    waiting: int
    """Calls in the queue."""
    sent: int
    """Calls that were let go since the limiter began."""
    refused: int
    """Calls that the endpoint refused since then, such as by 429."""
    concurrency: Limit
    """Calls at once."""
    rpm: Limit
    """Requests a minute."""
    tpm: Limit
    """Tokens a minute."""
    paused_s: float
    """Seconds until a call may go again after a refusal; 0 without a pause."""

    def __str__(self) -> str:
        """One line."""
        parts = [f"{self.in_flight} calls in flight, {self.waiting} waiting"]

        if self.concurrency.most is not None:
            parts.append(f"at most {self.concurrency.most} at once{_origin(self.concurrency)}")

        for limit, what in ((self.rpm, "requests"), (self.tpm, "tokens")):
            if limit.most is not None:
                parts.append(f"{limit.most:,.0f} {what} a minute{_origin(limit)}")

        if self.refused:
            parts.append(f"{self.refused} of {self.sent} answered 429")

        if self.paused_s > 0:
            parts.append(f"paused for {self.paused_s:.1f} s")

        return "; ".join(parts)


def _origin(limit: Limit) -> str:
    return f" ({limit.source})" if limit.source else ""
