"""The simulator as an endpoint of this process, which keeps a run in its middle.

with Held(answers=4) as held:
    ... held.base_url, held.wait(), held.let_go() ...
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Self

from aiohttp import web

from kimi_nb.models.simulator import Options
from kimi_nb.models.simulator.server import application

__all__ = ["Held"]

PATIENCE = 50.0
"""Seconds after which a wait is hopeless."""


class Held:
    """It answers so many requests at once, and no further one before `let_go`."""

    def __init__(self, answers: int) -> None:
        self._left = answers
        self._ready, self._reached = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *exc: object) -> None:
        self.let_go()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    def wait(self) -> None:
        """Return once a request is held: who asked it cannot end before `let_go`."""
        assert self._reached.wait(PATIENCE)

    def let_go(self) -> None:
        """Answer what waits, and all that comes."""
        self._loop.call_soon_threadsafe(self._open.set)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._open, self._over = asyncio.Event(), asyncio.Event()
        simulator = application(Options(latency=0))
        simulator.middlewares.insert(0, self._holding())
        runner = web.AppRunner(simulator, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()

    def _holding(self) -> Any:
        @web.middleware
        async def hold(request: web.Request, handler: Any) -> web.StreamResponse:
            self._left -= 1

            if self._left < 0:
                self._reached.set()
                await self._open.wait()

            return await handler(request)

        return hold
