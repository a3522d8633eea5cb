"""A Python for code that a model wrote: another interpreter, in processes that may die.

pydantic-monty is a Python written in Rust with neither files, network nor processes of its
own; what it may read is handed to it. Its asynchronous pool is not used: its threads call
into our interpreter, and with 1.4.0 that aborts a process that is just exiting (28 of 80
runs on a busy machine). Here plain threads wait for the workers, and none is left by then.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_nb.errors import ToolError
from kimi_nb.tools import snippet
from kimi_nb.tools.snippet import Call
from kimi_nb.tools.threads import Slots, in_thread

if TYPE_CHECKING:
    from pydantic_monty import Monty

__all__ = ["Sandbox"]

VERSION = "1.4.0"
"""The one whose limits were tested."""
WORKERS = 6
ENDING = 20.0
"""Seconds at most for the threads of killed workers to be out; usually a moment."""
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
        than its time or needs more than its memory, and if there is no sandbox.
        """
        call = Call()

        async with self._slots.taken():
            try:
                return await in_thread(partial(self._pool.run, call, code, folder))
            except asyncio.CancelledError:
                call.kill()
                raise

    async def close(self) -> None:
        """End all workers. The next `run` starts new ones."""
        await in_thread(self._pool.close)


class _Pool:
    """The blocking half. It knows no event loop."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._changed = threading.Condition()
        self._calls: set[Call] = set()
        self._monty: Monty | None = None

    def run(self, call: Call, code: str, folder: Path) -> str:
        with self._changed:
            call.hold(None)  # a call that was given up before its thread began starts no pool
            pool = self._started()
            self._calls.add(call)

        try:
            return snippet.run(pool, call, code, folder, self._workers)
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

            self._changed.wait_for(lambda: not self._calls, timeout=ENDING)
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
    if sys.platform == "emscripten":
        raise ToolError("in a browser there is no Python sandbox")

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
        binary_path=_binary(), max_processes=workers, request_timeout=snippet.SECONDS + 2.0
    )

    try:
        return pool.__enter__()
    except (OSError, RuntimeError, pydantic_monty.MontyError) as error:
        raise ToolError(f"the Python sandbox does not start ({error}); {INSTALL}") from error


def _binary() -> Path:
    """The worker that was installed here: never whatever PATH has under its name."""
    from importlib import metadata  # `%load_ext` would wait for it

    try:
        files = metadata.files("pydantic-monty-runtime") or ()
    except metadata.PackageNotFoundError:
        files = ()

    for file in files:
        if file.stem == "monty" and Path(str(file.locate())).is_file():
            return Path(str(file.locate())).resolve()

    raise ToolError(f"the worker program of the Python sandbox is not there; {INSTALL}")
