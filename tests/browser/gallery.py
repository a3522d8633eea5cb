"""Pictures of every view: light and dark, few agents and many, wide and narrow, live and ended.

python tests/browser/gallery.py FOLDER
python tests/browser/gallery.py FOLDER --views timeline --agents 100 --widths 1200
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

VIEWS = ("graph", "timeline", "critical")


def main() -> None:
    """Write the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--views", nargs="+", default=VIEWS)
    parser.add_argument("--agents", nargs="+", type=int, default=[3, 20, 100])
    parser.add_argument("--widths", nargs="+", type=int, default=[1200, 480])
    parser.add_argument("--themes", nargs="+", default=["light", "dark"])
    parser.add_argument("--moments", nargs="+", default=["live", "ended"])
    parser.add_argument("--selected", default="", help="id of an agent, such as a02")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)

    with sync_playwright() as playwright:
        browser = launch(playwright)
        wanted = product(given.views, given.agents, given.widths, given.themes, given.moments)

        for view, agents, width, theme, moment in wanted:
            path = given.folder / f"{view}-{agents}-{width}-{theme}-{moment}.png"
            _picture(browser, path, view, agents, width, theme, moment, given.selected)
            print(path)  # noqa: T201

        browser.close()


def _picture(  # noqa: PLR0917 -- a name for each dimension
    browser: Browser,
    path: Path,
    view: str,
    agents: int,
    width: int,
    theme: str,
    moment: str,
    selected: str,
) -> None:
    trace = crowd(agents)
    ended = moment == "ended"
    shown = trace if ended else until(trace, trace[-1].t * 0.55)
    page = browser.new_page(viewport={"width": width, "height": 800})
    open_page(page, dark=theme == "dark")
    Stage(page, Recorded(shown, done=ended), view=view, selected=selected)
    page.wait_for_timeout(300)
    page.screenshot(path=path, full_page=True)
    page.close()


if __name__ == "__main__":
    main()
