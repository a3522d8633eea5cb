"""Critical steps and rewards in a browser: what one sees, and what pointer and keys do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from crowds import crowd, until
from hostile import hostile_trace
from playwright.sync_api import Browser, Page, expect
from stage import DARK, Recorded, Stage, empty_page
from traces import Script, staged

from kimi_nb.events import IterationEnded
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.train import train
from kimi_nb.trace import Trace
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.critical import metrics
from kimi_nb.views.rewards import COLUMNS

GUARD = """() => {
    window.held = 0;
    for (const target of [window, document, MediaQueryList.prototype]) {
        const { addEventListener: add, removeEventListener: remove } = target;
        target.addEventListener = function (...given) { held++; return add.apply(this, given); };
        target.removeEventListener = function (...given) {
            held--; return remove.apply(this, given);
        };
    }
    for (const name of ["ResizeObserver", "MutationObserver"]) {
        window[name] = class extends window[name] {
            observe(...given) { held += this.on ? 0 : 1; this.on = true; super.observe(...given); }
            disconnect() { held -= this.on ? 1 : 0; this.on = false; super.disconnect(); }
        };
    }
}"""
INK = """([at, colour]) => {
    const canvas = document.querySelectorAll(".krw-chart canvas")[at];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) {
        found += colour.every((part, k) => Math.abs(data[i + k] - part) < 3) && data[i + 3] > 250;
    }
    return found;
}"""
MOUNTED = """async ([view, snapshot, seen]) => {
    const script = view === "reward" ? "/training.js" : "/swarm.js";
    const widget = (await import(script)).default;
    const model = new Model({ snapshot, view, selected: "" });
    model.send = () => {};
    const el = document.body.appendChild(document.createElement("div"));
    window.before = held;
    const dispose = await widget.render({ model, el });
    await new Promise(done => setTimeout(done, 200));
    window.drawn = el.querySelectorAll(seen).length;
    window.during = held;
    dispose();
    window.after = held;
}"""
PERF, CRIT, WHITE = (143, 103, 207), (207, 122, 16), (255, 255, 255)
ANNEALED = {"parallel": Schedule(0.3, 0.0, "linear", 0.7)}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1000, 900) as page:
        yield page


@pytest.fixture(scope="module")
def trained() -> Trace:
    return train(ANNEALED, Plan(iterations=60, seed=2, tasks=8, rollouts=8)).result()


def shown(page: Page, trace: Trace, *, done: bool = True, selected: str = "") -> Stage:
    return Stage(page, Recorded(trace, done=done), view="critical", selected=selected)


def inked(page: Page, where: list[Any], most: int) -> None:
    """More than so many points of a chart come to have a colour: they are drawn after the words."""
    page.wait_for_function(f"([where, most]) => ({INK})(where) > most", arg=[where, most])


def row(page: Page, at: int) -> str:
    return re.sub(r"\s+", " ", page.locator(".kcs-stages > li:not([hidden])").nth(at).inner_text())


def test_stages_add_up_to_the_critical_steps_of_the_log(page):
    trace = crowd(20)
    found = metrics(trace)
    shown(page, trace)

    said = f"{found.critical_steps} critical steps of {found.total_steps} steps in all · budget 60"
    expect(page.locator(".kcs-sum")).to_have_text(said)
    last = page.locator(".kcs-stages > li:not([hidden]) .kcs-count").last
    expect(last).to_contain_text(f"total {found.critical_steps}")


def test_a_stage_names_who_was_waited_for(page):
    shown(page, staged((), (2, 5, 3), (1,), ()))

    assert row(page, 0) == "Stage 1 main agent alone 1 total 1"
    assert row(page, 1).startswith("Stage 2 3 sub-agents 1 + 5 = 6 total 7 slowest: a02")
    assert row(page, 1).endswith("5 steps · the others 2.5 on average")
    assert row(page, 2).endswith("1 step")


def test_the_slowest_sub_agent_is_chosen_by_pointer_and_by_key(page):
    shown(page, staged((2, 5, 3), (4, 1)))
    names = page.locator(".kcs-link")
    names.nth(0).click()

    assert page.evaluate("window.model.get('selected')") == "a02"
    expect(page.locator(".kcs-slow[data-chosen]")).to_have_count(1)

    names.nth(1).focus()
    page.keyboard.press("Enter")

    assert page.evaluate("window.model.get('selected')") == "a04"


def test_another_chosen_agent_is_shown_among_those_that_wait(page):
    shown(page, staged((2, 5, 3)), selected="a01")

    assert row(page, 0).endswith("chosen: a01 w0, 2 steps")
    expect(page.locator(".kcs-chosen:not([hidden])")).to_have_count(1)


def test_bars_are_as_long_as_the_steps(page):
    shown(page, staged((2, 5, 3), (3, 1)))
    main, first = (page.locator(f".kcs-strip .kcs-{name}").nth(0) for name in ("main", "slow"))
    second = page.locator(".kcs-strip .kcs-slow").nth(1)
    widths = [one.bounding_box()["width"] for one in (main, first, second)]

    assert widths[1] == pytest.approx(5 * widths[0], abs=1)
    assert widths[2] == pytest.approx(3 * widths[0], abs=1)


def test_a_single_agent_is_one_row_and_sixty_stages_are_sixty(page):
    script = Script(options="{}")
    main = script.orchestrator()

    for _ in range(30):
        main.step(1.0)

    for _ in range(60):
        main.launch(2, 1)

    shown(page, script.end())

    assert row(page, 0) == "Stages 1–30 main agent alone 30 total 30"
    expect(page.locator(".kcs-stages > li")).to_have_count(61)
    expect(page.locator(".kcs-cut")).to_have_count(1)
    assert page.locator(".kcs-stages").bounding_box()["height"] < 500
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_live_run_says_so_and_changes_only_what_has_changed(page):
    trace = crowd(20)
    source = Recorded(until(trace, 24.0), done=False)
    stage = Stage(page, source, view="critical")

    expect(page.locator(".kcs-sum")).to_have_text(re.compile("^So far: "))
    assert "so far" in row(page, 2)

    page.evaluate("window.first = document.querySelector('.kcs-stages > li')")
    page.evaluate("""() => {
        window.changes = 0;
        new MutationObserver(all => { changes += all.length; })
            .observe(first, { subtree: true, childList: true, attributes: true });
    }""")
    source.records, source.done = trace, True
    stage.beat()

    expect(page.locator(".kcs-sum")).to_have_text(re.compile(r"^\d+ critical"))
    expect(page.locator(".kcs-stages > li:not([hidden])")).to_have_count(5)
    assert page.evaluate("first.isConnected && changes === 0")


def test_a_click_on_the_profile_goes_to_that_time(page):
    trace = crowd(20)
    stage = shown(page, trace)
    expect(page.locator(".kcs-veil")).to_be_hidden()
    profile = page.locator(".kcs-profile")
    profile.click(position={"x": profile.bounding_box()["width"] * 0.3, "y": 40})

    expect(page.locator(".kcs-veil")).to_be_visible()
    (asked,) = [one["t"] for one in stage.questions if one["kind"] == "at"]
    assert asked == pytest.approx(trace[-1].t * 0.3, rel=0.02)
    then = metrics(until(trace, asked))
    expect(page.locator(".kcs-sum")).to_have_text(
        f"At {asked:.1f} s: {then.critical_steps} critical steps of {then.total_steps} steps"
        " in all · budget 60"
    )
    expect(page.locator(".kcs-veil")).to_be_visible()
    assert "in the end" in row(page, 1)
    assert "not begun" in row(page, 3)
    assert f"at {asked:.1f} s: " in page.locator(".kcs-below section").first.inner_text()
    assert f"{then.critical_steps} of 60" in page.locator(".kcs-limits").inner_text()


def test_the_profile_tells_its_peak_and_average(page):
    trace = staged((), (2, 2, 2))
    shown(page, trace)
    average = metrics(trace).average_concurrency

    told = page.locator(".kcs-below section").first
    expect(told).to_contain_text(f"peak 3 at 2.0 s · average {average:.1f}")


def test_without_a_budget_there_is_no_bar_of_it(page):
    shown(page, staged((1,)))

    expect(page.locator(".kcs-profile")).to_be_visible()
    expect(page.locator(".kcs-limits")).to_be_hidden()


def test_every_limit_has_its_number_and_unit(page):
    limits = {"agents": 3, "steps": 40, "critical_steps": 4, "tokens": 9000, "seconds": 60}
    script = Script(options=json.dumps({"budget": limits}))
    script.orchestrator().launch(2, 3)
    shown(page, script.end())
    told = page.locator(".kcs-limits").inner_text()

    assert re.findall(r"^[A-Z].*$", told, re.MULTILINE) == [
        *("Critical steps", "Steps", "Agents", "Tokens", "Time"),
    ]
    assert "4 of 4 critical steps · ▲ all used" in re.sub(r"\s*\n\s*", " ", told)
    assert "2 of 3 agents · 1 left" in told


@pytest.mark.parametrize("width", [1200, 480])
@pytest.mark.parametrize("view", ["critical", "reward"])
def test_it_fits_its_width(page, width, view, trained):
    page.set_viewport_size({"width": width, "height": 800})
    Stage(page, Recorded(crowd(100) if view == "critical" else trained), view=view)
    page.wait_for_timeout(50)

    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_hostile_names_stay_text(page):
    shown(page, hostile_trace("<b>bold</b><img src=x>"), selected="a01")

    expect(page.locator(".kcs-link:visible").first).to_be_visible()
    assert page.locator(".kcs-critical :is(script, img, iframe, a)").count() == 0


def test_a_training_is_told_in_numbers(page, trained):
    last = trained[-2].fact
    assert isinstance(last, IterationEnded)
    Stage(page, Recorded(trained), view="reward")
    told = page.locator(".krw-panels").inner_text()

    for name in ("r_parallel", "r_finish", "r_perf", "total"):
        value = getattr(last, name)
        assert re.search(rf"{name}\s+{value:.2f}\b", told), name

    assert re.search(rf"critical steps\s+{last.critical_steps:.1f}\b", told)
    assert re.search(rf"success\s+{round(last.success * 100)} %", told)
    assert "λ_parallel 0.3 → 0, linear until 70 % of the training" in told
    expect(page.locator(".krw-reading")).to_contain_text("latest: iteration 60")
    expect(page.locator(".krw-reading")).to_contain_text("moving average over about 3 iterations")


def test_every_number_of_an_iteration_is_drawn(page, trained):
    Stage(page, Recorded(trained), view="reward")
    names = page.locator(".krw-entry:visible")

    expect(names).to_have_count(len(COLUMNS) - len({"iteration", "progress"}))
    inked(page, [0, PERF], 100)
    inked(page, [2, CRIT], 100)


def test_keys_go_from_iteration_to_iteration(page, trained):
    rows = [record.fact for record in trained if isinstance(record.fact, IterationEnded)]
    Stage(page, Recorded(trained), view="reward")
    slider = page.locator(".krw-readout")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")

    expect(slider).to_have_text("iteration 2")
    expect(slider).to_have_attribute("aria-valuenow", "2")
    said = slider.get_attribute("aria-valuetext") or ""
    assert f"r_perf {rows[1].r_perf:.2f}" in said
    assert f"λ_parallel {rows[1].lambda_parallel:.2f}" in said

    page.keyboard.press("PageUp")
    expect(slider).to_have_text("iteration 8")
    page.keyboard.press("Escape")
    expect(slider).to_have_text("latest: iteration 60")


def test_the_pointer_shows_the_values_of_an_iteration_in_every_panel(page, trained):
    Stage(page, Recorded(trained), view="reward")
    over = page.locator(".krw-chart .u-over")
    box = over.nth(1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)

    expect(page.locator(".krw-readout")).to_have_text(re.compile(r"^iteration (30|31)$"))
    lines = page.locator(".krw-chart .u-cursor-x")
    lefts = {round(lines.nth(at).bounding_box()["x"]) for at in range(5)}
    assert len(lefts) == 1

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 200)
    expect(page.locator(".krw-readout")).to_have_text("latest: iteration 60")


def test_iterations_stream_in(page, trained):
    source = Recorded(trained[:13], done=False)
    stage = Stage(page, source, view="reward")
    expect(page.locator(".krw-readout")).to_have_text("latest: iteration 10")
    inked(page, [0, PERF], 0)
    before = page.evaluate(INK, [0, PERF])
    canvas = page.evaluate_handle("document.querySelector('.krw-chart canvas')")
    source.records, source.done = trained, True
    stage.beat()

    expect(page.locator(".krw-readout")).to_have_text("latest: iteration 60")
    inked(page, [0, PERF], before)
    assert canvas.evaluate("canvas => canvas.isConnected")


def test_the_first_iteration_is_seen_and_none_is_no_fault(page, trained):
    source = Recorded(trained[:3], done=False)
    stage = Stage(page, source, view="reward")
    expect(page.locator(".krw-readout")).to_have_text("no iteration yet")
    source.records = trained[:4]
    stage.beat()

    expect(page.locator(".krw-readout")).to_have_text("latest: iteration 1")
    inked(page, [0, PERF], 0)


def test_the_curves_follow_the_theme(page, trained):
    Stage(page, Recorded(trained), view="reward")
    expect(page.locator(".krw-readout")).to_have_text("latest: iteration 60")
    inked(page, [0, PERF], 0)
    assert page.evaluate(INK, [0, WHITE]) == 0

    for name, colour in DARK.items():
        page.evaluate("([n, c]) => document.body.style.setProperty(n, c)", [name, colour])

    inked(page, [0, WHITE], 10)  # the total is drawn in the colour of text


def test_the_curves_follow_the_width(page, trained):
    Stage(page, Recorded(trained), view="reward")
    page.wait_for_timeout(50)
    wide = page.locator(".krw-chart canvas").first.bounding_box()["width"]
    page.set_viewport_size({"width": 600, "height": 900})
    page.wait_for_timeout(100)

    assert page.locator(".krw-chart canvas").first.bounding_box()["width"] == pytest.approx(
        wide - 400, abs=2
    )


@pytest.mark.parametrize(("view", "seen"), [("critical", ".kcs-link"), ("reward", ".u-over")])
def test_what_is_held_outside_is_let_go(page, view, seen, trained):
    trace = crowd(3) if view == "critical" else trained
    stage = Stage(page, Recorded(trace), view=view)  # what the script holds itself, once a page
    expect(page.locator(f"{seen}:visible").first).to_be_visible()
    page.evaluate(GUARD)
    snapshot = orjson.dumps(stage.desk.snapshot).decode()
    page.evaluate(MOUNTED, [view, snapshot, seen])

    assert page.evaluate("drawn") > 0
    assert page.evaluate("during") > page.evaluate("before")
    assert page.evaluate("after") == page.evaluate("before")
