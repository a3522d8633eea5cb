"""Virtual time: hours pass in milliseconds, and always the same way."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from kimi_nb.swarm import start
from kimi_nb.swarm.runtime import runtime
from kimi_nb.trace import Log

LOOK = 0.001
"""Seconds between two looks whether a tool still works."""


class VirtualSelector(selectors.DefaultSelector):
    """Does not wait: the time that it was asked to wait has passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            message = "everything waits for ever"
            raise RuntimeError(message)

        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    selector = VirtualSelector

    def __init__(self) -> None:
        self.virtual = self.selector()
        super().__init__(self.virtual)

    def time(self) -> float:
        return self.virtual.now


def in_virtual_time(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def clock() -> float:
    return asyncio.get_running_loop().time()


def leap(seconds: float) -> None:
    """The running loop's clock goes on at once: who waits by it that long waits no longer.

    For time limits of the real thing: they end what is hopeless, and nothing that is only slow.
    """
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]


def runs_leap(seconds: float) -> None:
    """The same for the loop of all runs, from another thread."""
    done = threading.Event()
    runtime().loop.call_soon_threadsafe(lambda: (leap(seconds), done.set()))
    assert done.wait(40)


class WorkingSelector(VirtualSelector):
    """As if the machine were as fast as can be: no time passes while a tool works in its thread."""

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            return super(VirtualSelector, self).select(None)

        if timeout > 0:
            working = any(t.name == "kimi_nb tool" for t in threading.enumerate())
            heard = super(VirtualSelector, self).select(LOOK if working else 0)

            if working or heard:  # be it of one that ended since it was asked to wait
                return heard

        return super().select(timeout)


class WorkingLoop(VirtualLoop):
    selector = WorkingSelector


@contextmanager
def swarms_in_virtual_time() -> Iterator[None]:
    """Runs that begin meanwhile sleep and log by a virtual clock, while their tools really work.

    What counts is how long the model takes, as the simulator paces itself; how busy this machine
    is changes nothing.
    """
    runtime().stop()
    loop = WorkingLoop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", lambda: loop)
        runtime().loop  # noqa: B018 -- starts its thread

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "Log", partial(Log, clock=loop.time))

        try:
            yield
        finally:
            runtime().stop()
