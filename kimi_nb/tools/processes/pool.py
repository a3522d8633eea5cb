"""Processes that are kept for the next call, and ended with a call that is given up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from kimi_nb.errors import ToolError
from kimi_nb.tools.processes.carried import packed, unpacked
from kimi_nb.tools.processes.worker import SIZE, main
from kimi_nb.tools.threads import Slots, in_thread

__all__ = ["Processes"]

ENDING = 5.0
"""Seconds for a process to end that has said its last."""
TRIMMING = "MALLOC_TRIM_THRESHOLD_"
"""What Dask sets for its workers. A process with it gives memory back all the time: a training of
PARL, which makes many small arrays, takes 1.4 times as long."""

Process = subprocess.Popen[bytes]


class Processes:
    """As many as there are cores, at most. They start when they are needed."""

    __slots__ = ("__weakref__", "_idle", "_slots")

    def __init__(self) -> None:
        self._idle: list[Process] = []
        self._slots = Slots(os.cpu_count() or 2)
        weakref.finalize(self, _end, self._idle)

    async def call(self, function: Callable[..., Any], keywords: Mapping[str, Any]) -> Any:
        """What the function returns in another process. Cancelling ends that process.

        Raises ToolError for what the function raises, and where its process dies.
        """
        call = await in_thread(lambda: packed(function, keywords))

        async with self._slots.taken():
            process = self._taken()

            try:
                outcome = await in_thread(lambda: _asked(process, call))
            except BaseException:
                _kill(process)
                raise

            self._idle.append(process)

        return unpacked(outcome)

    async def close(self) -> None:
        """End the processes; the next call starts another."""
        _end(self._idle)

    def _taken(self) -> Process:
        while self._idle:
            process = self._idle.pop()

            if process.poll() is None:
                return process

            _end([process])

        return _started()


def _started() -> Process:
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109
    inherited = {name: value for name, value in os.environ.items() if name != TRIMMING}
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-P", "-c", f"from {main.__module__} import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=inherited | {"PYTHONPATH": paths},  # it is the user's function, as in a thread
        start_new_session=True,  # Ctrl-C in a terminal is for us
    )


def _asked(process: Process, call: bytes) -> bytes:
    """The outcome of a call. Raises ToolError, and lets go of the process, if there is none."""
    assert process.stdin is not None  # noqa: S101 - pipes, both
    assert process.stdout is not None  # noqa: S101

    with contextlib.suppress(OSError):  # it has died: there will be no answer
        process.stdin.write(SIZE.pack(len(call)) + call)
        process.stdin.flush()

    head = process.stdout.read(SIZE.size)
    size = SIZE.unpack(head)[0] if len(head) == SIZE.size else -1
    outcome = process.stdout.read(max(size, 0))

    if len(outcome) != size:
        how = _how(process)
        _let_go(process)
        raise ToolError(f"the process of this call died ({how})")

    return outcome


def _how(process: Process) -> str:
    try:
        code = process.wait(ENDING)
    except subprocess.TimeoutExpired:
        return "it closed its output"

    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _end(processes: list[Process]) -> None:
    """End processes that nobody waits for."""
    while processes:
        process = processes.pop()
        _kill(process)
        _let_go(process)


def _kill(process: Process) -> None:
    """End it with all that it has started. Its pipes are for the thread that waits for them."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)

    process.wait()


def _let_go(process: Process) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
