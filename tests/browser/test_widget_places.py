"""The widget where no JupyterLab is, and where the kernel has taken its channel along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crowds import crowd
from playwright.sync_api import Browser, Page, expect
from stage import Recorded, Stage, empty_page

CLOSED = """() => { window.model.send = () => { throw new Error("Cannot send"); }; }"""
"""What JupyterLab does to a widget whose kernel was restarted."""
BARE = "() => document.body.removeAttribute('style')"
CODE = """() => {
  const set = (name, value) => document.body.style.setProperty(name, value);
  set("--vscode-editor-background", "rgb(30, 30, 30)");
  set("--vscode-editor-foreground", "rgb(204, 204, 204)");
}"""
COLOURS = """element => {
  const { color, backgroundColor } = getComputedStyle(element);
  return [color, backgroundColor];
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1000, 900) as page:
        yield page


def test_after_a_restart_the_view_says_that_no_kernel_answers(page: Page):
    Stage(page, Recorded(crowd(5)))
    page.evaluate(CLOSED)
    page.locator(".knw-agents summary").click()
    page.locator(".knw-agents [data-id=a02]").click()
    expect(page.locator("aside")).to_contain_text("No kernel answers")
    expect(page.locator("aside h3")).to_contain_text("a02")
    expect(page.locator(".knw-save")).to_be_hidden()


def test_a_running_clock_stops_after_a_restart(page: Page):
    page.clock.install()
    Stage(page, Recorded(crowd(5)[:60], done=False))
    expect(page.locator(".knw-clock")).not_to_contain_text("no kernel")
    page.evaluate(CLOSED)
    page.clock.run_for(6000)
    expect(page.locator(".knw-clock")).to_contain_text("no kernel answers")
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_without_a_notebook_the_colours_are_the_systems(page: Page, scheme: str):
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.add_style_tag(content=":root { color-scheme: light dark; }")
    page.evaluate(BARE)
    Stage(page, Recorded(crowd(5)))
    ink, paper = page.locator(".kimi-nb-view").evaluate(COLOURS)
    dark = ("rgb(255, 255, 255)", "rgb(18, 18, 18)")
    assert (ink, paper) == (dark if scheme == "dark" else ("rgb(0, 0, 0)", "rgb(255, 255, 255)"))


def test_in_vs_code_its_colours_come_before_the_light_ones_that_its_widgets_bring(page: Page):
    page.evaluate(CODE)
    Stage(page, Recorded(crowd(5)))
    shown = page.locator(".kimi-nb-view").evaluate(COLOURS)
    assert shown == ["rgb(204, 204, 204)", "rgb(30, 30, 30)"]


def test_with_forced_colours_the_open_tab_and_the_steps_are_told_apart(page: Page):
    page.emulate_media(forced_colors="active")
    Stage(page, Recorded(crowd(5)), view="critical")
    line = "element => getComputedStyle(element).borderBottomColor"
    tabs = page.get_by_role("tab")
    assert tabs.nth(2).evaluate(line) != tabs.nth(0).evaluate(line)
    steps = page.locator(".kcs-strip .kcs-main").first
    paper = page.locator(".kimi-nb-view").evaluate(COLOURS)[1]
    assert steps.evaluate(COLOURS)[1] not in (paper, "rgba(0, 0, 0, 0)")
