"""Pictures of every view: light and dark, few agents and many, wide and narrow, live and ended.

python tests/browser/gallery.py FOLDER
python tests/browser/gallery.py FOLDER --views timeline --agents 100 --widths 1200
python tests/browser/gallery.py FOLDER --views reward --iterations 60 200
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from crowds import crowd, until
from lab import launch
from stage import Recorded, Stage, open_page

from kimi_nb.events import IterationEnded
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.train import Training
from kimi_nb.trace import Trace
from kimi_nb.views.anneal import Schedule

VIEWS = ("graph", "timeline", "critical")


def main() -> None:
    """Write the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--views", nargs="+", default=VIEWS)
    parser.add_argument("--agents", nargs="+", type=int, default=[3, 20, 100])
    parser.add_argument(
        "--iterations", nargs="+", type=int, default=[10, 200], help="of the view reward"
    )
    parser.add_argument("--widths", nargs="+", type=int, default=[1200, 480])
    parser.add_argument("--themes", nargs="+", default=["light", "dark"])
    parser.add_argument("--moments", nargs="+", default=["live", "ended"])
    parser.add_argument("--selected", default="", help="id of an agent, such as a02")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)

    with sync_playwright() as playwright:
        browser = launch(playwright)

        for view in given.views:
            sizes = given.iterations if view == "reward" else given.agents

            for size, *rest in product(sizes, given.widths, given.themes, given.moments):
                width, theme, moment = rest
                path = given.folder / f"{view}-{size}-{width}-{theme}-{moment}.png"
                _picture(browser, path, view, size, width, theme, moment, given.selected)
                print(path)  # noqa: T201

        browser.close()


def _picture(  # noqa: PLR0917 -- a name for each dimension
    browser: Browser,
    path: Path,
    view: str,
    size: int,
    width: int,
    theme: str,
    moment: str,
    selected: str,
) -> None:
    trace = _training(size) if view == "reward" else crowd(size)
    ended = moment == "ended"
    shown = trace if ended else until(trace, trace[-1].t * 0.55)
    page = browser.new_page(viewport={"width": width, "height": 800})
    open_page(page, dark=theme == "dark")
    Stage(page, Recorded(shown, done=ended), view=view, selected=selected)
    page.wait_for_timeout(300)
    page.screenshot(path=path, full_page=True)
    page.close()


def _training(iterations: int) -> Trace:
    """One whose weights are changed on the way."""

    def told(row: IterationEnded) -> None:
        if row.iteration == iterations // 3:
            made.set("finish", Schedule(0.2, 0.0, "cosine", 0.9))

    plan = Plan(iterations=iterations)
    made = Training({"parallel": Schedule(0.3, 0.0, "linear", 0.7)}, plan, told=told)
    return made.run()


if __name__ == "__main__":
    main()
