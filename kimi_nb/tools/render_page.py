"""The tool with which an agent sees what its HTML looks like, and tries it."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import Tool, ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.chromium import Chromium
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.image import Image
from kimi_nb.tools.visit import HOME, NO_WAY_OUT, Action, Visit

__all__ = ["render_tool"]

LONGEST = 1_024
"""Pixels of the longer side of the picture."""
SMALLEST, LARGEST = 50, 2_560
"""Pixels of a side of the window."""
MOST_ACTIONS = 20


def render_tool() -> Tool:
    """A `render` tool with a browser of its own, which its `close` ends."""
    browser = Chromium()

    @tool(private=True, untrusted=True, close=browser.close)
    async def render(
        context: ToolContext,
        html: str = "",
        path: str = "",
        width: int = 1_024,
        height: int = 768,
        actions: list[str] | None = None,
    ) -> list[str | Image]:
        """Render HTML in a browser and look at the picture; the text has its console's messages.

        Give the HTML itself, or the path of an HTML file. Files of the working folder can be
        used by their path (scripts, styles, images); there is no network. A page that is to be
        used can be tried: the actions are carried out in turn before the picture is taken.

        Args:
            html: The page's HTML.
            path: An HTML file, from the working folder, instead.
            width: Width of the window in pixels.
            height: Height of the window in pixels.
            actions: Each is "click SELECTOR" (CSS, or text=…), "press KEY" (Enter, ArrowLeft,
                PageDown, a), "type TEXT" into what has the focus, or "wait SECONDS".
        """
        address = _address(context.folder, html, path)
        steps = _actions(actions or ())
        longest = _longest(width, height)
        visit = Visit(context.folder, html, address)

        async with browser.context(
            viewport={"width": width, "height": height},
            device_scale_factor=min(1.0, LONGEST / longest),
            service_workers="block",
            accept_downloads=False,
        ) as place:
            await place.add_init_script(NO_WAY_OUT)
            await place.route("**/*", visit.serve)
            picture = await visit.picture(await place.new_page(), steps)

        size = f"{path or 'the page'}: {width}×{height}"
        return ["\n".join([size, *visit.said]), Image(picture)]

    return render


def _address(folder: Path, html: str, path: str) -> str:
    """Where the page is found. Raises ToolError unless there is one."""
    if bool(html.strip()) == bool(path):
        raise ToolError("give either html or the path of an HTML file")

    if not path:
        return HOME

    with Folder(folder) as root:
        entry = root.entry(root.parts(path))

    if entry.is_folder:
        raise ToolError(f"{path!r} is a folder; name an HTML file in it")

    return HOME + urllib.parse.quote("/".join(entry.parts))


def _actions(told: list[str] | tuple[()]) -> list[Action]:
    if len(told) > MOST_ACTIONS:
        raise ToolError(f"{len(told)} actions, and {MOST_ACTIONS} can be carried out")

    return [Action.read(each) for each in told]


def _longest(width: int, height: int) -> int:
    if not all(SMALLEST <= side <= LARGEST for side in (width, height)):
        raise ToolError(
            f"a window of {width}×{height} cannot be had: "
            f"width and height are {SMALLEST} to {LARGEST} pixels"
        )

    return max(width, height)
