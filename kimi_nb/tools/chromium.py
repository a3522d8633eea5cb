"""A Chromium without network, for pages that a model wrote.

Such a page is hostile: it may try to send out what it can read, to open files of this machine,
to hold a core or to eat the memory. Several guards stand one behind the other. Requests are
answered by us or aborted (`render_page`); below that, Chromium itself resolves no name and no
address, its only proxy is none, and WebRTC may use nothing but that proxy. Memory, for which it
has no limit, is watched from outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from kimi_nb.errors import ToolError
from kimi_nb.tools.threads import Slots

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

__all__ = ["MEMORY", "Chromium", "first_line"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGES = 4
"""Pages at once."""
MEMORY = 1_500_000_000
"""Bytes of one process of the browser; that of an empty page has 80 MB."""
LOOK = 0.2
"""Seconds between looks at the memory."""
CLOSING = 5.0
"""Seconds in which a page or the browser must have closed."""
FLAGS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--block-new-web-contents",
    "--deny-permission-prompts",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--js-flags=--max-old-space-size=512",
    "--no-pings",
)
NO_PROXY: Any = {"server": "http://nowhere.invalid:1", "bypass": "<-loopback>"}
"""No name ends in .invalid. The bypass sends what is for this machine there, too."""
KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "XDG_RUNTIME_DIR")
"""Of the environment, which may hold keys."""


class Chromium:
    """One browser for each event loop, started when a page first needs it."""

    __slots__ = ("_browsers", "_slots")

    def __init__(self) -> None:
        self._browsers: WeakKeyDictionary[asyncio.AbstractEventLoop, _Running] = WeakKeyDictionary()
        self._slots = Slots(PAGES)

    @asynccontextmanager
    async def context(self, **options: Any) -> AsyncGenerator[BrowserContext, None]:
        """A place for one page that shares nothing with others; `options` as Playwright has them.

        Raises ToolError if there is no browser here.
        """
        async with self._slots.taken():
            running = self._here()
            context = await running.opened(options)
            watch = asyncio.create_task(running.watch())

            try:
                yield context
            finally:
                watch.cancel()
                await running.ended(context)

    async def close(self) -> None:
        """End the browser. The next page starts another."""
        await self._here().close()

    def _here(self) -> _Running:
        return self._browsers.setdefault(asyncio.get_running_loop(), _Running())


class _Running:
    """The browser of one event loop, if it runs."""

    __slots__ = ("__weakref__", "_browser", "_driver", "_lock", "_session")

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._session: Any = None  # of its answers Playwright tells no type

    async def opened(self, options: dict[str, Any]) -> BrowserContext:
        async with self._lock:
            browser = self._browser

            if browser is None or not browser.is_connected():
                await self._end()
                browser = await self._started()

        from playwright.async_api import Error

        try:
            return await browser.new_context(**options)
        except Error as error:
            raise ToolError(f"the browser failed: {first_line(error)}; try again") from error

    async def watch(self) -> None:
        """Kill each process that needs more than its MEMORY, for as long as this is awaited."""
        from playwright.async_api import Error

        with contextlib.suppress(Error):  # the browser was closed
            while self._session is not None:
                told = await self._session.send("SystemInfo.getProcessInfo")

                for process in told["processInfo"]:
                    if _resident(process["id"]) > MEMORY:
                        with contextlib.suppress(ProcessLookupError):  # it has just ended
                            os.kill(process["id"], signal.SIGKILL)

                await asyncio.sleep(LOOK)

    async def ended(self, context: BrowserContext) -> None:
        """Close a page's context; the whole browser, if that does not go."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(CLOSING):
                await context.close()
        except Error:
            return  # the browser is gone
        except TimeoutError:
            await self.close()

    async def close(self) -> None:
        async with self._lock:
            await self._end()

    async def _started(self) -> Browser:
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError as error:
            raise ToolError(
                "pages cannot be rendered here: Playwright is missing; "
                "install it with: pip install 'kimi-nb[browser]'"
            ) from error

        try:
            self._driver = await async_playwright().start()
            self._browser = await _launched(self._driver, _program(self._driver))
            self._session = await self._browser.new_browser_cdp_session()
        except Error as error:
            raise ToolError(f"Chromium does not start: {first_line(error)}") from error
        finally:
            if self._session is None:
                await self._end()

        return self._browser

    async def _end(self) -> None:
        browser, driver = self._browser, self._driver
        self._browser = self._driver = self._session = None

        if driver is None:
            return

        from playwright.async_api import Error

        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(CLOSING):
                if browser is not None:
                    await browser.close()

        await driver.stop()


async def _launched(driver: Playwright, program: str) -> Browser:
    """The browser, in a sandbox of its own if that can be had: not as root, nor everywhere."""
    from playwright.async_api import Error

    options: dict[str, Any] = {
        "executable_path": program,
        "args": FLAGS,
        "proxy": NO_PROXY,
        "env": {name: os.environ[name] for name in KEPT if name in os.environ},
        "handle_sigint": False,  # the notebook's stop button is not meant for it
        "handle_sigterm": False,
        "handle_sighup": False,
    }

    if os.geteuid() != 0:
        with contextlib.suppress(Error):
            return await driver.chromium.launch(chromium_sandbox=True, **options)

    return await driver.chromium.launch(chromium_sandbox=False, **options)


def _program(driver: Playwright) -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), "")
    found = found or driver.chromium.executable_path

    if not Path(found).exists():
        raise ToolError(
            "there is no Chromium here; install it with: apt install chromium, "
            "or with: python -m playwright install chromium"
        )

    return found


def _resident(process: int) -> int:
    """Bytes of memory that a process holds; 0 where Linux does not tell."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except OSError:
        return 0

    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def first_line(error: Exception) -> str:
    """What went wrong, without Playwright's own log of it."""
    return str(error).split("\n", 1)[0]
