"""What was paid: one line a call, only ever added to. No prompts, no keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from kimi_nb.errors import UsageFault
from kimi_nb.locked import open_locked

__all__ = ["Entry", "Ledger", "entries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A call that went to the endpoint."""

    at: float
    """When it ended, in seconds since 1970."""
    group: str
    student: str
    model: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    usd: float
    status: int
    """What the endpoint answered; 502: it was out of reach or broke off; 499: the learner did."""
    seconds: float
    """From its arrival, the wait for a turn included."""


class Ledger:
    """The file to add to; no second proxy can have it open.

    Raises TraceLocked if one has, TraceError if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._fd = open_locked(path)

        if (size := os.fstat(self._fd).st_size) and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")  # the machine stopped within a line

    def write(self, entry: Entry) -> None:
        """Add a line. It is the system's at once: killing this process loses no line."""
        os.write(self._fd, orjson.dumps(asdict(entry)) + b"\n")

    def close(self) -> None:
        os.close(self._fd)


def entries(path: Path) -> Iterator[Entry]:
    """What a ledger holds; nothing where there is none. A line cut by a power failure is lost.

    Raises UsageFault for a line that no proxy wrote.
    """
    lines = path.read_bytes().split(b"\n") if path.exists() else []

    for number, line in enumerate(lines, 1):
        if not line:
            continue

        try:
            yield Entry(**orjson.loads(line))
        except orjson.JSONDecodeError:
            continue
        except TypeError:
            raise UsageFault(
                f"{path}:{number} is no line of a ledger; move the file away"
            ) from None
