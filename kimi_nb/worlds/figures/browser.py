"""Pages that were written, in the guarded Chromium: no network, no folder, no pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kimi_nb.errors import ToolError
from kimi_nb.tools.chromium import Chromium, first_line
from kimi_nb.worlds.figures.things import HEIGHT, WIDTH

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

__all__ = ["Photo", "in_browser", "opened", "photographed"]

HOME = "http://page.invalid/"
ALONE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'"
}
"""Nothing but what stands in the page itself; no image, not even from a data: address."""
SECONDS = 30.0

Found = TypeVar("Found")


class Photo(NamedTuple):
    """A page as it looks, and the text that can be read on it."""

    picture: bytes
    """PNG"""
    text: str


@asynccontextmanager
async def opened(browser: Chromium, html: str, *, scripts: bool) -> AsyncGenerator[Page, None]:
    """The page, loaded. Raises ToolError if it cannot be shown, or takes more than SECONDS."""
    from playwright.async_api import Error

    async def serve(route: Route) -> None:
        if route.request.url == HOME:
            kind = "text/html; charset=utf-8"
            await route.fulfill(body=html, content_type=kind, headers=ALONE)
        else:
            await route.abort("aborted")

    options: dict[str, Any] = {
        "viewport": {"width": WIDTH, "height": HEIGHT},
        "java_script_enabled": scripts,
        "service_workers": "block",
        "accept_downloads": False,
    }

    async with browser.context(**options) as place:  # waiting for it is not the page's time
        try:
            async with asyncio.timeout(SECONDS):
                await place.route("**/*", serve)
                page = await place.new_page()
                page.on("dialog", lambda dialog: dialog.dismiss())
                await page.goto(HOME)
                yield page
        except TimeoutError:
            message = f"the page took more than {SECONDS:.0f} s: is there an endless loop?"
            raise ToolError(message) from None
        except Error as error:
            raise ToolError(f"the page cannot be shown: {first_line(error)}") from None


async def photographed(browser: Chromium, html: str, *, scripts: bool = False) -> Photo:
    """What a page looks like. Raises ToolError as `opened` does."""
    async with opened(browser, html, scripts=scripts) as page:
        text = await page.inner_text("body")
        return Photo(await page.screenshot(animations="disabled"), text)


def in_browser(work: Callable[[Chromium], Awaitable[Found]]) -> Found:
    """Have something done with a browser that is closed afterwards, whether or not a loop runs."""

    async def whole() -> Found:
        browser = Chromium()

        try:
            return await work(browser)
        finally:
            await browser.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(partial(asyncio.run, whole())).result()
