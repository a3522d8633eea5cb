"""Watching a process: what it prints, how long it runs, what no limit of the kernel's counts."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PRINTED", "Ended", "watched"]

PRINTED = 1_000_000
"""Bytes; what goes back to a model is capped again, by its Toolset."""
THREADS = 128
WRITTEN = 1_000_000_000
"""Bytes, in all files together."""
_TICK = 0.1
"""Seconds between two looks at the process."""
_CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a process left."""

    output: bytes
    why: str
    """Which limit it reached; "" for none. It may still run then."""


class _Output:
    """What has come out of a pipe."""

    __slots__ = ("fd", "open", "text")

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self.open = True
        self.text = bytearray()

    def read(self) -> None:
        """Take what is there."""
        while self.open and not self.too_much:
            try:
                data = os.read(self.fd, _CHUNK)
            except BlockingIOError:
                return

            self.text += data
            self.open = bool(data)

    @property
    def too_much(self) -> bool:
        return len(self.text) > PRINTED


def watched(process: subprocess.Popen[bytes], seconds: float) -> Ended:
    """Wait until a process ends or reaches a limit."""
    deadline = time.monotonic() + seconds
    ended = os.pidfd_open(process.pid)

    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe of ours

        with process.stdout as stdout, selectors.DefaultSelector() as selector:
            output = _Output(stdout.fileno())
            selector.register(ended, selectors.EVENT_READ)
            selector.register(stdout, selectors.EVENT_READ)
            why = _watch(process.pid, ended, output, selector, deadline)
    finally:
        os.close(ended)

    return Ended(output=bytes(output.text[:PRINTED]), why=why)


def _watch(
    pid: int, ended: int, output: _Output, selector: selectors.BaseSelector, deadline: float
) -> str:
    look = time.monotonic() + _TICK

    while True:
        left = min(look, deadline) - time.monotonic()
        ready = {key.fd for key, _ in selector.select(max(0.0, left))}
        was_open = output.open
        output.read()

        if output.too_much:
            return "output"

        if ended in ready:
            return ""

        if was_open and not output.open:  # closed by the process, which may go on
            selector.unregister(output.fd)

        now = time.monotonic()

        if now >= deadline:
            return "timeout"

        if now >= look:
            look = now + _TICK

            if why := _excess(pid):
                return why


def _excess(pid: int) -> str:
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")

        if int(status.rpartition(")")[2].split()[17]) > THREADS:
            return "threads"

        lines = Path(f"/proc/{pid}/io").read_text("utf-8").splitlines()
        counted = {name: int(value) for name, _, value in (line.partition(": ") for line in lines)}

        if max(counted["wchar"], counted["write_bytes"]) > WRITTEN:
            return "disk"

    return ""
