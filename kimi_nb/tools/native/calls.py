"""A command in the sandbox, for coroutines and for plain threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from kimi_nb.tools.native.fonts import furnished
from kimi_nb.tools.native.process import Finished, Hold, Job, launch
from kimi_nb.tools.threads import in_thread

__all__ = ["MEMORY", "cancellable", "run", "run_blocking"]

T = TypeVar("T")

MEMORY = 1_000_000_000
"""Bytes of address space."""


async def run(
    command: Sequence[str],
    *,
    folder: Path,
    writable: bool,
    seconds: float,
    memory: int = MEMORY,
    stdin: bytes = b"",
) -> Finished:
    """Run a command in `folder`, of which it sees nothing else but Python and its libraries.

    `seconds` of wall time, `memory` in bytes of address space. The command can start no other
    process, make no links, and change no modes, owners or times (so `shutil.copyfile` works and
    `shutil.copy` does not). Cancelling kills it. Raises ToolError if there is no sandbox here.
    """
    job = Job(
        command=command,
        folder=folder,
        writable=writable,
        seconds=seconds,
        memory=memory,
        stdin=stdin,
    )
    return await cancellable(partial(_finished, job))


def run_blocking(
    command: Sequence[str],
    *,
    folder: Path,
    writable: bool,
    seconds: float,
    memory: int = MEMORY,
    stdin: bytes = b"",
) -> Finished:
    """The same for plain threads."""
    job = Job(
        command=command,
        folder=folder,
        writable=writable,
        seconds=seconds,
        memory=memory,
        stdin=stdin,
    )
    return _finished(job, Hold())


async def cancellable(function: Callable[[Hold], T]) -> T:
    """What `function` returns, in a thread; the process that it holds dies if we are cancelled."""
    hold = Hold()

    try:
        return await in_thread(partial(function, hold))
    except asyncio.CancelledError:
        hold.kill()
        raise


def _finished(job: Job, hold: Hold) -> Finished:
    with furnished(job) as scratch:
        return launch(job, hold, scratch)
