"""A span before any SDK has seen it, and the names that the GenAI conventions give to things.

The names are those of the OpenTelemetry GenAI semantic conventions, which are not stable yet;
what they have no name for begins with `kimi_nb.`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ROOT", "Draft", "Event", "Value", "identity", "provider_of"]

Value = str | bool | int | float | list[str]
"""What an attribute may hold."""

ROOT = "run"
"""Key of the span of the run itself."""

MOONSHOT = ("kimi", "moonshot")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened within a span."""

    name: str
    at: int
    """Nanoseconds since the epoch."""
    attributes: dict[str, Value]


@dataclass(slots=True, kw_only=True)
class Draft:
    """A span in the making. Times are nanoseconds since the epoch."""

    key: str
    """What it is within its run, as "step/a0/3": its id is made from that."""
    name: str
    calls_out: bool = False
    """It is a call to another system (kind CLIENT); else the work of this process."""
    parents: tuple[str, ...]
    """Keys of those that it may hang under: the first that there is."""
    began: int
    ended: int | None = None
    attributes: dict[str, Value]
    events: list[Event] = field(default_factory=list[Event])
    after: tuple[str, ...] = ()
    """Keys of spans that had to end first, and are no parents of it."""
    error: str = ""
    """`error.type`; "" where all went well."""
    why: str = ""

    def end(self, at: int, error: str = "", why: str = "") -> None:
        """It ended at `at`, with that error if it is one. A later end replaces an earlier one."""
        self.ended, self.error, self.why = max(at, self.began), error, why


def identity(*parts: str, size: Literal[8, 16]) -> int:
    """A number of that many bytes, never 0, that is always the same for the same parts."""
    text = "\0".join(parts).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(text, digest_size=size).digest(), "big") or 1


def provider_of(model: str, *, simulated: bool) -> str:
    """`gen_ai.provider.name`.

    The conventions take it for the flavour of the interface: an endpoint that speaks OpenAI's and
    is not known to be another's is "openai".
    """
    if simulated:
        return "kimi_nb.simulator"

    name = model.lower().rpartition("/")[2]
    return "moonshot_ai" if name.startswith(MOONSHOT) else "openai"
