"""The tool that closes the loop: it draws what was written and shows it, and where it is wrong.

It gives no number. What is told is what the eye finds: a picture, and the difference to the
target, which lies in the folder for all to see. How an answer is graded stays with the grader.
"""

from __future__ import annotations

import io

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import Tool, ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.chromium import Chromium
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.image import Image
from kimi_nb.worlds.figures.allowed import LONGEST, refused_code, refused_page
from kimi_nb.worlds.figures.browser import photographed
from kimi_nb.worlds.figures.drawn import drawn
from kimi_nb.worlds.figures.grading import pixels_of

__all__ = ["look_tool"]


def look_tool() -> Tool:
    """A `look` tool with a browser of its own, which its `close` ends."""
    browser = Chromium()

    @tool(private=True, close=browser.close)
    async def look(context: ToolContext, path: str) -> list[str | Image]:
        """Draw a file that you have written, and look at the picture.

        A figure-*.py is run, a page-*.html is opened (480×360 pixels, without scripts). If there
        is a PNG of the same name, a second picture shows the difference to it: black where both
        are equal, the brighter the more they differ.

        Args:
            path: The file, from the working folder.
        """
        with Folder(context.folder) as root:
            parts = root.parts(path)
            text = root.read(parts, LONGEST * 4).decode("utf-8", "replace")
            names = {entry.parts[-1] for entry in root.entries(parts[:-1])}
            target = parts[-1].rsplit(".", 1)[0] + ".png"
            given = root.read((*parts[:-1], target), LONGEST * 100) if target in names else None

        picture = await _drawn(browser, path, text)

        if given is None:
            return [f"{path} as it looks; there is no picture to compare it with", Image(picture)]

        note = f"{path} as it looks, and its difference to {target}"
        return [note, Image(picture), Image(_difference(picture, given))]

    return look


async def _drawn(browser: Chromium, path: str, text: str) -> bytes:
    if path.endswith(".py"):
        refused, draw = refused_code(text), drawn(text)
    elif path.endswith(".html"):
        refused, draw = refused_page(text), photographed(browser, text)
    else:
        raise ToolError(f"{path!r} cannot be drawn; name a .py or a .html file")

    if refused:
        draw.close()
        raise ToolError(f"{path} does not count: {refused}")

    found = await draw
    return found if isinstance(found, bytes) else found.picture


def _difference(one: bytes, two: bytes) -> bytes:
    """A PNG of how far the channels of each pixel are apart."""
    import numpy as np
    import PIL.Image

    apart = np.abs(pixels_of(one).astype(np.int16) - pixels_of(two))
    out = io.BytesIO()
    PIL.Image.fromarray(apart.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()
