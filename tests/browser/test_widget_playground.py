"""The playground in a browser: sliders and keys, what is re-weighed, trained and shown of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hostile import HOSTILE
from learners import OFF, known, trainer
from playstage import PlayStage
from playwright.sync_api import Browser, Locator, Page, expect
from stage import MOUNT, empty_page, open_page
from test_widget_timeline import GUARD

from kimi_nb import events as e
from kimi_nb.trace import Record
from kimi_nb.views.anneal import Schedule

FALLING = Schedule(0.4, 0.0, "linear", 0.5)
TRACE = known(FALLING)
LEAVE = "() => window.disposers.forEach((dispose) => dispose())"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with empty_page(browser, 1200, 800) as page:
        yield page


def weight(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name, exact=True)


def slider(page: Page, name: str, of: str) -> Locator:
    return weight(page, name).get_by_role("slider", name=re.compile(f"^{of}"))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def lines(page: Page) -> list[str]:
    """The reward with its numbers, line by line."""
    texts = page.locator(".kpg-lines p:visible").all_inner_texts()
    return [" ".join(text.split()) for text in texts]


def iterations(records: Iterable[Record]) -> list[e.IterationEnded]:
    return [record.fact for record in records if isinstance(record.fact, e.IterationEnded)]


def asked(stage: PlayStage, kind: str) -> list[dict[str, Any]]:
    return [question for question in stage.questions if question["kind"] == kind]


# A recorded training.


def test_a_recorded_training_is_shown_as_it_was(page: Page) -> None:
    PlayStage(page, TRACE)
    expect(page.locator(".kpg-meaning")).to_contain_text(
        "the recorded schedule (λ_parallel 0.4 → 0, linear until 50\u00a0%; λ_finish 0 constant)"
    )
    expect(page.locator(".kpg-meaning")).to_contain_text("does not retrain")
    expect(slider(page, "λ_parallel", "start")).to_have_value("0.4")
    expect(slider(page, "λ_parallel", "until")).to_have_value("0.5")
    expect(weight(page, "λ_parallel").get_by_role("radio", name="linear")).to_be_checked()
    expect(slider(page, "λ_finish", "end")).to_be_disabled()
    assert lines(page) == [
        "reward: total = λ_parallel·r_parallel + λ_finish·r_finish + r_perf",
        "iteration 10: total 0.50 = 0.00·1.00 + 0.00·0.90 + 0.50",
    ]
    expect(page.get_by_text("re-weighed total")).to_be_hidden()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()


def test_a_preset_re_weighs_what_was_recorded(page: Page) -> None:
    stage = PlayStage(page, TRACE)
    press(page, "0.5 constant")
    expect(page.get_by_text("re-weighed total")).to_be_visible()
    assert lines(page)[1:] == [
        "iteration 10: total 0.50 = 0.00·1.00 + 0.00·0.90 + 0.50",
        "re-weighed: total 1.00 = 0.50·1.00 + 0.00·0.90 + 0.50",
    ]
    assert len(asked(stage, "set")) == 1
    pressed = page.locator(".kpg-presets [aria-pressed=true]")
    expect(pressed).to_have_text("0.5 constant")
    expect(slider(page, "λ_parallel", "end")).to_be_disabled()


def test_keys_move_a_slider_and_the_kernel_is_told_once_it_rests(page: Page) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(1)
    stage = PlayStage(page, TRACE)
    page.clock.run_for(100)
    start = slider(page, "λ_parallel", "start")
    curve = weight(page, "λ_parallel").get_by_role("img")
    told = curve.get_attribute("aria-label") or ""
    assert told.startswith("λ_parallel over the training: 0.40 at 0 %, 0.20 at 25 %, 0.00 at 50 %")
    start.focus()

    for _ in range(10):
        page.keyboard.press("ArrowLeft")
        page.clock.run_for(50)

    expect(start).to_have_attribute("aria-valuetext", "λ start 0.30")
    expect(curve).to_have_attribute("aria-label", re.compile("0.30 at 0 %, 0.15 at 25 %, 0.00 at"))
    assert asked(stage, "set") == []
    page.clock.run_for(500)
    page.clock.resume()
    expect(page.get_by_text("λ_parallel as set")).to_be_visible()
    (question,) = asked(stage, "set")
    assert question["schedules"] == {"parallel": [0.3, 0, "linear", 0.5]}
    assert stage.steering.schedules["parallel"] == Schedule(0.3, 0, "linear", 0.5)


def test_a_shape_is_chosen_with_the_keys(page: Page) -> None:
    stage = PlayStage(page, TRACE)
    weight(page, "λ_parallel").get_by_role("radio", name="linear").focus()
    page.keyboard.press("ArrowRight")
    expect(weight(page, "λ_parallel").get_by_role("radio", name="cosine")).to_be_checked()
    expect(page.get_by_text("λ_parallel as set")).to_be_visible()
    assert asked(stage, "set")[-1]["schedules"] == {"parallel": [0.4, 0, "cosine", 0.5]}
    weight(page, "λ_parallel").get_by_role("radio", name="step").check()
    expect(weight(page, "λ_parallel").get_by_text("at", exact=True)).to_be_visible()


def test_the_formula_is_that_of_the_iteration_pointed_at(page: Page) -> None:
    PlayStage(page, TRACE)
    press(page, "0.5 constant")
    expect(page.get_by_text("re-weighed total")).to_be_visible()
    page.get_by_role("slider", name="Iteration").focus()

    for _ in range(8):
        page.keyboard.press("ArrowLeft")

    assert lines(page)[1:] == [
        "iteration 2: total 0.16 = 0.32·0.20 + 0.00·0.90 + 0.10",
        "re-weighed: total 0.20 = 0.50·0.20 + 0.00·0.90 + 0.10",
    ]


def test_two_places_show_the_same_sliders(page: Page) -> None:
    PlayStage(page, TRACE, views=2)
    page.get_by_role("button", name="0.3 → 0", exact=True).first.click()
    starts = page.get_by_role("slider", name=re.compile("^start"))
    expect(starts.nth(2)).to_have_value("0.3")
    assert [starts.nth(n).input_value() for n in range(4)] == ["0.3", "0", "0.3", "0"]


def test_a_value_beyond_the_scale_is_kept(page: Page) -> None:
    stage = PlayStage(page, known(Schedule(2.5, 0.125, "linear", 0.555)))
    expect(slider(page, "λ_parallel", "start")).to_have_value("2.5")
    expect(slider(page, "λ_parallel", "end")).to_have_value("0.125")
    expect(slider(page, "λ_parallel", "until")).to_have_value("0.555")
    expect(page.get_by_text("re-weighed total")).to_be_hidden()
    assert asked(stage, "set") == []


def test_without_a_kernel_the_snapshot_is_shown_and_it_is_told(browser: Browser) -> None:
    page = browser.new_page()
    page.clock.install(time=0)
    open_page(page)
    stage = PlayStage(page, TRACE)
    whole = stage.steering.snapshot
    page.evaluate(
        """async (snapshot) => {
            document.body.replaceChildren();
            window.ask = async () => [];
            const widget = (await import("/playground.js")).default;
            widget.render({ model: new Model({ snapshot }), el: document.body });
        }""",
        json.dumps(whole),
    )
    page.clock.fast_forward(5000)
    expect(page.locator(".kpg-told")).to_contain_text("The kernel does not answer")
    assert lines(page)[1] == "iteration 10: total 0.50 = 0.00·1.00 + 0.00·0.90 + 0.50"
    press(page, "0.5 constant")
    expect(slider(page, "λ_parallel", "start")).to_have_value("0.5")
    page.close()


# Trainings that run.


def test_a_slider_steers_a_training_that_runs(page: Page) -> None:
    training = trainer(iterations=3000, pause=0.02)({"parallel": FALLING, "finish": OFF})
    stage = PlayStage(page, training)
    expect(page.locator(".kpg-meaning")).to_contain_text("from the next iteration on")
    press(page, "0.5 constant")

    while not any(row.lambda_parallel == 0.5 for row in iterations(training.records)):
        page.wait_for_timeout(10)

    stage.beat()
    expect(page.get_by_text("λ_parallel as set")).to_be_visible()
    training.cancel()
    training.result()
    stage.beat()
    expect(page.locator(".kpg-meaning")).to_contain_text("λ_parallel 0.5 constant from iteration")
    assert "= 0.50·" in lines(page)[1]
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()


def test_train_stop_and_train_again(page: Page) -> None:
    begin = trainer(iterations=2000, pause=0.02)
    stage = PlayStage(page, trainer=begin)
    expect(page.locator(".kpg-meaning")).to_contain_text("No training yet")
    press(page, "published 0.1 → 0")
    press(page, "Train")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()

    while not iterations(stage.steering.source.records):  # type: ignore[union-attr]
        page.wait_for_timeout(10)

    stage.beat()
    press(page, "Stop")
    stage.steering.source.result()  # type: ignore[union-attr]
    stage.beat()
    expect(page.locator(".krw-status")).to_contain_text("cancelled")
    press(page, "0.5 constant")
    press(page, "Train")
    expect(page.locator(".kpg-sessions tbody tr")).to_have_count(2)
    rows = page.locator(".kpg-sessions tbody tr").all_inner_texts()
    assert rows[1].split()[0] == "1"
    assert "λ_parallel 0.1 → 0, linear until 100\u00a0%" in rows[1]
    press(page, "Stop")
    stage.steering.source.result()  # type: ignore[union-attr]


def test_a_fault_is_told_and_the_page_goes_on(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> Any:
        raise ZeroDivisionError

    PlayStage(page, trainer=fail)
    press(page, "Train")
    expect(page.locator(".kpg-told")).to_contain_text("the trainer failed")
    assert "ZeroDivisionError" in caplog.text
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()


# How it looks and behaves on any page.


@pytest.mark.parametrize("width", [360, 480, 760, 1200])
def test_nothing_is_wider_than_the_page(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    stage = PlayStage(page, trainer=trainer(iterations=4))

    for name in ("0.5 constant", "published 0.1 → 0"):
        press(page, name)
        press(page, "Train")
        stage.steering.source.result()  # type: ignore[union-attr]
        stage.beat()

    press(page, "0.3 → 0")
    expect(page.get_by_text("re-weighed total")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_words_of_a_log_stay_words(page: Page) -> None:
    PlayStage(page, known(FALLING, what=" ".join(HOSTILE)))
    expect(page.locator(".krw-status")).to_contain_text("<script>alert(1)</script>")
    assert page.locator(".kimi-nb-view :is(script, img, iframe, a, form)").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_messages_that_make_no_sense_break_nothing(page: Page) -> None:
    stage = PlayStage(page, TRACE)
    page.evaluate(
        """() => {
            for (const message of [
                { kind: "set", run: 1, schedules: { parallel: "x" }, lambdas: [], totals: [] },
                { kind: "rows", run: 9, from: 3, to: 4, recorded: "", rewards: { rows: [] } },
                { kind: "told", text: "<b>bold</b>" },
            ]) { window.model.hear(message); }
        }"""
    )
    expect(page.locator(".kpg-told")).to_have_text("<b>bold</b>")
    assert len(asked(stage, "sync")) == 2
    assert lines(page)[1].startswith("iteration 10: total 0.50 =")


def test_everything_has_a_name_and_room(page: Page) -> None:
    stage = PlayStage(page, trainer=trainer(iterations=4))
    press(page, "Train")
    stage.steering.source.result()  # type: ignore[union-attr]
    stage.beat()
    found = page.locator(".kimi-nb-playground :is(button, input, [role=slider])")
    expect(found.first).to_be_visible()
    boxes = [found.nth(n).bounding_box() for n in range(found.count())]
    labels = page.locator(".kpg-shapes label, .kpg-slider")
    rooms = [labels.nth(n).bounding_box() for n in range(labels.count())]
    assert len([box for box in boxes if box]) >= 21
    assert all(box["height"] >= 20 for box in rooms if box)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll(".kimi-nb-playground :is(input, [role=slider])")]
            .filter((e) => !e.labels?.length && !e.getAttribute("aria-label")).length"""
    )
    assert unnamed == 0


def test_nothing_is_left_behind(page: Page) -> None:
    """What uPlot itself holds, from its first use on, does not grow."""
    page.evaluate(GUARD)
    PlayStage(page, TRACE, views=2)
    page.get_by_role("button", name="0.3 → 0", exact=True).first.click()
    assert page.evaluate("window.model.listeners.length") > 0
    page.evaluate(LEAVE)
    assert page.evaluate("window.model.listeners.length") == 0
    assert page.locator(".kimi-nb-view").count() == 0
    held = page.evaluate("window.held")
    page.evaluate(MOUNT, ["playground", {"snapshot": ""}, 2])
    expect(page.locator(".u-wrap").first).to_be_visible()
    assert page.evaluate("window.held") > held
    page.evaluate(LEAVE)
    assert page.evaluate("window.held") == held
