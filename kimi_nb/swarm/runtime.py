"""The thread on which all swarms of a kernel run, so that cells and agents never block each other.

The engine itself is plain asyncio; only this file knows of a thread.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["GRACE", "Runtime", "runtime"]

T = TypeVar("T")

GRACE = 5.0
"""Seconds that cancelled agents have to log their ends."""


class Runtime:
    """One event loop in a daemon thread, made when the first run needs it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        if sys.platform == "emscripten":  # Python in a browser: no threads, and a loop that runs
            return asyncio.get_running_loop()

        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="kimi_nb", daemon=True
                )
                self._thread.start()

            return self._loop

    def spawn(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def stop(self) -> None:
        """Cancel all that runs, let it log its end, and end the thread. A later run starts anew."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None

        if loop is None or thread is None or not thread.is_alive():
            return

        ending = asyncio.run_coroutine_threadsafe(_cancel_all(), loop)

        with contextlib.suppress(
            TimeoutError
        ):  # what ignores its cancellation dies with the thread
            ending.result(GRACE)

        loop.call_soon_threadsafe(loop.stop)
        thread.join(GRACE)

        if not thread.is_alive():
            loop.close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop until it is stopped.

    A SystemExit or KeyboardInterrupt in some task of a user's breaks out of any loop; here it
    ends that task alone, and every swarm goes on.
    """
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            continue

        return


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}

    for task in tasks:
        task.cancel()

    await asyncio.gather(*tasks, return_exceptions=True)


@functools.cache
def runtime() -> Runtime:
    """The one of this process."""
    made = Runtime()
    atexit.register(made.stop)
    return made
