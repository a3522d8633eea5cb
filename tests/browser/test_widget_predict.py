"""The widget of a prediction in a page: by hand, by keys, locked once, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hostile import HOSTILE
from playwright.sync_api import Browser, Page, expect
from predicting import Predicting
from stage import empty_page
from traces import Script

from kimi_nb.teach.guess import Guess
from kimi_nb.teach.predict import ask
from kimi_nb.trace import Trace
from kimi_nb.views.words import SIMULATOR
from kimi_nb.widgets.asked import GuessView

CARD = ".kimi-nb-predict"
COUNT = """() => {
  window.held = new Set();
  for (const kind of [window, document, document.body]) {
    const add = kind.addEventListener.bind(kind), remove = kind.removeEventListener.bind(kind);
    kind.addEventListener = (type, listener, ...rest) => {
      window.held.add(listener); add(type, listener, ...rest);
    };
    kind.removeEventListener = (type, listener, ...rest) => {
      window.held.delete(listener); remove(type, listener, ...rest);
    };
  }
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; no script in it may fail."""
    with empty_page(browser, 800, 700, "dialog") as made:
        yield made


def staged() -> Trace:
    script = Script(simulated=True)
    main = script.orchestrator()
    main.join(main.launch(6, 9, 4, 7))
    main.step(1.0)
    return script.end()


def guess(
    question: str = "How many critical steps?", of: Any = "critical_steps", **how: Any
) -> Guess:
    return Guess(ask(question, of, **how), GuessView)


def lock(page: Page) -> None:
    page.get_by_role("button", name="Lock my prediction").click()


def status(page: Page) -> Any:
    return page.get_by_role("status")


def test_a_number_is_typed_locked_and_shown_beside_the_truth(page: Page):
    asked = Predicting(page, guess())
    page.get_by_role("spinbutton").fill("12")
    lock(page)
    expect(status(page)).to_have_text("You said: 12 critical steps")
    assert asked.guess.value == 12
    expect(page.locator("input")).to_have_count(0)

    asked.guess.against(staged())
    asked.tell()
    expect(status(page)).to_contain_text("You said 12 critical steps, it was 11 critical steps")
    picture = page.get_by_role("img")
    assert "1 too many" in (picture.get_attribute("aria-label") or "")
    expect(picture).to_contain_text("◇ you said 12 critical steps")
    expect(picture).to_contain_text("● it was 11 critical steps")
    expect(page.locator(CARD)).to_contain_text(SIMULATOR)
    expect(page.locator(CARD)).to_contain_text("Made after the run had begun")


def test_without_a_number_nothing_is_locked(page: Page):
    asked = Predicting(page, guess())
    lock(page)
    expect(status(page)).to_have_text("Give a number first: type it, or move the slider.")
    assert asked.heard == []


def test_what_the_kernel_refuses_can_be_mended(page: Page):
    asked = Predicting(page, guess())
    page.get_by_role("spinbutton").fill("1.5")
    lock(page)
    expect(status(page)).to_contain_text("no whole number")
    page.get_by_role("spinbutton").fill("15")
    lock(page)
    expect(status(page)).to_have_text("You said: 15 critical steps")
    assert asked.guess.value == 15


def test_the_slider_and_its_box_are_one_and_grow(page: Page):
    Predicting(page, guess())
    slider, box = page.get_by_role("slider"), page.get_by_role("spinbutton")
    slider.press("ArrowRight")
    expect(box).to_have_value("1")
    box.fill("55")
    expect(slider).to_have_value("55")
    expect(slider).to_have_attribute("max", "80")
    slider.press("End")
    expect(box).to_have_value("80")
    expect(slider).to_have_attribute("max", "160")


def test_a_choice_by_keys_alone(page: Page):
    made = guess("Who is last?", lambda _: "opera", choices=["zoo", "opera", "museum"])
    asked = Predicting(page, made)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("You said: museum")
    assert asked.guess.value == "museum"
    assert page.evaluate("document.activeElement.className") == "knp-result"

    asked.guess.against(staged())
    asked.tell()
    rows = page.get_by_role("listitem")
    expect(rows.nth(0)).to_have_text("·zoo")
    expect(rows.nth(1)).to_have_text("✓operait was this")
    expect(rows.nth(2)).to_have_text("◇museumyou said this")


def test_a_curve_is_drawn_with_the_mouse(page: Page):
    asked = Predicting(page, guess("Draw.", "concurrency", curve=(20, 8)))
    box = page.locator(".knp-board").bounding_box()
    assert box is not None
    column, row = box["width"] / 40, box["height"] / 8
    page.mouse.move(box["x"] + 0.5 * column, box["y"] + 7 * row)
    page.mouse.down()
    page.mouse.move(box["x"] + 10.5 * column, box["y"] + 2 * row)
    page.mouse.move(box["x"] + 10.5 * column, box["y"] + 4 * row)
    page.mouse.move(box["x"] + 50 * column, box["y"] + 4 * row)
    page.mouse.up()
    page.mouse.move(box["x"], box["y"])
    assert page.evaluate("getSelection().toString()") == ""
    lock(page)
    expect(status(page)).to_contain_text("You said:")
    value = asked.guess.value
    assert isinstance(value, tuple)
    first, last = value[0], value[-1]
    assert first == (0.0, 1)
    assert last == (5.0, 4)  # from where the pointer came back down; beyond the edge is the edge
    assert max(n for _, n in value) == 6


def test_a_curve_is_drawn_by_keys_and_the_truth_over_it(page: Page):
    asked = Predicting(page, guess("Draw.", "concurrency", curve=(20, 8)))
    lock(page)
    expect(status(page)).to_have_text("Draw a curve first.")
    board = page.get_by_role("slider")
    board.focus()

    for _ in range(3):
        board.press("ArrowUp")

    expect(board).to_have_attribute("aria-valuetext", "from 0 s to 0.5 s: 3 agents")
    board.press("Shift+End")
    board.press("ArrowDown")
    expect(board).to_have_attribute("aria-valuetext", "from 19.5 s to 20 s: 2 agents")
    lock(page)
    expect(page.get_by_role("img")).to_be_visible()
    assert asked.guess.value == ((0.0, 3), (19.5, 2))

    asked.guess.against(staged())
    asked.tell()
    expect(status(page)).to_contain_text("agents away from the true one")
    expect(page.locator(".knp-legend")).to_have_text("you saidit was")
    paths = page.locator(".knp-axes .knp-curve")
    expect(paths).to_have_count(2)
    dashes = [path.evaluate("e => getComputedStyle(e).strokeDasharray") for path in paths.all()]
    assert sorted(dash == "none" for dash in dashes) == [False, True]


def test_a_drawing_is_cleared(page: Page):
    asked = Predicting(page, guess("Draw.", "concurrency", curve=True))
    board = page.get_by_role("slider")
    board.press("ArrowUp")
    expect(page.locator(".knp-read")).to_contain_text("the most are 1")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".knp-read")).to_have_text("Nothing is drawn yet.")
    lock(page)
    assert asked.heard == []


def test_every_place_shows_the_lock_and_asking_anew(page: Page):
    asked = Predicting(page, guess(), views=2)
    page.get_by_role("spinbutton").first.fill("12")
    page.get_by_role("button", name="Lock my prediction").first.click()
    expect(page.get_by_text("You said: 12 critical steps")).to_have_count(2)
    asked.guess.anew()
    asked.tell()
    expect(page.get_by_role("spinbutton")).to_have_count(2)
    expect(page.get_by_text("An earlier prediction: 12 critical steps")).to_have_count(2)
    expect(status(page).first).to_have_text("")


def test_two_places_have_radio_buttons_of_their_own(page: Page):
    Predicting(page, guess("Who?", len, choices=["a", "b"]), views=2)
    page.get_by_label("a", exact=True).first.check()
    page.get_by_label("b", exact=True).last.check()
    expect(page.get_by_label("a", exact=True).first).to_be_checked()


def test_a_kernel_that_does_not_answer_is_told(page: Page):
    page.clock.install()
    asked = Predicting(page, guess(), kernel=False)
    page.get_by_role("spinbutton").fill("12")
    lock(page)
    expect(status(page)).to_have_text("Sending …")
    page.clock.run_for(5000)
    expect(status(page)).to_contain_text("Until it answers, nothing is kept.")
    assert asked.guess.value is None


def test_hostile_texts_are_texts(page: Page):
    choices = [f"{number} {text}" for number, text in enumerate(HOSTILE)]
    made = guess(" ".join(HOSTILE), lambda _: choices[1], choices=choices)
    asked = Predicting(page, made)
    elements = page.locator(f"{CARD} :is(script, style, img, iframe, a, b, i)")
    expect(page.get_by_role("radio")).to_have_count(len(HOSTILE))
    assert elements.count() == 0
    page.get_by_role("radio").first.check()
    lock(page)
    expect(page.get_by_role("listitem")).to_have_count(len(HOSTILE))
    asked.guess.against(staged())
    asked.tell()
    expect(page.locator(".knp-right")).to_contain_text(HOSTILE[1])
    assert elements.count() == 0


@pytest.mark.parametrize("kind", ["number", "choice", "curve"])
def test_what_is_disposed_of_holds_on_to_nothing(page: Page, kind: str):
    page.evaluate(COUNT)
    options: dict[str, dict[str, Any]] = {
        "number": {},
        "choice": {"of": len, "choices": ["a", "b"]},
        "curve": {"of": "concurrency", "curve": True},
    }
    Predicting(page, guess(**options[kind]), views=2)
    assert page.evaluate("window.model.listeners.length") > 0
    page.evaluate("window.disposers.forEach((dispose) => { dispose(); dispose(); })")
    assert page.evaluate("window.model.listeners.length") == 0
    assert page.evaluate("window.held.size") == 0


INSIDE = """() => {
  const card = document.querySelector(".kimi-nb-predict").getBoundingClientRect();
  const boxes = [...document.querySelectorAll(".kimi-nb-predict *")].map((element) =>
    element.getBoundingClientRect());
  return boxes.length > 10 && boxes.every((box) =>
    box.left >= card.left - 1 && box.right <= card.right + 1);
}"""


@pytest.mark.parametrize("said", [0, 11, 10**9])
def test_nothing_sticks_out_of_a_narrow_page(page: Page, said: int):
    page.set_viewport_size({"width": 360, "height": 700})
    Predicting(page, guess().lock(said).against(staged()))
    assert page.evaluate(INSIDE)
