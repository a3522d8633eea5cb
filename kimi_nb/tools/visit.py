"""One page in a browser: what it is served, what is done with it, and what it says."""

from __future__ import annotations

import asyncio
import contextlib
import math
import mimetypes
import urllib.parse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from kimi_nb.errors import ToolError
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.chromium import MEMORY, first_line
from kimi_nb.tools.threads import in_thread

if TYPE_CHECKING:
    from playwright.async_api import ConsoleMessage, Dialog, Page, Route

__all__ = ["HOME", "NO_WAY_OUT", "Action", "Visit"]

HOME = "http://page.folder.invalid/"
"""Where the page believes to be: no such host can exist, and we alone answer for it."""
STAGE = "http://stage.folder.invalid/"
SHOWN = """<!doctype html><title>stage</title>
<style>html, iframe {{ margin: 0; border: 0; width: 100vw; height: 100vh; display: block }}
body {{ margin: 0; overflow: hidden }}</style>
<iframe sandbox="allow-scripts allow-same-origin allow-forms allow-modals allow-pointer-lock"
 src="{}"></iframe>"""
"""The page is shown in a frame of another origin, whose sandbox it cannot leave. Alone it could
open programs of this machine: a mailto: link starts xdg-open, and no request is seen. Nor could
it be pictured where it leads itself to a place that is blocked. Both have one site, for a frame
of a stranger's gets no storage.
"""
NO_WAY_OUT = """
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"])
    delete globalThis[name];
"""
"""For a page that means well; what holds one that does not is in `chromium`."""
HEIGHT = "() => document.documentElement.scrollHeight"
SECONDS = 15.0
"""For all of it: an endless loop ends here."""
LOADING = 3_000
"""Milliseconds after which a page that still loads is looked at."""
SETTLING = 0.1
"""Seconds between the last thing that was done and the picture, for what a script then draws."""
PATIENCE = 2_000
"""Milliseconds until what is to be clicked must be there."""
LONGEST_WAIT = 5.0
MOST_LINES, LINE = 30, 300
LARGEST_FILE = 20_000_000


class Action(NamedTuple):
    """Something that is done with a page."""

    kind: str
    """"click", "press", "type" or "wait"."""
    what: str

    @classmethod
    def read(cls, text: str) -> Self:
        """From "click #start" and the like. Raises ToolError for anything else."""
        kind, _, what = text.strip().partition(" ")

        if kind not in {"click", "press", "type", "wait"} or not what.strip():
            raise ToolError(
                f"the action {text!r} is not known; write 'click SELECTOR', 'press KEY', "
                "'type TEXT' or 'wait SECONDS'"
            )

        if kind == "wait" and not 0 <= _seconds(what) <= LONGEST_WAIT:
            raise ToolError(f"{text!r}: wait 0 to {LONGEST_WAIT:.0f} seconds")

        return cls(kind, what)

    async def on(self, page: Page) -> None:
        """Do it. Raises Playwright's Error if that cannot be done."""
        match self.kind:
            case "click":
                await page.frames[1].locator(self.what).first.click(timeout=PATIENCE)
            case "press":
                await page.keyboard.press(self.what)
            case "type":
                await page.keyboard.type(self.what)
            case _:
                await asyncio.sleep(_seconds(self.what))


class Visit:
    """One page, in a context of its own. No slots: Playwright hangs wrappers on who listens."""

    def __init__(self, folder: Path, html: str, address: str) -> None:
        self._folder = folder
        self._html = html
        self._stage = SHOWN.format(address)
        self.said: list[str] = []
        """What the page said, and what became of what it asked for."""

    async def serve(self, route: Route) -> None:
        """Answer a request out of the folder, or abort it."""
        from playwright.async_api import Error

        url = route.request.url

        try:
            if url == STAGE and not route.request.frame.parent_frame:
                await route.fulfill(body=self._stage, content_type="text/html; charset=utf-8")
            elif not url.startswith(HOME):
                self._say(f"blocked, there is no network: {url}")
                await route.abort("aborted")  # any other reason shows a page about it
            elif url == HOME and self._html:
                await route.fulfill(body=self._html, content_type="text/html; charset=utf-8")
            else:
                await self._serve_file(route, urllib.parse.urlsplit(url).path)
        except Error:
            return  # the page is gone

    async def picture(self, page: Page, actions: list[Action]) -> bytes:
        """A PNG of the page once all is done. Raises ToolError if there is none to be had."""
        from playwright.async_api import Error

        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._say(f"error: {error}"))
        page.on("dialog", self._on_dialog)

        try:
            async with asyncio.timeout(SECONDS):
                await self._load(page)
                await self._act(page, actions)
                await asyncio.sleep(SETTLING)
                await self._measure(page)
                return await page.screenshot(animations="disabled")
        except TimeoutError:
            problem = f"the page took more than {SECONDS:.0f} s: is there an endless loop?"
        except Error as error:
            crashed = "crash" in str(error) or "closed" in str(error)
            limit = f"its process died; it may use {MEMORY / 1e9:.1f} GB of memory"
            problem = f"there is no picture: {limit if crashed else first_line(error)}"

        raise ToolError("\n".join([problem, *self.said])) from None

    async def _load(self, page: Page) -> None:
        from playwright.async_api import TimeoutError as Late

        try:
            await page.goto(STAGE, timeout=LOADING)
        except Late:
            self._say(f"still loading after {LOADING / 1000:.0f} s")

        await page.focus("iframe")

    async def _act(self, page: Page, actions: list[Action]) -> None:
        from playwright.async_api import Error

        for number, action in enumerate(actions, 1):
            try:
                await action.on(page)
            except Error as error:
                if page.is_closed():
                    raise

                self._say(f"action {number}, {' '.join(action)}: {first_line(error)}")
                return

    async def _measure(self, page: Page) -> None:
        from playwright.async_api import Error

        with contextlib.suppress(Error):  # it is just leading itself to another place
            height, shown = await page.frames[1].evaluate(HEIGHT), page.viewport_size

            if shown and height > shown["height"]:
                self._say(f"the page is {height} high; press PageDown scrolls")

    async def _serve_file(self, route: Route, path: str) -> None:
        name = urllib.parse.unquote(path).lstrip("/")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"

        try:
            data = await in_thread(partial(_read, self._folder, name))
        except ToolError as error:
            self._say(str(error))
            await route.fulfill(status=404)
        else:
            text = kind.startswith("text/")
            await route.fulfill(body=data, content_type=f"{kind}; charset=utf-8" if text else kind)

    def _on_console(self, message: ConsoleMessage) -> None:
        if not message.text.startswith("Failed to load resource"):  # said already, with its name
            self._say(f"console {message.type}: {message.text}")

    async def _on_dialog(self, dialog: Dialog) -> None:
        from playwright.async_api import Error

        self._say(f"{dialog.type}, dismissed: {dialog.message}")

        try:
            await dialog.dismiss()
        except Error:
            return  # the page is gone

    def _say(self, line: str) -> None:
        line = line[:LINE]

        if line in self.said:
            return

        if len(self.said) < MOST_LINES:
            self.said.append(line)
        elif len(self.said) == MOST_LINES:
            self.said.append("[… and more]")


def _read(folder: Path, name: str) -> bytes:
    with Folder(folder) as root:
        return root.read(root.parts(name), LARGEST_FILE)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
