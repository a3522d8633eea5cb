"""An opt-in sandbox for native Python: another process that gives up what it might do harm with.

Landlock bounds the files that it sees, seccomp the system calls, rlimits and a watch its time,
memory and output. Where the kernel lacks one of them, every call refuses: there is no lesser
sandbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kimi_nb.tools.native.probe import available
from kimi_nb.tools.native.process import Finished, Hold, Job, launch
from kimi_nb.tools.native.scratch import scratch_folder
from kimi_nb.tools.threads import in_thread

__all__ = ["Finished", "available", "run", "run_blocking"]

MEMORY = 1_000_000_000


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

    `seconds` of wall time, `memory` in bytes of address space. The command starts no other
    process. Cancelling kills it. Raises ToolError if there is no sandbox here.
    """
    job = Job(
        command=command,
        folder=folder,
        writable=writable,
        seconds=seconds,
        memory=memory,
        stdin=stdin,
    )
    hold = Hold()

    try:
        return await in_thread(partial(_run, job, hold))
    except asyncio.CancelledError:
        hold.kill()
        raise


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
    return _run(job, Hold())


def _run(job: Job, hold: Hold) -> Finished:
    with scratch_folder() as scratch:
        return launch(job, hold, scratch)
