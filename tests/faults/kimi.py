"""The mock Kimi platform over HTTP, for tests with and without an event loop of their own.

    async with KimiServer(brain, faults=[cut_text()]) as server: ...
    with KimiServer(brain, tier=TIERS[0]) as server:
        kn.swarm("…", base_url=server.base_url, model="kimi-k3", key=server.key)

The second form runs it in a thread; all that it counted can be read from the test's.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

import orjson
from aiohttp import web
from faults.core import Platform
from faults.server import play, refuse, whole

PATIENCE_S = 40.0


class KimiServer(Platform):
    """A `Platform` that listens on a free port of this machine."""

    base_url = ""
    host = "127.0.0.1"
    """Where it listens; "0.0.0.0" for clients in another network namespace."""
    _port = 0
    _runner: web.AppRunner
    _loop: asyncio.AbstractEventLoop
    _listener: asyncio.Server | None = None
    _kept: socket.socket | None = None
    """Has the port while nobody listens there, so that no other process gets it."""
    _opening: asyncio.Task[None] | None = None
    _over: asyncio.Event
    _thread: threading.Thread | None = None
    _failure: Exception | None = None

    @property
    def key(self) -> str:
        """The first key."""
        return self.keys[0].secret

    # Life --------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_route("*", "/{path:.*}", self._other)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        self._loop = asyncio.get_running_loop()
        await self._runner.setup()
        self._open()
        assert self._opening is not None
        await self._opening
        self.base_url = f"http://127.0.0.1:{self._port}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._close()
        self._raise(exc[0])

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="kimi", daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE_S)
        self._raise(exc[0])

    def _run(self, ready: threading.Event) -> None:
        async def main() -> None:
            self._over = asyncio.Event()
            await self.__aenter__()
            ready.set()
            await self._over.wait()
            await self._close()

        asyncio.run(main())

    async def _close(self) -> None:
        if self._opening is not None:
            await self._opening

        self._shut()

        if self._kept is not None:
            self._kept.close()

        await self._runner.cleanup()

    def _raise(self, already: object) -> None:
        """The brain's own error, unless the test has failed for another reason."""
        if already is None and self._failure is not None:
            raise self._failure

    # The port ----------------------------------------------------------------------------------

    def down(self) -> None:
        super().down()
        self._in_loop(self._leave)

    def up(self) -> None:
        super().up()
        self._in_loop(self._open)

    def _in_loop(self, act: Callable[[], None]) -> None:
        if self._thread in {None, threading.current_thread()}:
            act()
            return

        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (act(), done.set()))
        assert done.wait(PATIENCE_S)

    def _open(self) -> None:
        """Connections wait from now on, until the loop comes to take them."""
        listening = self._kept or self._bound()
        self._kept = None
        listening.listen(1024)
        self._port = listening.getsockname()[1]
        handler = self._runner.server
        assert handler is not None

        async def take() -> None:
            self._listener = await self._loop.create_server(handler, sock=listening)

        self._opening = self._loop.create_task(take())

    def _bound(self) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((self.host, self._port))
        return made

    def _leave(self) -> None:
        self._shut()
        self._kept = self._kept or self._bound()

    def _shut(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()

    # Requests ----------------------------------------------------------------------------------

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)

        if body is None:
            return whole(refuse(400, "invalid_request_error", "Invalid request: not a JSON object"))

        try:
            asked = self.begin(body, request.headers)
        except Exception as error:  # noqa: BLE001 -- raised where the server's `with` ends
            self._failure = self._failure or error
            return whole(refuse(500, "server_error", f"the brain failed: {error!r}"))

        due = asked.answer.pieces
        written = 0

        def writes() -> None:
            nonlocal written
            written += 1

            if written == due and not asked.spoiled:
                self.end(asked, written)  # who has its last bytes may look at the books at once

        try:
            return await play(request, asked.answer, streaming=True, writes=writes)
        finally:
            self.end(asked, written)

    async def _other(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v1")
        return whole(self.look(path, request.headers, await _json(request) or {}))


async def _json(request: web.Request) -> dict[str, Any] | None:
    try:
        body = orjson.loads(await request.read())
    except ValueError:
        return None

    return body if isinstance(body, dict) else None
