"""The timeline and the replay bar in a browser: what one sees, what pointer and keys do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from crowds import crowd, until
from hostile import HOSTILE, hostile_trace
from playwright.sync_api import Browser, Locator, Page, expect
from stage import Recorded, Stage, empty_page
from traces import staged

from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.words import label, state_word

PLAIN = staged((), (2, 3), ())
"""Of whole seconds: steps of the orchestrator end at 1 and 2, sub-agents at 4 and 5, all at 6."""
CALL, PATH = (74, 143, 214), (207, 122, 16)
"""The colours of a model call and of the critical path."""
COUNT = """([which, colour]) => {
    const canvas = document.querySelectorAll(".knl-field canvas")[which];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) {
        found += colour.every((part, k) => Math.abs(data[i + k] - part) < 3) && data[i + 3] > 250;
    }
    return found;
}"""
SPREAD = """colour => {
    const canvas = document.querySelector(".knl-field canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let [left, right] = [canvas.width, 0];
    for (let i = 0; i < data.length; i += 4) {
        if (colour.every((part, k) => Math.abs(data[i + k] - part) < 3) && data[i + 3] > 250) {
            left = Math.min(left, (i / 4) % canvas.width);
            right = Math.max(right, (i / 4) % canvas.width);
        }
    }
    return [left, right];
}"""
GUARD = """() => {
    window.held = 0;
    for (const target of [window, document, MediaQueryList.prototype]) {
        const { addEventListener: add, removeEventListener: remove } = target;
        target.addEventListener = function (...given) { held++; return add.apply(this, given); };
        target.removeEventListener = function (...given) {
            held--; return remove.apply(this, given);
        };
    }
    for (const name of ["ResizeObserver", "MutationObserver", "IntersectionObserver"]) {
        window[name] = class extends window[name] {
            observe(...given) { held += this.on ? 0 : 1; this.on = true; super.observe(...given); }
            disconnect() { held -= this.on ? 1 : 0; this.on = false; super.disconnect(); }
        };
    }
    for (const [begin, end] of [["setInterval", "clearInterval"]]) {
        const [set, clear] = [window[begin], window[end]];
        const going = new Set();
        window[begin] = (...given) => {
            const id = set(...given); going.add(id); held++; return id;
        };
        window[end] = (id) => { held -= going.delete(id) ? 1 : 0; clear(id); };
    }
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1000, 700) as page:
        yield page


def shown(page: Page, trace: Trace, *, done: bool = True, selected: str = "") -> Stage:
    stage = Stage(page, Recorded(trace, done=done), view="timeline", selected=selected)
    expect(page.locator(".knl tbody tr")).to_have_count(len(stage.desk.scene.fold.agents))
    return stage


def field(page: Page) -> Locator:
    return page.locator(".knl-field")


def rows(page: Page) -> list[list[str]]:
    """The table for who cannot see the picture."""
    cells = "trs => trs.map(tr => [...tr.cells].map(cell => cell.textContent))"
    return page.locator(".knl tbody tr").evaluate_all(cells)


def truth(trace: Trace, t: float) -> list[list[str]]:
    """Label and state of every agent of the whole run at `t`, from the log up to then."""
    then = fold(until(trace, t)).agents
    found = [(label(agent), then.get(agent.id)) for agent in fold(trace).agents.values()]
    return [[name, state_word(a.state_at(t)) if a else "has not begun"] for name, a in found]


def still(page: Page) -> None:
    """From now on time passes on the page when it is told to."""
    page.clock.install(time=0)
    page.clock.pause_at(1)


def asked(stage: Stage, kind: str) -> list[dict[str, Any]]:
    return [question for question in stage.questions if question["kind"] == kind]


def test_each_agent_has_a_lane_and_a_row_in_words(page: Page) -> None:
    trace = crowd(20)
    shown(page, trace)
    assert [row[:2] for row in rows(page)] == truth(trace, trace[-1].t)
    said = field(page).get_attribute("aria-label") or ""
    assert "21 agents up to 36.1 s: 20 finished, 1 failed." in said
    assert page.evaluate(COUNT, [0, CALL]) > 5000
    assert page.evaluate(COUNT, [0, PATH]) > 500
    assert "critical path" in page.locator(".knl-legend").inner_text()


@pytest.mark.parametrize(
    ("agents", "tallest"), [(3, 200), (20, 520), (100, 580), (300, 660), (2_000, 700)]
)
def test_all_lanes_fit_on_a_screen(page: Page, agents: int, tallest: float) -> None:
    shown(page, crowd(agents))
    box = field(page).bounding_box()
    assert box is not None
    assert box["height"] <= tallest
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("scrollY + innerHeight <= 1400") or agents > 100
    assert page.locator(".knl tbody tr").count() == agents + 1


def test_arrow_keys_tell_what_an_agent_did_when(page: Page) -> None:
    shown(page, PLAIN)
    page.get_by_role("button", name="+").focus()
    page.keyboard.press("Tab")
    status = page.locator(".knl [role=status]")
    page.keyboard.press("Home")
    expect(status).to_have_text("a00 orchestrator at 0.0 s: model call, step 1: 1.0 s")
    page.keyboard.press("ArrowDown")
    expect(status).to_have_text("a01 w0 at 0.0 s: begins at 2.0 s")

    for _ in range(21):  # a fiftieth of 6 seconds each
        page.keyboard.press("ArrowRight")

    expect(status).to_have_text("a01 w0 at 2.5 s: model call, step 1: 1.0 s")
    page.keyboard.press("End")
    expect(status).to_have_text("a01 w0 at 6.0 s: ✓ finished at 4.0 s")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    expect(status).to_have_text("a00 orchestrator at 4.8 s: waits for its sub-agents")
    expect(page.locator(".knl-tip")).to_contain_text("4.8 s: waits for its sub-agents")


def test_enter_chooses_the_agent_and_escape_none(page: Page) -> None:
    shown(page, PLAIN)
    field(page).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("model.get('selected')") == "a02"
    page.keyboard.press("Escape")
    assert not page.evaluate("model.get('selected')")


def test_the_cursor_tells_of_the_agent_under_the_pointer(page: Page) -> None:
    trace = crowd(3)
    shown(page, trace)
    box = field(page).bounding_box() or {}
    field(page).hover(position={"x": box["width"] / 2, "y": 18 + 22 + 11})
    tip = page.locator(".knl-tip")
    expect(tip).to_be_visible()
    expect(tip.locator("b")).to_have_text(label(list(fold(trace).agents.values())[1]))
    page.mouse.move(1, 1)
    expect(tip).to_be_hidden()


def test_a_click_chooses_a_lane_and_on_the_axis_a_time(page: Page) -> None:
    stage = shown(page, PLAIN)
    box = field(page).bounding_box() or {}
    field(page).click(position={"x": box["width"] / 2, "y": 18 + 2 * 22 + 11})
    assert page.evaluate("model.get('selected')") == "a02"
    box = field(page).bounding_box() or {}  # narrower, for the chosen agent is told beside it
    field(page).click(position={"x": box["width"] / 2, "y": box["height"] - 8})
    expect(page.locator(".knr-time")).to_contain_text("of 6.0 s")
    (question,) = asked(stage, "at")
    assert 2.0 < question["t"] < 3.5


def test_the_wheel_is_the_pages_unless_a_key_is_held(page: Page) -> None:
    shown(page, crowd(20))
    page.evaluate("document.body.style.minHeight = '3000px'")
    fit = page.get_by_role("button", name="Fit")
    field(page).hover(position={"x": 500, "y": 100})
    page.mouse.wheel(0, 60)
    page.wait_for_function("scrollY > 0")
    expect(fit).to_be_disabled()
    page.evaluate("scrollTo(0, 0)")
    before = page.evaluate(SPREAD, PATH)
    field(page).hover(position={"x": 500, "y": 100})
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    expect(fit).to_be_enabled()
    page.keyboard.up("Control")
    assert page.evaluate("scrollY") == 0
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 5000)
    page.keyboard.up("Shift")
    field(page).focus()
    page.keyboard.press("0")
    expect(fit).to_be_disabled()
    assert page.evaluate(SPREAD, PATH) == before


def test_keys_faster_than_the_pictures_are_none_lost(page: Page) -> None:
    stage = shown(page, PLAIN)
    field(page).focus()
    page.keyboard.press("Home")
    page.evaluate("""() => {
        for (let i = 0; i < 4; i++) {
            const press = new KeyboardEvent("keydown", { key: "+", bubbles: true });
            document.querySelector(".knl-field").dispatchEvent(press);
        }
    }""")
    box = field(page).bounding_box() or {}
    expect(page.get_by_role("button", name="Fit")).to_be_enabled()
    field(page).click(position={"x": box["width"] - 19, "y": box["height"] - 8})
    expect(page.locator(".knr-time")).to_contain_text("of 6.0 s")
    assert asked(stage, "at")[0]["t"] == pytest.approx(6 * 0.7**4, abs=0.02)


def test_dragging_moves_what_was_zoomed(page: Page) -> None:
    shown(page, PLAIN)
    field(page).focus()
    page.keyboard.press("Home")

    for _ in range(4):
        page.keyboard.press("+")

    expect(page.get_by_role("button", name="Fit")).to_be_enabled()
    page.wait_for_function(f"() => ({COUNT})([0, [{CALL[0]},{CALL[1]},{CALL[2]}]]) > 100")
    before = page.evaluate(COUNT, [0, CALL])  # the first second, in which one agent is at work
    box = field(page).bounding_box() or {}
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] - 600, box["y"] + 40, steps=4)
    page.mouse.up()
    script = f"before => ({COUNT})([0, [{CALL[0]},{CALL[1]},{CALL[2]}]]) !== before"
    page.wait_for_function(script, arg=before)
    assert not page.evaluate("model.get('selected')")  # a drag chooses nothing


def test_many_lanes_can_be_made_high_enough_for_names(page: Page) -> None:
    shown(page, crowd(100), selected="a90")
    names = page.get_by_role("button", name="Names")
    expect(names).to_have_attribute("aria-pressed", "false")
    names.click()
    expect(names).to_have_attribute("aria-pressed", "true")
    focus = (33, 150, 243), (25, 118, 210)
    page.wait_for_function(f"() => ({COUNT})([1, {list(focus[1])}]) > 0")  # a90 is in sight
    box = field(page).bounding_box() or {}
    assert box["height"] <= 580


def test_the_slider_shows_the_states_of_the_time(page: Page) -> None:
    trace = crowd(20)
    stage = shown(page, trace)
    slider = page.get_by_role("slider", name="Time of the run")
    slider.focus()

    for _ in range(8):
        page.keyboard.press("PageDown")

    expect(page.locator(".knl tbody")).to_contain_text("not begun")
    t = asked(stage, "at")[-1]["t"]
    assert [row[:2] for row in rows(page)] == truth(trace, t)
    assert slider.get_attribute("aria-valuetext") == f"{t:.1f} s of 36.1 s"
    states = {row[1] for row in rows(page)}
    assert "has not begun" in states
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.locator(".knl tbody")).not_to_contain_text("not begun")
    assert [row[:2] for row in rows(page)] == truth(trace, trace[-1].t)


def test_dragging_the_slider_asks_seldom_and_for_the_last(page: Page) -> None:
    stage = shown(page, PLAIN)
    still(page)
    page.evaluate("""() => {
        const slider = document.querySelector(".knr input");
        for (let value = 0; value <= 9000; value += 100) {
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
        }
    }""")
    page.clock.run_for(1000)
    page.wait_for_function("document.querySelector('.knr-time').textContent.startsWith('5.4')")
    times = [question["t"] for question in asked(stage, "at")]
    assert len(times) == 2
    assert times[-1] == pytest.approx(5.4)


def test_it_plays_to_the_end_and_stops_there(page: Page) -> None:
    stage = shown(page, PLAIN)
    still(page)
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    time = page.locator(".knr-time")
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(50)  # until it is drawn
    said = time.text_content() or ""
    assert 3.5 < float(said.split(" s of 6.0 s")[0]) < 4.5
    page.clock.run_for(1000)
    assert time.text_content() == said
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2000)
    expect(time).to_have_text("6.0 s")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert len(asked(stage, "at")) < 30  # of some ninety pictures


def test_who_wants_little_motion_sees_steps(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    shown(page, PLAIN)
    still(page)
    page.get_by_label("Speed").select_option("1")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(100)
    expect(page.locator(".knr-time")).to_have_text("0.0 s of 6.0 s")
    page.clock.run_for(850)
    expect(page.locator(".knr-time")).to_have_text("0.0 s of 6.0 s")
    page.clock.run_for(150)
    expect(page.locator(".knr-time")).to_have_text("1.0 s of 6.0 s")


def test_a_run_that_goes_on_is_live_and_followed(page: Page) -> None:
    trace = crowd(20)
    source = Recorded(until(trace, 10.6), done=False)
    stage = Stage(page, source, view="timeline")
    time, slider = page.locator(".knr-time"), page.locator(".knr input")
    expect(time).to_have_text("live")
    expect(slider).to_have_js_property("value", "10000")
    first = page.evaluate(SPREAD, CALL)
    source.records = until(trace, 11.4)
    stage.beat()
    page.wait_for_function(f"before => ({SPREAD})({list(CALL)})[1] !== before", arg=first[1])
    later = page.evaluate(SPREAD, CALL)
    assert later[0] == first[0]  # it has grown, and nothing has moved
    assert later[1] > first[1]
    slider.focus()
    page.keyboard.press("PageDown")
    expect(time).to_contain_text("of 1")
    kept = (time.text_content() or "").split(" of ")[0]
    source.records = trace
    source.done = True
    stage.beat()
    expect(time).to_have_text(f"{kept} of 36.1 s")  # who looks back is left there
    page.get_by_role("button", name="End", exact=True).click()
    expect(time).to_have_text("36.1 s")


def test_a_training_and_a_run_that_has_not_begun_have_no_replay(page: Page) -> None:
    Stage(page, Recorded(Trace(), done=False), view="timeline")
    expect(page.locator(".knr")).to_be_hidden()
    training = {"what": "x", "seed": 0, "iterations": 1, "status": "running", "why": ""}
    rewards = {**training, "schedules": [], "columns": [], "rows": []}
    message = {"kind": "changes", "from": 0, "to": 1, "now": 3.0, "rewards": rewards}
    page.evaluate("message => model.hear(message)", message)
    expect(page.locator(".kimi-nb-view")).to_have_attribute("data-records", "1")
    expect(page.locator(".knr")).to_be_hidden()


def test_colours_follow_the_theme(page: Page) -> None:
    shown(page, PLAIN)
    picture = "document.querySelector('.knl-field canvas').toDataURL()"
    before = page.evaluate(picture)
    page.evaluate("""() => {
        document.body.style.setProperty("--jp-layout-color1", "#212121");
        document.body.style.setProperty("--jp-ui-font-color1", "#fff");
        document.body.style.setProperty("--jp-ui-font-color2", "#eee");
    }""")
    page.wait_for_function(f"before => {picture} !== before", arg=before)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_model_writes_stays_text(page: Page, text: str) -> None:
    shown(page, hostile_trace(text))
    tags = "all => [...new Set(all.map(e => e.localName))].sort()"
    before = page.locator(".knl *, .knr *").evaluate_all(tags)
    field(page).focus()

    for key in ("Home", "ArrowRight", "ArrowDown", "ArrowRight", "End", "ArrowDown"):
        page.keyboard.press(key)

    expect(page.locator(".knl-tip")).to_be_visible()
    assert page.locator(".knl *, .knr *").evaluate_all(tags) == before
    assert not {"script", "iframe", "a", "img"} & set(before)


def test_nothing_is_left_behind(page: Page) -> None:
    page.evaluate(GUARD)
    shown(page, PLAIN)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    assert page.evaluate("held") >= 3  # two who watch their size, and a clock
    page.evaluate("window.disposers.forEach(dispose => dispose())")
    assert page.evaluate("held") == 0
    assert page.evaluate("model.listeners.length") == 0
