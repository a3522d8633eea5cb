"""What the files that were written are worth."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_nb.errors import ToolError
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.chromium import Chromium
from kimi_nb.worlds.base import Grade
from kimi_nb.worlds.figures.allowed import LONGEST, refused_code, refused_page
from kimi_nb.worlds.figures.browser import in_browser, photographed
from kimi_nb.worlds.figures.charts import Chart
from kimi_nb.worlds.figures.drawn import drawn
from kimi_nb.worlds.figures.mockups import Mockup
from kimi_nb.worlds.figures.objects import score
from kimi_nb.worlds.figures.shapes import Drawing
from kimi_nb.worlds.figures.similarity import likeness
from kimi_nb.worlds.figures.tasks import Task
from kimi_nb.worlds.figures.things import HEIGHT, WIDTH
from kimi_nb.worlds.figures.trial import tried
from kimi_nb.worlds.figures.wishes import Wish

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ENOUGH", "Mark", "grade", "marks", "pixels_of"]

ENOUGH = 0.8
"""Quality that every task needs for a success of the whole."""
AT_ONCE = 2
"""Files that are drawn side by side."""


class Mark(NamedTuple):
    """What one file is worth."""

    quality: float
    """In [0, 1]: 0 for a blank picture, for a file that cannot be drawn, and for a pasted one."""
    why: str


def grade(tasks: list[Task], folder: Path) -> Grade:
    """The mean of all marks; a success if each of them is at least ENOUGH."""
    found = marks(tasks, folder)
    good = sum(mark.quality >= ENOUGH for mark in found)
    quality = sum(mark.quality for mark in found) / len(found)
    worst = min(range(len(found)), key=lambda place: found[place].quality)
    lacks = f"; worst: {tasks[worst].wanted}, {found[worst].why}" if good < len(found) else ""
    why = (
        f"{good} of {len(found)} files are worth {ENOUGH} or more, the mean is {quality:.2f}{lacks}"
    )
    return Grade(good == len(found), quality, why)


def marks(tasks: list[Task], folder: Path) -> list[Mark]:
    """One for each task, in their order. Must not be called in an event loop's own thread."""

    async def all_of_them(browser: Chromium) -> list[Mark]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(task: Task) -> Mark:
            async with turns:
                return await _mark(browser, task, folder)

        return await asyncio.gather(*map(one, tasks))

    return in_browser(all_of_them)


async def _mark(browser: Chromium, task: Task, folder: Path) -> Mark:
    try:
        with Folder(folder) as root:
            text = root.read(root.parts(task.wanted), LONGEST * 4).decode("utf-8", "replace")
            given = root.read(root.parts(task.target), LONGEST * 100)

        if isinstance(task.truth, Wish):
            return await _behaviour(browser, text, task.truth)

        return await _looks(browser, text, task.truth, given)
    except ToolError as error:
        return Mark(0.0, str(error).splitlines()[0].partition("; there are")[0])


async def _behaviour(browser: Chromium, text: str, truth: Wish) -> Mark:
    why = refused_page(text)

    if why:
        return Mark(0.0, why)

    quality, wrong = await tried(browser, text, truth.steps)
    return Mark(quality, wrong or "it behaves as asked")


async def _looks(
    browser: Chromium, text: str, truth: Drawing | Chart | Mockup, given: bytes
) -> Mark:
    """Half is for the objects, half for the likeness, counted from that of blank paper."""
    why = refused_page(text) if isinstance(truth, Mockup) else refused_code(text)

    if why:
        return Mark(0.0, why)

    if isinstance(truth, Mockup):
        photo = await photographed(browser, text)
        picture, shown = photo.picture, photo.text
        words = truth.texts()
    else:
        picture, shown, words = await drawn(text), "", ()

    import numpy as np

    one, two = pixels_of(picture), pixels_of(given)
    blank = likeness(np.full_like(two, 255), two)
    alike = max(0.0, (likeness(one, two) - blank) / (1 - blank))
    objects = score(one, truth.things())
    read = sum(word in shown.split() for word in words)
    wanted, right = objects.wanted + len(words), objects.right + read
    f1 = 2 * right / (wanted + objects.drawn + len(words)) if objects.right else 0.0
    texts = f", {read} of {len(words)} texts" if words else ""
    return Mark(
        (f1 + alike) / 2 if objects.right else 0.0,
        f"{objects.right} of {objects.wanted} objects{texts}, likeness {alike:.2f}",
    )


def pixels_of(png: bytes) -> NDArray[Any]:
    """The RGB pixels. Raises ToolError unless it is a PNG of the size of every picture here."""
    import numpy as np
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            if image.size != (WIDTH, HEIGHT):
                across, down = image.size
                raise ToolError(f"it is {across}×{down} pixels, not {WIDTH}×{HEIGHT}")

            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise ToolError(f"what was drawn is no PNG: {error}") from error
