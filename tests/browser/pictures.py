"""The pictures of the README: python tests/browser/pictures.py"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from crowds import crowd, until
from lab import launch, server
from learners import OFF, trainer
from lesson import SLOW as PATIENCE
from lesson import Lesson, copied, shut_off
from palette import with_palette
from playstage import SLOW, PlayStage
from stage import Recorded, Stage, open_page

FOLDER = Path(__file__).parents[2] / "widgets" / "pictures"
WIDTH = 900
LARGEST = 60_000
"""Bytes of one picture: whoever opens the README waits for all of them."""


def graph(page: Page) -> None:
    """Twenty sub-agents, most of the first stage at work."""
    Stage(page, Recorded(until(crowd(20), 7.2), done=False), view="graph")


def timeline(page: Page) -> None:
    Stage(page, Recorded(crowd(100)), view="timeline")


def critical(page: Page) -> None:
    Stage(page, Recorded(crowd(20)), view="critical")


def playground(page: Page) -> None:
    """A training that is over, and what other weights would make of its rewards."""
    done = trainer(iterations=150, tasks=64, rollouts=16)({"parallel": SLOW, "finish": OFF})
    done.result()
    PlayStage(page, done)
    page.get_by_role("button", name="0.5 constant").click()


PICTURES: list[tuple[Callable[[Page], None], bool]] = [
    (graph, False),
    (timeline, True),
    (critical, False),
    (playground, False),
]
"""What is shown, and whether in the dark."""


MEAN = (
    "def critical_steps(stages):\n    return sum(1 + sum(stage) / len(stage) for stage in stages)"
)
EXERCISE = "ex03-critical"


def exercise(browser: Browser) -> int:
    """An exercise in JupyterLab, answered wrong, and what it says to that."""
    page = shut_off(browser.new_page(viewport={"width": WIDTH, "height": 760}))

    with tempfile.TemporaryDirectory() as name, server(copied(Path(name))) as url:
        book = Lesson(page, url, Path(name), "en", "03")
        book.book.command("application:toggle-left-area")
        book.run("setup")
        book.write(f"{EXERCISE}-answer", MEAN)
        book.run(f"{EXERCISE}-answer", f"{EXERCISE}-check")
        told = book.cell(f"{EXERCISE}-check").locator(".jp-OutputArea")
        told.get_by_text("mean").wait_for(timeout=PATIENCE)
        task = page.get_by_role("heading", name="Exercise: Critical Steps")
        task.scroll_into_view_if_needed()
        top, bottom = task.bounding_box(), told.bounding_box()

        if top is None or bottom is None:
            raise SystemExit("the exercise is not on the page")

        height = bottom["y"] + bottom["height"] - top["y"] + 14
        clip = {"x": 40, "y": top["y"] - 12, "width": WIDTH - 80, "height": height}
        return _kept("exercise", page, page.screenshot(clip=clip))


def main() -> None:
    """Write them; raises SystemExit where one is too large."""
    FOLDER.mkdir(exist_ok=True)

    with sync_playwright() as playwright:
        browser = launch(playwright)
        sizes = [_picture(browser, show, dark) for show, dark in PICTURES]
        sizes.append(exercise(browser))
        browser.close()

    if max(sizes) > LARGEST:
        raise SystemExit(f"more than {LARGEST:,} bytes: {max(sizes):,}")


def _picture(browser: Browser, show: Callable[[Page], None], dark: bool) -> int:  # noqa: FBT001
    page = browser.new_page(viewport={"width": WIDTH, "height": 400})
    open_page(page, dark=dark)
    show(page)
    page.wait_for_timeout(400)
    return _kept(show.__name__, page, page.screenshot(full_page=True))


def _kept(name: str, page: Page, picture: bytes) -> int:
    path = FOLDER / f"{name}.png"
    size = path.write_bytes(with_palette(page, picture))
    page.close()
    print(path, size)  # noqa: T201
    return size


if __name__ == "__main__":
    main()
