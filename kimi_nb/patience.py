"""A word to somebody who waits."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Timer

__all__ = ["patience"]

SECONDS = 1.5
"""After which somebody who waits is told for what."""


@contextmanager
def patience(what: str) -> Generator[None]:
    """Says on standard error what goes on, should it take long."""
    timer = Timer(SECONDS, _tell, [f"{what} …"])
    timer.start()

    try:
        yield
    finally:
        timer.cancel()


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
