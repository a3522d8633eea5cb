"""The proxy, running."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import ssl
from collections.abc import AsyncGenerator, Callable

from aiohttp import web

from kimi_nb.models.endpoint import SIMULATOR
from kimi_nb.proxy.ledger import Ledger, entries
from kimi_nb.proxy.seats import Seats
from kimi_nb.proxy.server import Proxy
from kimi_nb.proxy.sheet import Sheet
from kimi_nb.proxy.upstream import Upstream

__all__ = ["is_loopback", "running", "serve"]

CLOSING_S = 2.0
"""What calls in flight get at the end; then they are cut, and paid like those hung up."""


async def serve(sheet: Sheet, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until cancelled, or the system asks this process to end; `ready` gets the base URL.

    Raises UsageFault, TraceLocked where another proxy has the ledger, OSError for the address.
    """
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
    context.load_cert_chain(*sheet.tls)
    return context


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is served there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
