"""A press reaches what it began on, whatever comes in until it is let go of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crowds import crowd, until
from playwright.sync_api import Browser, Locator, Page, expect
from stage import Recorded, Stage, empty_page
from test_widget_inspector import inspector, pictured

LATE = """() => {
    const ask = window.ask;
    window.ask = async question => {
        if (question.small) await new Promise(go => { window.go = go; });
        return ask(question);
    };
}"""
"""The answer about an image waits for `go`."""
COMES = """() => new Promise(drawn => {
    const frame = then => requestAnimationFrame(() => then());
    model.on("msg:custom", () => frame(() => frame(drawn)));
    go();
})"""
FRAMES = """() => new Promise(drawn =>
    requestAnimationFrame(() => requestAnimationFrame(() => drawn())))"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1100, 700) as page:
        yield page


def down(page: Page, on: Locator) -> None:
    box = on.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


def test_an_answer_does_not_move_a_button_from_under_the_pointer(
    page: Page, tmp_path: Path
) -> None:
    Stage(page, pictured(tmp_path, there=False), view="critical", selected="a00")
    page.evaluate(LATE)
    image, text = inspector(page).locator(".knw-file").all()
    press = text.get_by_role("button", name="Show the whole file")
    press.scroll_into_view_if_needed()
    expect(image).to_contain_text("loading…")
    down(page, press)
    page.evaluate(COMES)
    page.mouse.up()
    expect(text).to_contain_text("is not there: copy it beside")
    expect(image).to_contain_text("is not there: copy it beside")


def begun(page: Page) -> tuple[Stage, str]:
    """A run that goes on, as far as it is shown."""
    stage = Stage(page, Recorded(until(crowd(3), 2.0), done=False), view="critical")
    return stage, f"{len(stage.desk.source.records)}"


def go_on(stage: Stage) -> str:
    """Press a tab, and let the run go on to its end meanwhile."""
    down(stage.page, stage.page.get_by_role("tab", name="Graph"))
    stage.desk.source.records = crowd(3)
    stage.beat()
    return f"{len(stage.desk.source.records)}"


def test_what_is_let_go_of_elsewhere_is_no_press_and_what_has_come_is_drawn(page: Page) -> None:
    stage, before = begun(page)
    view = page.locator(".kimi-nb-view")
    expect(view).to_have_attribute("data-records", before)
    after = go_on(stage)
    page.evaluate(FRAMES)
    expect(view).to_have_attribute("data-records", before)
    page.mouse.move(1099, 699)
    page.mouse.up()
    expect(view).to_have_attribute("data-records", after)
    expect(page.get_by_role("tab", name="Critical")).to_have_attribute("aria-selected", "true")


def test_a_press_of_which_no_end_is_heard_holds_nothing_up_for_long(page: Page) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    stage, before = begun(page)
    view = page.locator(".kimi-nb-view")
    page.clock.run_for(100)
    expect(view).to_have_attribute("data-records", before)
    after = go_on(stage)
    page.clock.run_for(2900)
    assert view.get_attribute("data-records") == before
    page.clock.run_for(200)
    assert view.get_attribute("data-records") == after
    page.mouse.up()
