"""The process of its own: calls come in at its standard input, outcomes go out."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO

from kimi_nb.tools.processes.carried import carried

__all__ = ["SIZE", "main"]

SIZE = struct.Struct("!Q")
"""Bytes of what follows."""


def main() -> None:
    """Answer calls until nobody asks any more."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a function prints is no outcome
    calls: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(source, calls), daemon=True).start()

    while True:
        outcome = carried(calls.get())
        sink.write(SIZE.pack(len(outcome)) + outcome)
        sink.flush()


def _listen(source: BinaryIO, calls: SimpleQueue[bytes]) -> None:
    """Beside the work: a process whose parent has gone ends, however busy it is."""
    with contextlib.suppress(OSError, struct.error):
        while True:
            (size,) = SIZE.unpack(source.read(SIZE.size))
            calls.put(source.read(size))

    os._exit(0)
