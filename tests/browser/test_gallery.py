"""Every view at every size fits its page, and its picture is kept for whoever wants to look."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from crowds import crowd, until
from stage import Recorded, Stage, empty_page

SHOTS = Path(os.environ.get("KIMI_NB_SHOTS", Path(__file__).parents[2] / "build" / "shots"))
SIDEWAYS = "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.mark.parametrize("look", ["light-1200", "dark-1200", "light-480"])
@pytest.mark.parametrize("agents", [3, 20, 100])
@pytest.mark.parametrize("view", ["graph", "timeline", "critical"])
def test_a_view_fits_its_page(browser, view, agents, look):
    theme, width = look.split("-")
    trace = crowd(agents)
    live = look == "dark-1200"
    shown = until(trace, trace[-1].t * 0.55) if live else trace

    with empty_page(browser, int(width), 900, dark=theme == "dark") as page:
        Stage(page, Recorded(shown, done=not live), view=view)
        place = page.locator(".knw-picture > *").first
        place.wait_for()
        page.wait_for_timeout(150)
        box = place.bounding_box()
        page.screenshot(path=SHOTS / f"{view}-{agents}-{look}.png", full_page=True)
        sideways = page.evaluate(SIDEWAYS)

    assert sideways == 0
    assert box is not None
    assert box["width"] > int(width) * 0.8
    assert 60 < box["height"] < 1200
