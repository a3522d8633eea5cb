"""The proxy, running."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import resource
import signal
import ssl
from collections.abc import AsyncGenerator, Callable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from kimi_nb.errors import UsageFault
from kimi_nb.models.endpoint import SIMULATOR
from kimi_nb.proxy.ledger import Ledger, entries
from kimi_nb.proxy.seats import Seats
from kimi_nb.proxy.server import Proxy
from kimi_nb.proxy.sheet import Sheet
from kimi_nb.proxy.upstream import Upstream

__all__ = ["is_loopback", "running", "serve"]

CLOSING_S = 2.0
"""What calls in flight get at the end; then they are cut, and paid like those hung up."""
SILENT_S = 30.0
"""A connection that brings no whole request for so long, or twice, is cut."""
FILES = 65_536


async def serve(sheet: Sheet, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until cancelled, or the system asks this process to end; `ready` gets the base URL.

    Raises UsageFault, TraceLocked where another proxy has the ledger, OSError for the address.
    """
    _open_more_files()
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)

    async with running(sheet, host, port) as url:
        ready(url)
        await over.wait()


@contextlib.asynccontextmanager
async def running(sheet: Sheet, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str]:
    """A proxy while the context lasts; its base URL. Port 0 takes a free one. Raises as `serve`."""
    async with contextlib.AsyncExitStack() as stack:
        base_url = sheet.base_url

        if base_url == SIMULATOR:
            base_url = await stack.enter_async_context(_simulator())

        ledger = Ledger(sheet.ledger)
        stack.callback(ledger.close)
        upstream = Upstream(sheet, base_url)
        stack.push_async_callback(upstream.transport.close)
        proxy = Proxy(sheet, Seats(sheet, entries(sheet.ledger)), upstream, ledger)
        runner = web.AppRunner(
            proxy.application(),
            access_log=None,
            handler_cancellation=True,  # who hangs up while waiting is noticed
            shutdown_timeout=CLOSING_S,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        shedding = asyncio.create_task(_shed(runner, proxy.heard))
        stack.callback(shedding.cancel)
        context = _tls(sheet)
        await web.TCPSite(runner, host, port, ssl_context=context).start()
        taken: int = runner.addresses[0][1]
        scheme = "https" if context else "http"
        yield f"{scheme}://{f'[{host}]' if ':' in host else host}:{taken}/v1"


@contextlib.asynccontextmanager
async def _simulator() -> AsyncGenerator[str]:
    from kimi_nb.models.simulator import Options
    from kimi_nb.models.simulator.server import application

    runner = web.AppRunner(application(Options()), access_log=None, handler_cancellation=True)
    await runner.setup()

    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def _tls(sheet: Sheet) -> ssl.SSLContext | None:
    if sheet.tls is None:
        return None

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

    try:
        context.load_cert_chain(*sheet.tls)
    except ssl.SSLError as error:
        message = f"upstream.tls: {sheet.tls[0]} and {sheet.tls[1]} are no pair in PEM: {error}"
        raise UsageFault(message) from None

    return context


async def _shed(runner: web.AppRunner, heard: set[object]) -> None:
    """Cut who connects and asks nothing: a thousand of them would keep all others out."""
    before: set[object] = set()

    while runner.server is not None:
        await asyncio.sleep(SILENT_S)
        connections = runner.server.connections
        heard.intersection_update(connections)
        silent = [connection for connection in connections if connection not in heard]

        for connection in silent:
            if connection in before:
                connection.force_close()

        before = set(silent)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether an error is none of a client that speaks no HTTP; those could fill the disk."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _open_more_files() -> None:
    """Each learner's call is a file; systems allow 256 or 1,024 unless asked for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)

    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is served there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
