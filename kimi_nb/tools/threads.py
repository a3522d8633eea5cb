"""Plain functions off the event loop, in threads that nobody has to wait for.

Not `asyncio.to_thread`: its pool is joined when the interpreter exits, so one stuck
function would hang the kernel, and a cancelled call would keep its place in the pool.
A daemon thread for each call costs some 50 µs and has neither fault.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["Slots", "in_thread"]

T = TypeVar("T")


class Slots:
    """At most `limit` at once on each event loop; the others wait in line."""

    __slots__ = ("_limit", "_loops")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    @asynccontextmanager
    async def taken(self) -> AsyncGenerator[None, None]:
        """Wait for a slot and hold it."""
        loop = asyncio.get_running_loop()
        semaphore = self._loops.get(loop)

        if semaphore is None:
            semaphore = self._loops[loop] = asyncio.Semaphore(self._limit)

        async with semaphore:
            yield


class _Done(NamedTuple):
    value: object
    error: Exception | None


async def in_thread(function: Callable[[], T]) -> T:
    """What `function` returns or raises. Cancelling leaves its thread alone and comes back."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Done] = loop.create_future()
    context = contextvars.copy_context()

    if sys.platform == "emscripten":  # Python in a browser has no threads: all waits meanwhile
        future.set_result(_outcome(context, function))
    else:
        _begin(loop, future, context, function)

    done = await future

    if done.error is not None:
        raise done.error

    return done.value  # pyright: ignore[reportReturnType] - of the type that function returns


def _begin(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[_Done],
    context: contextvars.Context,
    function: Callable[[], object],
) -> None:
    def work() -> None:
        done = _outcome(context, function)

        try:
            loop.call_soon_threadsafe(_settle, future, done)
        except RuntimeError:
            return  # the loop was closed meanwhile: nobody waits

    threading.Thread(target=work, name="kimi_nb tool", daemon=True).start()


def _outcome(context: contextvars.Context, function: Callable[[], object]) -> _Done:
    try:
        return _Done(context.run(function), None)
    except BaseException as error:  # noqa: BLE001 - handed over to who waits, not swallowed
        # Only the main thread is ever really interrupted or asked to exit, and a coroutine
        # cannot raise StopIteration.
        if isinstance(error, Exception) and not isinstance(error, StopIteration):
            return _Done(None, error)

        return _Done(None, RuntimeError(f"{type(error).__name__}: {error}"))


def _settle(future: asyncio.Future[_Done], done: _Done) -> None:
    if not future.done():
        future.set_result(done)
