"""Pictures and sentences, each to be turned into the code that draws it.

After Kimi's "autonomous visual debugging": write code, draw it, look, mend, again.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.tools import Toolset, native
from kimi_nb.tools.chromium import Chromium
from kimi_nb.tools.files import list_files, read_file
from kimi_nb.tools.pictures import view_image
from kimi_nb.tools.render_page import render_tool
from kimi_nb.tools.write import write_file
from kimi_nb.worlds.base import World, sized
from kimi_nb.worlds.figures.browser import in_browser, photographed
from kimi_nb.worlds.figures.grading import grade
from kimi_nb.worlds.figures.look import look_tool
from kimi_nb.worlds.figures.mockups import Mockup
from kimi_nb.worlds.figures.tasks import Task, tasks
from kimi_nb.worlds.figures.wishes import Wish

__all__ = ["make"]

GOAL = """\
The working folder has {items} targets. Turn each of them into code.

- figure-NN.png: write figure-NN.py, matplotlib code that draws the same picture with plt: one
  figure of 4.8 × 3.6 inches at 100 dots per inch. Do not save or close it.
- page-NN.png: write page-NN.html, a page that looks the same in a window of 480 × 360 pixels.
- page-NN.txt: write page-NN.html, a page that looks and behaves as the text says.

Draw with shapes and text. Code that reads files or shows pixels, pages with images or of more
than 12,000 characters do not count. Look at what you have drawn, compare it with the target, and
mend what differs. At the end list the files that you have written.
"""
STEPS = 12
"""Model calls that one target may take an agent that works alone."""


def make(items: int, seed: int) -> World:
    """The world. Nothing is left out where something is missing: it would be another world.

    Raises UsageFault for a size outside 3 to 300, and for what must be installed first.
    """
    found = tasks(sized(items), seed)
    _check()
    return World(
        family="figure",
        items=items,
        seed=seed,
        goal=GOAL.format(items=items),
        write=partial(_write, found),
        tools=_tools,
        grade=lambda _, folder: grade(found, folder),
        steps=STEPS * items,
    )


def _check() -> None:
    """Raises UsageFault with what to type for the first thing that is missing."""
    for library, extra in (("matplotlib", "images"), ("PIL", "images"), ("playwright", "browser")):
        if find_spec(library) is None:
            raise UsageFault(
                f"this world needs {library}: install it with: pip install 'kimi-nb[{extra}]'"
            )

    why = native.available()

    if why:
        raise UsageFault(
            f"this world runs code that a model writes, and there is no sandbox: {why}"
        )


def _tools(_: Path) -> Toolset:
    return Toolset([list_files, read_file, view_image, write_file, look_tool(), render_tool()])


def _write(found: list[Task], folder: Path) -> None:
    pages = {task.target: task.truth.page() for task in found if isinstance(task.truth, Mockup)}

    try:
        pictures = in_browser(partial(_photos, pages))
    except ToolError as error:
        raise UsageFault(f"this world needs a browser: {error}") from error

    for task in found:
        path = folder / task.target

        if isinstance(task.truth, Wish):
            path.write_text(task.truth.text + "\n", encoding="utf-8")
        elif isinstance(task.truth, Mockup):
            path.write_bytes(pictures[task.target])
        else:
            path.write_bytes(task.truth.paint())


async def _photos(pages: dict[str, str], browser: Chromium) -> dict[str, bytes]:
    return {name: (await photographed(browser, page)).picture for name, page in pages.items()}
