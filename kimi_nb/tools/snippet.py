"""One snippet of Python in a worker of the sandbox: its limits, its output, its errors."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import ToolError
from kimi_nb.tools.beneath import SANDBOX_ROOT
from kimi_nb.tools.prelude import FRAME, PRELUDE, advice, decode

if TYPE_CHECKING:
    from pydantic_monty import (
        Monty,
        MontyError,
        MontySession,
        MountDir,
        OSPolicy,
        ResourceLimits,
    )

__all__ = ["SECONDS", "Call", "run"]

SECONDS = 10.0
"""Of work; waiting for a worker is not counted."""
MEMORY = 200_000_000
DEPTH = 400
PRINTED = 1_000_000
"""Characters; what goes back to the model is capped again, by its Toolset."""
_POLICY: OSPolicy = {"sleep": "zero"}
"""Sleeping is not charged to SECONDS, so it must not take any time."""


class Call:
    """One snippet's hold on a worker, which another thread may take away."""

    __slots__ = ("_killed", "_lock", "_pid")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._killed = False

    def hold(self, pid: int | None) -> None:
        """The worker is ours from here on. Raises ToolError if the call was given up."""
        with self._lock:
            if self._killed:
                raise ToolError("cancelled")

            self._pid = pid

    def release(self) -> None:
        """The worker may be another call's from here on."""
        with self._lock:
            self._pid = None

    def kill(self) -> None:
        """End the worker, and with it the snippet."""
        with self._lock:
            self._killed = True

            if self._pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)


class _Printed:
    """What a snippet prints.

    One that prints without end is ended here: neither monty's own collector nor an exception
    in its place stops the code before its time is up.
    """

    __slots__ = ("_call", "_parts", "_room")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._parts: list[str] = []
        self._room = PRINTED

    def __call__(self, _stream: str, text: str) -> None:
        if self._room < 0:
            return

        self._parts.append(text)
        self._room -= len(text)

        if self._room < 0:
            self._call.kill()

    def text(self) -> str:
        """All so far."""
        return "".join(self._parts)

    def overflow(self) -> str:
        """What to say if it was too much, else ""."""
        return f"[more than {PRINTED:,} characters were printed: print less]" * (self._room < 0)


def run(pool: Monty, call: Call, code: str, folder: Path, workers: int) -> str:
    """What `code` prints, and the value of its last expression. Raises ToolError.

    `workers`: how many the pool has, all of which may have died while idle.
    """
    import pydantic_monty

    printed = _Printed(call)

    try:
        value = _fed(pool, call, code, folder, printed, workers)
    except pydantic_monty.MontyError as error:
        why = printed.overflow() or _explained(error)
        raise ToolError(_joined(printed.text(), why)) from error

    return _joined(printed.text(), "" if value is None else _shown(value))


def _fed(pool: Monty, call: Call, code: str, folder: Path, printed: _Printed, workers: int) -> Any:
    with _mounted(folder) as mount, contextlib.ExitStack() as stack:
        session = _checked_out(pool, stack, workers)
        call.hold(session.worker_pid)

        try:
            session.feed_run(PRELUDE)
            return session.feed_run(
                code,
                mount=mount,
                cwd=SANDBOX_ROOT,
                print_callback=printed,
                external_lookup={"_decode": decode},
            )
        finally:
            call.release()


def _checked_out(pool: Monty, stack: contextlib.ExitStack, workers: int) -> MontySession:
    """A worker that answers. The pool may offer those that have just died while idle."""
    import pydantic_monty

    def offered() -> MontySession:
        return stack.enter_context(pool.checkout(limits=_limits(), os_policy=_POLICY))

    for _ in range(workers):
        with contextlib.suppress(pydantic_monty.MontyCrashedError):
            return offered()

    return offered()


def _mounted(folder: Path) -> MountDir:
    import pydantic_monty

    try:
        return pydantic_monty.MountDir(
            host_path=folder, virtual_path=SANDBOX_ROOT, mode="read-only"
        )
    except (OSError, TypeError, ValueError) as error:
        raise ToolError(f"the working folder {str(folder)!r} cannot be mounted: {error}") from error


def _limits() -> ResourceLimits:
    return {
        "max_feed_duration_secs": SECONDS,
        "max_turn_duration_secs": SECONDS,
        "max_memory": MEMORY,
        "max_recursion_depth": DEPTH,
    }


def _explained(error: MontyError) -> str:
    """The error as the sandbox sees it, without our own frames, and what to do about it."""
    import pydantic_monty

    if isinstance(error, pydantic_monty.MontyCrashedError):
        return f"the sandbox's worker died ({error}); the next call gets a new one"

    if not isinstance(error, pydantic_monty.MontyRuntimeError | pydantic_monty.MontySyntaxError):
        return str(error)

    frames = [frame for frame in error.traceback() if frame.filename != FRAME]
    where = [f"line {frame.line}: {(frame.source_line or '').strip()}" for frame in frames]
    message = error.display("type-msg")
    return "\n".join([*where, message, *advice(message)])


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _joined(printed: str, rest: str) -> str:
    if printed and not printed.endswith("\n") and rest:
        printed += "\n"

    return printed + rest or "[no output: print something, or end with an expression]"
