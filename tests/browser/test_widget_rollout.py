"""A rollout of PARL in the views of a run: its tasks in words, and that no model took part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from stage import Recorded, Stage, empty_page

from kimi_nb.parl.as_trace import as_traces
from kimi_nb.parl.heuristics import all_parallel
from kimi_nb.parl.tasks import draw
from kimi_nb.trace import Trace


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1200, 900) as page:
        yield page


@pytest.fixture(scope="module")
def rollout() -> Trace:
    """A split, eight parts side by side of which some fail, and what joins them."""
    return as_traces(all_parallel, draw(np.random.default_rng(4), 1, ["mapreduce"], 10), seed=3)[0]


@pytest.mark.parametrize("view", ["graph", "timeline", "critical"])
def test_it_says_that_no_model_took_part(page: Page, rollout: Trace, view: str) -> None:
    Stage(page, Recorded(rollout), view=view)
    expect(page.get_by_text("SIMULATOR: no language model took part").first).to_be_visible()
    expect(page.get_by_text("part 10", exact=False).first).to_be_attached()


def test_a_sub_agent_is_inspected(page: Page, rollout: Trace) -> None:
    tasks = draw(np.random.default_rng(4), 1, ["mapreduce"], 10)
    Stage(page, Recorded(rollout), view="timeline", selected="a2")
    inspector = page.locator(".knw-inspector")
    expect(inspector).to_contain_text(f"part 2: {tasks.work[0, 1]} steps, coupling")
    expect(inspector).to_contain_text("needs 1")
    expect(inspector).to_contain_text("Here are part_1.out.")
