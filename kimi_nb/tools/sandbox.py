"""A Python for code that a model wrote: another interpreter, in processes that may die.

pydantic-monty is a Python written in Rust with neither files, network nor processes of its
own; what it may read is handed to it. Its asynchronous pool is not used: its threads call
into our interpreter, and 1.4.0 aborts the process where one does so while it exits (5 of 30
runs). Here plain threads wait for the workers, and nothing is running by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import os
import signal
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import ToolError
from kimi_nb.tools.beneath import SANDBOX_ROOT
from kimi_nb.tools.prelude import FRAME, PRELUDE, advice, decode
from kimi_nb.tools.threads import Slots, in_thread

if TYPE_CHECKING:
    from pydantic_monty import (
        Monty,
        MontyError,
        MountDir,
        OSPolicy,
        ResourceLimits,
    )

__all__ = ["Sandbox"]

VERSION = "1.4.0"
"""The one whose limits were tested."""
WORKERS = 6
SECONDS = 10.0
MEMORY = 200_000_000
DEPTH = 400
PRINTED = 1_000_000
"""Characters; what goes back to the model is capped again, by its Toolset."""
_POLICY: OSPolicy = {"sleep": "zero"}
"""Sleeping is not charged to SECONDS, so it must not take any time."""
INSTALL = f"install it with: pip install 'pydantic-monty=={VERSION}'"


class Sandbox:
    """A pool of worker processes, started when first needed. One session is one snippet."""

    __slots__ = ("__weakref__", "_pool", "_slots")

    def __init__(self, workers: int = WORKERS) -> None:
        self._pool = _Pool(workers)
        self._slots = Slots(workers)
        # At exit too: a worker that still runs is killed before the interpreter goes down.
        weakref.finalize(self, self._pool.close)

    async def run(self, code: str, folder: Path) -> str:
        """What `code` prints, and the value of its last expression. `folder` is read-only.

        Raises ToolError with the sandbox's own traceback if the code fails, runs for longer
        than SECONDS or needs more than MEMORY bytes, and if there is no sandbox.
        """
        call = _Call()

        async with self._slots.taken():
            try:
                return await in_thread(partial(self._pool.run, call, code, folder))
            except asyncio.CancelledError:
                call.kill()
                raise

    async def close(self) -> None:
        """End all workers. The next `run` starts new ones."""
        await in_thread(self._pool.close)


class _Call:
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
    """What a snippet prints. One that prints without end is ended here: neither monty's own
    collector nor an exception in its place stops the code before its time is up.
    """

    __slots__ = ("_call", "_parts", "_room")

    def __init__(self, call: _Call) -> None:
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


class _Pool:
    """The blocking half. It knows no event loop."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._changed = threading.Condition()
        self._calls: set[_Call] = set()
        self._monty: Monty | None = None

    def run(self, call: _Call, code: str, folder: Path) -> str:
        with self._changed:
            pool = self._started()
            self._calls.add(call)

        try:
            return _run(pool, call, code, folder)
        except (OSError, RuntimeError) as error:  # the pool cannot start another worker
            self._drop(pool)
            raise ToolError(f"the Python sandbox failed: {error}; try again") from error
        finally:
            with self._changed:
                self._calls.discard(call)
                self._changed.notify_all()

    def close(self) -> None:
        """Kill what runs, wait until its threads are out, and end the workers."""
        with self._changed:
            for call in self._calls:
                call.kill()

            self._changed.wait_for(lambda: not self._calls, timeout=2.0)
            pool, self._monty = self._monty, None

        if pool is not None:
            pool.__exit__(None, None, None)

    def _drop(self, pool: Monty) -> None:
        with self._changed:
            if self._monty is pool:
                self._monty = None

    def _started(self) -> Monty:
        if self._monty is None:
            self._monty = _start(self._workers)

        return self._monty


def _start(workers: int) -> Monty:
    try:
        import pydantic_monty
    except ImportError as error:
        raise ToolError(f"there is no Python sandbox here; {INSTALL}") from error

    if pydantic_monty.__version__ != VERSION:
        raise ToolError(
            f"pydantic-monty {pydantic_monty.__version__} is installed, but its limits were "
            f"tested with {VERSION} only; {INSTALL}"
        )

    pool = pydantic_monty.Monty(
        binary_path=_binary(), max_processes=workers, request_timeout=SECONDS + 2.0
    )

    try:
        return pool.__enter__()
    except (OSError, RuntimeError, pydantic_monty.MontyError) as error:
        raise ToolError(f"the Python sandbox does not start ({error}); {INSTALL}") from error


def _binary() -> Path:
    """The worker that was installed here: never whatever PATH has under its name."""
    try:
        files = importlib.metadata.files("pydantic-monty-runtime") or ()
    except importlib.metadata.PackageNotFoundError:
        files = ()

    for file in files:
        if file.stem == "monty" and Path(str(file.locate())).is_file():
            return Path(str(file.locate())).resolve()

    raise ToolError(f"the worker program of the Python sandbox is not there; {INSTALL}")


def _run(pool: Monty, call: _Call, code: str, folder: Path) -> str:
    import pydantic_monty

    printed = _Printed(call)

    try:
        value = _fed(pool, call, code, folder, printed)
    except pydantic_monty.MontyError as error:
        why = printed.overflow() or _explained(error)
        raise ToolError(_joined(printed.text(), why)) from error

    return _joined(printed.text(), "" if value is None else _shown(value))


def _fed(pool: Monty, call: _Call, code: str, folder: Path, printed: _Printed) -> Any:
    with _mounted(folder) as mount, pool.checkout(limits=_limits(), os_policy=_POLICY) as session:
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
