"""Processes that read documents, kept for the next one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import weakref
from typing import Any, cast

import orjson

from kimi_nb.errors import ToolError

__all__ = ["Readers"]

SECONDS = 20
"""Of computing, for one document; then its process ends itself."""
AT_ONCE = 2
"""Documents read at the same time: a few milliseconds each, and at worst a gigabyte."""

Process = subprocess.Popen[bytes]


class Readers:
    """Processes for one Toolset. They start when they are needed, and end with it."""

    __slots__ = ("__weakref__", "_idle", "_lock", "_slots")

    def __init__(self) -> None:
        self._idle: list[Process] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        weakref.finalize(self, _end, self._idle)

    def text(self, data: bytes, part: str) -> str:
        """The document, or its part, as lines. Raises ToolError; its message needs the path."""
        with self._slots:
            process = self._taken()

            try:
                answer = _asked(process, data, part)
            except BaseException:
                _end([process])
                raise

            if answer.pop("last", False):
                _end([process])
            else:
                with self._lock:
                    self._idle.append(process)

        if "error" in answer:
            raise ToolError(str(answer["error"]))

        return str(answer["text"])

    async def close(self) -> None:
        """End the processes; the next document starts another."""
        with self._lock:
            idle, self._idle[:] = list(self._idle), []

        _end(idle)

    def _taken(self) -> Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()

                if process.poll() is None:
                    return process

                _end([process])

        return _started()


def _started() -> Process:
    # Neither the keys of the environment nor the modules of the current folder are its business.
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "kimi_nb.tools.documents.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": paths, "LANG": "C.UTF-8"},
        start_new_session=True,  # Ctrl-C in a terminal is for us
    )


def _asked(process: Process, data: bytes, part: str) -> dict[str, Any]:
    assert process.stdin is not None  # noqa: S101 - pipes, both
    assert process.stdout is not None  # noqa: S101
    head = orjson.dumps({"part": part, "size": len(data), "seconds": SECONDS})

    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(head + b"\n" + data)
        process.stdin.flush()

    line = process.stdout.readline()

    if line.endswith(b"\n"):
        return cast("dict[str, Any]", orjson.loads(line))

    if process.wait() == -signal.SIGPROF:
        raise ToolError(f"takes longer than {SECONDS} s to read; it is too large or broken")

    raise ToolError("ended the process that was reading it; it is too large or broken")


def _end(processes: list[Process]) -> None:
    for process in processes:
        process.kill()
        process.wait()

        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
