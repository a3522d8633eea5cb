"""The widget of a quiz in a page: by hand, by keys, told at once, and open for a second try."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile import HOSTILE
from playwright.sync_api import Browser, Locator, Page, expect
from predicting import Answering
from stage import empty_page

from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.sitting import Sitting
from kimi_nb.teach.text import Text
from kimi_nb.widgets.asked import QuizView

CARD = ".kimi-nb-quiz"
RIGHT, MEAN, SUM = "The slowest one", "The mean one", "All of them together"
TRUTH = MISCONCEPTIONS["M3"].truth


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; no script in it may fail."""
    with empty_page(browser, 800, 700, "dialog") as made:
        yield made


def item(asks: str, texts: tuple[str, str, str] = (RIGHT, MEAN, SUM)) -> QuizItem:
    options = zip(texts, ("慢", "平均", "全部"), ("", "M3", "M5"), strict=True)
    return QuizItem(
        asks=Text(asks, "阶段何时结束？"),
        options=tuple(Option(says=Text(en, zh), key=key) for en, zh, key in options),
        because=Text("Everyone waits for it.", "大家都在等它。"),
    )


def quiz(*items: QuizItem) -> Sitting:
    asked = items or (item("What ends a stage?"), item("And the next one?"))
    return Sitting(Quiz(id="quiz98", items=asked), "anna", QuizView)


def option(page: Page, text: str, number: int = 1) -> Locator:
    return page.get_by_role("group").nth(number - 1).get_by_role("button", name=text)


def told(page: Page, number: int = 1) -> Locator:
    return page.get_by_role("group").nth(number - 1).get_by_role("status")


def test_a_wrong_answer_is_undone_and_mended(page: Page):
    asked = Answering(page, quiz())
    expect(page.get_by_role("group", name="1. What ends a stage?")).to_be_visible()
    option(page, MEAN).click()
    expect(told(page)).to_contain_text(TRUTH.en)
    expect(told(page)).to_contain_text("once more")
    expect(told(page)).not_to_contain_text("Everyone waits")
    expect(option(page, MEAN)).to_contain_text("✘ not this one")
    expect(page.get_by_text("✔")).to_have_count(0)
    expect(page.locator(CARD)).to_contain_text("0 of 2 right at the first try")

    option(page, RIGHT).click()
    expect(told(page)).to_contain_text("Everyone waits for it.")
    expect(option(page, RIGHT)).to_contain_text("✔ right")
    assert asked.quiz.right == 0

    option(page, RIGHT, 2).click()
    expect(page.locator(CARD)).to_contain_text("1 of 2 right at the first try")
    assert asked.quiz.done


def test_what_was_answered_cannot_be_pressed_again(page: Page):
    asked = Answering(page, quiz())
    option(page, MEAN).click()
    expect(option(page, MEAN)).to_have_attribute("aria-disabled", "true")
    option(page, MEAN).click(force=True)
    option(page, RIGHT).click()
    expect(option(page, SUM)).to_have_attribute("aria-disabled", "true")
    option(page, SUM).click(force=True)
    assert len(asked.heard) == 2


def test_by_keys_alone_and_the_place_is_kept(page: Page):
    Answering(page, quiz())
    option(page, MEAN).focus()
    page.keyboard.press("Enter")
    expect(told(page)).to_contain_text(TRUTH.en)
    expect(option(page, MEAN)).to_be_focused()
    option(page, RIGHT).focus()
    page.keyboard.press("Space")
    expect(told(page)).to_contain_text("Everyone waits for it.")
    expect(option(page, RIGHT)).to_be_focused()


def test_every_place_shows_the_answer(page: Page):
    asked = Answering(page, quiz(), views=2)
    option(page, RIGHT).click()
    expect(page.get_by_text("Everyone waits for it.")).to_have_count(2)
    asked.quiz.answer(2, next(iter(asked.quiz.form()["items"][1]["options"]))[0])
    asked.tell()
    expect(page.locator(".knq-right, .knq-wrong")).to_have_count(4)


def test_in_chinese(page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "zh")
    Answering(page, quiz())
    option(page, "平均").click()
    expect(told(page)).to_contain_text(TRUTH.zh)
    expect(option(page, "平均")).to_contain_text("✘ 不是这个")
    expect(page.locator(CARD)).to_contain_text("测验：2 题中首次答对 0 题")


def test_a_kernel_that_does_not_answer_is_told(page: Page):
    page.clock.install()
    asked = Answering(page, quiz(), kernel=False)
    option(page, RIGHT).click()
    expect(page.get_by_text("Sending …")).to_be_visible()
    page.clock.run_for(5000)
    expect(page.locator(CARD)).to_contain_text("Until it answers, nothing is kept.")
    assert asked.quiz.right == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_texts(page: Page, text: str):
    hostile = item(text, (f"1 {text}", f"2 {text}", f"3 {text}"))
    Answering(page, quiz(hostile))
    elements = page.locator(f"{CARD} :is(script, style, img, iframe, a, b, i)")
    page.get_by_role("button").first.click()
    expect(page.get_by_role("button")).to_have_count(3)
    expect(page.locator(".knq-right, .knq-wrong")).to_have_count(1)
    assert elements.count() == 0


INSIDE = """() => {
  const card = document.querySelector(".kimi-nb-quiz").getBoundingClientRect();
  const boxes = [...document.querySelectorAll(".kimi-nb-quiz *")]
    .map((element) => element.getBoundingClientRect())
    .filter((box) => box.width > 0);
  return boxes.length > 10 && boxes.every((box) =>
    box.left >= card.left - 1 && box.right <= card.right + 1);
}"""


def test_nothing_sticks_out_of_a_narrow_page(page: Page):
    page.set_viewport_size({"width": 320, "height": 700})
    long = item("Why " + "so " * 60, ("x" * 120, "word " * 30, "short"))
    Answering(page, quiz(long).answer(1, "a"))
    assert page.evaluate(INSIDE)
