"""The graph of a run in a browser: what one sees of it, what pointer and keys do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from crowds import crowd, until
from hostile import HOSTILE, hostile_trace
from playwright.sync_api import Browser, Page, expect
from stage import Recorded, Stage, empty_page
from traces import Script, chains, staged

from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.path import critical_path
from kimi_nb.views.words import label, shape, state_word

CELLS = """() => [...document.querySelectorAll(".kng-agent")].map(cell => ({
    label: cell.getAttribute("aria-label"), state: cell.dataset.state,
    critical: cell.dataset.critical !== undefined, words: cell.lastElementChild.textContent,
    text: [...cell.querySelectorAll("text")].map(text => text.textContent).join("|"),
}))"""
OUTSIDE = """() => {
    const out = (a, b) => a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 3
        || a.bottom > b.bottom + 3; // a line of text is higher than its letters
    const view = document.querySelector(".knw-graph").getBoundingClientRect();
    return [...document.querySelectorAll(".kng-cell")].flatMap(cell => {
        const frame = cell.querySelector("rect").getBoundingClientRect();
        const texts = [...cell.querySelectorAll("text")].filter(text => text.textContent)
            .filter(text => out(text.getBoundingClientRect(), frame));
        const wide = frame.left < view.left - 1 || frame.right > view.right + 1;
        return wide || texts.length ? [cell.textContent] : [];
    });
}"""
OVERLAPS = """() => {
    const words = [...document.querySelectorAll(".knw-graph svg text")].filter(e => e.textContent)
        .map(e => ({ said: e.textContent, box: e.getBoundingClientRect() }));
    const lie = (a, b) => a.left + 1 < b.right && b.left + 1 < a.right
        && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
    return words.flatMap((a, i) => words.slice(i + 1)
        .filter(b => lie(a.box, b.box)).map(b => `${a.said} | ${b.said}`));
}"""
WATCH = """() => {
    window.touched = new Set();
    new MutationObserver(changes => {
        for (const { target } of changes) {
            const cell = (target.closest ? target : target.parentElement).closest("[data-id]");
            window.touched.add(cell === null ? "" : cell.dataset.id);
        }
    }).observe(document.querySelector(".knw-graph svg > g:last-child"), {
        subtree: true, childList: true, attributes: true, characterData: true,
    });
}"""
STOPS = (
    """() => [...document.querySelectorAll(".knw-graph [tabindex='0']")].map(e => e.dataset.id)"""
)
FOCUSED = "() => document.activeElement.dataset.id ?? null"
SELECTED = "() => window.model.state.selected"
WIDER = "() => document.documentElement.scrollWidth - innerWidth"


def many_steps() -> Trace:
    script = Script()
    main = script.orchestrator()

    for _ in range(40):
        main.step()

    main.launch(2, 3, 1)
    main.step().end()
    return script.end()


RUNS: dict[str, Trace] = {
    "three": crowd(3),
    "twenty": crowd(20),
    "a hundred": crowd(100),
    "three hundred": crowd(300),
    "live": until(crowd(100), 23.0),
    "stages": staged(*[(2, 3, 4)] * 12),
    "steps": many_steps(),
    "a plan": chains((1, 9), (9, 1), (2, 2, 2, 2, 2, 2)),
    "alone": staged(*[()] * 12),
    "hostile": hostile_trace(HOSTILE[4] + HOSTILE[1] + HOSTILE[7]),
}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1200, 900, "console") as page:
        yield page


def show(page: Page, trace: Trace, *, done: bool = True, selected: str = "") -> Stage:
    stage = Stage(page, Recorded(trace, done=done), selected=selected)
    page.locator(".knw-graph svg > g > g").first.wait_for()
    return stage


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("width", [1200, 480])
def test_all_of_it_is_on_one_screen_and_no_word_is_over_another(
    page: Page, run: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    show(page, RUNS[run])
    box = page.locator(".knw-graph").bounding_box()
    assert box is not None
    assert box["height"] <= 580
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(WIDER) <= 0


@pytest.mark.parametrize("run", ["twenty", "live", "a plan", "three hundred"])
def test_the_state_of_each_agent_is_a_shape_and_a_word(page: Page, run: str) -> None:
    show(page, RUNS[run], done=False)
    state = fold(RUNS[run])
    known = {label(agent): agent for agent in state.agents.values() if agent.role == "sub-agent"}
    cells: list[dict[str, Any]] = page.evaluate(CELLS)
    assert {cell["label"].splitlines()[0] for cell in cells} == set(known)

    for cell in cells:
        agent = known[cell["label"].splitlines()[0]]
        now = agent.state_at(state.now)
        assert cell["state"] == now
        assert shape(now) in cell["text"]
        assert cell["label"].splitlines()[1] == state_word(now)


@pytest.mark.parametrize("run", ["three", "twenty", "a hundred", "a plan"])
def test_the_critical_path_is_the_one_that_decided(page: Page, run: str) -> None:
    show(page, RUNS[run])
    state = fold(RUNS[run])
    path = critical_path(state)
    wanted = {label(state.agents[id]) for id in path.agents if state.agents[id].stage}
    cells: list[dict[str, Any]] = page.evaluate(CELLS)
    marked = [cell["label"].splitlines() for cell in cells if cell["critical"]]
    assert {lines[0] for lines in marked} == wanted != set()
    assert all("on the critical path" in lines for lines in marked)
    said = page.get_by_role("listbox").get_attribute("aria-label")
    assert f"critical path: {label(state.agents[path.agents[0]])} → " in str(said)
    expect(page.locator(".kng-legend")).to_contain_text("critical path")


def test_the_picture_is_told_in_a_sentence(page: Page) -> None:
    show(page, staged((), (6, 9, 4), ())[:-20])
    said = str(page.get_by_role("listbox").get_attribute("aria-label"))
    assert "1 stage, 3 sub-agents: " in said
    assert "finished" in said
    assert "thinking" in said


def test_a_press_chooses_an_agent_and_one_beside_it_none(page: Page) -> None:
    show(page, RUNS["twenty"])
    cell = page.get_by_role("option", name="a05 ")
    cell.click()
    assert page.evaluate(SELECTED) == "a05"
    expect(cell).to_have_attribute("aria-selected", "true")
    assert page.locator("[aria-selected=true]", has_text="a05").count() == 1
    page.locator(".knw-graph svg").click(position={"x": 4, "y": 60})
    assert page.evaluate(SELECTED) == ""
    expect(cell).to_have_attribute("aria-selected", "false")
    cell.click()
    page.keyboard.press("Escape")
    assert page.evaluate(SELECTED) == ""


def test_keys_do_what_the_pointer_does(page: Page) -> None:
    show(page, RUNS["twenty"])
    assert page.evaluate(STOPS) == ["head"]
    page.get_by_role("tab", name="Graph").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "head"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    assert page.evaluate(FOCUSED) == "a00/5"
    page.keyboard.press("ArrowLeft")
    number = str(page.evaluate(FOCUSED)).removeprefix("#")
    assert page.evaluate(STOPS) == [f"#{number}"]
    page.keyboard.press("Enter")
    assert page.evaluate(SELECTED) == f"a{int(number):02d}"
    page.locator(".knw-inspector:focus").wait_for()
    page.keyboard.press("Escape")
    page.locator(f"[data-id='#{number}']:focus").wait_for()
    assert page.evaluate(SELECTED) == ""
    page.locator("[data-id='#9']").focus()
    assert page.evaluate(STOPS) == ["#9"]
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    assert page.evaluate(SELECTED) == "a00"


def test_what_is_chosen_is_where_the_tab_key_comes_to(page: Page) -> None:
    show(page, RUNS["twenty"], selected="a07")
    assert page.evaluate(STOPS) == ["#7"]


def test_only_the_cells_that_changed_are_touched(page: Page) -> None:
    trace = crowd(300)
    stage = show(page, until(trace, 12.0), done=False)
    page.wait_for_timeout(50)
    page.evaluate(WATCH)
    stage.desk.source = Recorded(until(trace, 12.08), done=False)
    message = stage.desk.beat()[0]
    message.pop("path", None)  # which is measured once a second
    page.evaluate("message => window.model.hear(message)", message)
    page.wait_for_function("() => window.touched.has('head')")
    sent = {agent["number"] for agent in message["agents"]}
    touched = set(page.evaluate("() => [...window.touched]")) - {"head", "a00/2"}
    assert 0 < len(touched) < 40
    assert touched <= {f"#{number}" for number in sent}


def test_in_the_past_who_had_not_begun_is_a_ghost(page: Page) -> None:
    trace = RUNS["twenty"]
    show(page, trace)
    page.locator(".knr input").evaluate(
        "slider => { slider.value = slider.max / 2; slider.dispatchEvent(new Event('input')); }"
    )
    expect(page.locator(".kng-agent[data-state=none]").first).to_be_visible()
    t = float(page.locator(".knr-time").inner_text().split(" s")[0])
    known = fold(until(trace, t)).agents
    cells: list[dict[str, Any]] = page.evaluate(CELLS)
    seen = {cell["label"].split()[0]: cell["state"] for cell in cells}
    assert {id for id, state in seen.items() if state != "none"} == set(known) - {"a00"}
    assert len(seen) == 20


def test_no_text_becomes_markup(page: Page) -> None:
    show(page, RUNS["hostile"])
    tags = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('.knw-graph *')].map(e => e.localName))]"
    )
    assert set(tags) <= {"p", "svg", "g", "rect", "text", "title", "path", "div", "span", "b", "i"}
    assert "<iframe" in page.locator(".kng-agent title").first.inner_html().replace("&lt;", "<")


def test_nothing_to_see_is_said(page: Page) -> None:
    Stage(page, Recorded(Trace([]), done=False))
    expect(page.get_by_text("No agent has begun yet.")).to_be_visible()
