"""Quizzes and questions of the curriculum: whole, fair, and answered as they ought to be."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import chain
from math import sqrt
from typing import Any

import pytest
from hostile import HOSTILE, Page, unsafe_characters
from hypothesis import given, settings
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.errors import UsageFault
from kimi_nb.teach import curriculum, guess, page
from kimi_nb.teach import sitting as kept
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.predict import ask
from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.sitting import Sitting
from kimi_nb.teach.text import Text
from kimi_nb.widgets.asked import QuizView

CHINESE = re.compile("[\u4e00-\u9fff]")
RIGHT = "The slowest one"


def item(asks: str = "What ends a stage?", right: str = RIGHT) -> QuizItem:
    return QuizItem(
        asks=Text(asks, "阶段何时结束？"),
        options=(
            Option(says=Text(right, "最慢的那个")),
            Option(says=Text("The mean one", "平均的那个"), key="M3"),
            Option(says=Text("The first one", "最早的那个"), key="M7"),
        ),
        because=Text("Everyone waits for it.", "大家都在等它。"),
    )


QUIZ = Quiz(id="quiz98", items=(item(), item("Once more?"), item("And now?")))


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", {})
    monkeypatch.setattr(guess, "KEPT", {})


def sat(quiz: Quiz = QUIZ, who: str = "anna") -> Sitting:
    return Sitting(quiz, who, QuizView)


def letter(quiz: Sitting, text: str, number: int = 1) -> str:
    """That of an option of an item."""
    options = quiz.form()["items"][number - 1]["options"]
    return next(name for name, says in options if says == text)


# One that is held.


def test_a_right_answer_says_why():
    quiz = sat()
    quiz.answer(1, letter(quiz, RIGHT))
    assert (quiz.right, quiz.done) == (1, False)
    assert f"{letter(quiz, RIGHT)} is right. Everyone waits for it." in repr(quiz)
    assert "Quiz: 1 of 3 right at the first try" in repr(quiz)


def test_a_wrong_answer_tells_the_truth_and_not_yet_the_answer():
    quiz = sat()
    quiz.answer(1, letter(quiz, "The mean one"))
    text = repr(quiz)
    assert MISCONCEPTIONS["M3"].truth.en in text
    assert "✘ not this one" in text
    assert "Everyone waits" not in text
    assert "✔" not in text


def test_the_second_try_ends_it_and_the_first_one_counts():
    quiz = sat()
    quiz.answer(1, letter(quiz, "The mean one")).answer(1, letter(quiz, RIGHT))
    quiz.answer(2, letter(quiz, "The mean one", 2)).answer(2, letter(quiz, "The first one", 2))
    quiz.answer(3, letter(quiz, RIGHT, 3))
    assert (quiz.right, quiz.done) == (1, True)
    assert repr(quiz).count("Everyone waits") == 3
    assert repr(quiz).count("✔ right") == 3
    assert MISCONCEPTIONS["M7"].truth.en in repr(quiz)
    assert "To answer" not in repr(quiz)


def test_an_answer_given_again_changes_nothing():
    quiz = sat()
    wrong = letter(quiz, "The mean one")
    quiz.answer(1, wrong).answer(1, wrong.upper()).answer(1, letter(quiz, RIGHT))
    before = repr(quiz)
    assert repr(quiz.answer(1, wrong)) == before

    with pytest.raises(UsageFault, match="item 1 stays as it is"):
        quiz.answer(1, letter(quiz, "The first one"))


@pytest.mark.parametrize(
    ("number", "chosen", "told"),
    [
        (0, "a", "the items 1 to 3"),
        (4, "a", "the items 1 to 3"),
        (True, "a", "the items 1 to 3"),
        ("1", "a", "the items 1 to 3"),
        (1, "d", "one of a, b, c"),
        (1, None, "one of a, b, c"),
        (1, 2, "one of a, b, c"),
    ],
)
def test_no_answer(number: Any, chosen: Any, told: str):
    with pytest.raises(UsageFault, match=told):
        sat().answer(number, chosen)


def test_the_options_stand_in_an_order_of_each_student():
    orders = [tuple(map(tuple, sat(who=f"s{n}").form()["items"][0]["options"])) for n in range(60)]
    assert orders == [
        tuple(map(tuple, sat(who=f"s{n}").form()["items"][0]["options"])) for n in range(60)
    ]
    assert len(set(orders)) == 6
    first = Counter(dict(order)["a"] for order in orders)
    assert set(first) == {RIGHT, "The mean one", "The first one"}
    items = sat().form()["items"]
    assert len({str(each["options"]) for each in items}) > 1


def test_it_speaks_the_readers_language(monkeypatch: pytest.MonkeyPatch):
    quiz = sat()
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "zh")
    quiz.answer(1, letter(quiz, "平均的那个"))
    assert MISCONCEPTIONS["M3"].truth.zh in repr(quiz)
    assert not re.search(r"[A-Za-z]{3,}", repr(quiz).replace("kn.quiz", "").partition("作答")[0])


# In a page.


class Shell:
    """A kernel's, as far as a representation looks at it."""

    kernel = True


WIDGET = "application/vnd.jupyter.widget-view+json"


def test_a_kernel_shows_the_widget_and_what_was_answered_below(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(page, "get_ipython", Shell)
    monkeypatch.setattr(page.ipython_display, "display", lambda data, **_: shown.append(data))
    quiz = sat()
    fresh = quiz._repr_mimebundle_()
    assert {WIDGET, "text/html", "text/plain"} <= set(fresh)
    assert shown == []
    quiz.answer(1, "a")
    assert WIDGET not in quiz._repr_mimebundle_()
    assert [data[WIDGET] for data in shown] == [fresh[WIDGET]]


def test_a_page_is_told_no_answer_before_it_is_given():
    quiz = sat()
    told = json.dumps([quiz.form(), quiz.state()])
    assert "Everyone waits" not in told
    assert "M3" not in told
    assert '"right"' not in json.dumps(quiz.state())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@settings(max_examples=60)
@given(JSON, JSON)
def test_a_hostile_page_answers_nonsense_with_nothing(number: Any, chosen: Any):
    quiz, sent = sat(), []
    view = QuizView(quiz)
    view.send = sent.append
    quiz._page = view
    view._heard(None, number, None)
    view._heard(None, {"kind": "answer", "item": number, "letter": chosen}, None)
    answered = quiz.state() != sat().state()
    assert answered != bool(sent)
    json.dumps(view.told, allow_nan=False)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_texts(text: str):
    quiz = sat(Quiz(id="quiz98", items=(item(text, text),)))
    bundle = quiz.answer(1, "a")._repr_mimebundle_()
    assert Page(bundle["text/html"]).faults == []
    assert unsafe_characters(bundle["text/plain"]) == set()


# Those of the curriculum.


def test_a_quiz_that_there_is_not_is_told_with_one_that_there_is():
    with pytest.raises(UsageFault, match=r"did you mean 'quiz00'"):
        kn.quiz("quizz00")


def test_the_same_quiz_goes_on(monkeypatch: pytest.MonkeyPatch):
    first = kn.quiz("quiz00").answer(1, "a")
    assert kn.quiz("quiz00") is first
    monkeypatch.setenv("KIMI_NB_STUDENT", "another")
    assert kn.quiz("quiz00") is not first


every = pytest.mark.parametrize("quiz", curriculum.quizzes(), ids=lambda quiz: quiz.id)


@every
def test_a_quiz_is_whole(quiz: Quiz):
    assert re.fullmatch(r"quiz\d\d", quiz.id)
    assert 3 <= len(quiz.items) <= 4

    for each in quiz.items:
        keys = [option.key for option in each.options]
        assert 3 <= len(keys) <= 4
        assert keys.count("") == 1, each.asks.en
        assert set(keys) - {""} <= MISCONCEPTIONS.keys(), each.asks.en
        texts = (each.asks, each.because, *(option.says for option in each.options))
        assert all(text.en.strip() and CHINESE.search(text.zh) for text in texts)
        assert len({option.says for option in each.options}) == len(each.options)


@every
@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_options_are_of_balanced_length(quiz: Quiz, tongue: Any):
    for each in quiz.items:
        lengths = [len(option.says.said(tongue)) for option in each.options]
        assert max(lengths) <= 1.35 * min(lengths) + 12, (each.asks.said(tongue), lengths)


@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_the_right_option_is_not_told_by_its_length(tongue: Any):
    items = list(chain.from_iterable(quiz.items for quiz in curriculum.quizzes()))
    chances = [1 / len(each.options) for each in items]
    expected, spread = sum(chances), sqrt(sum(p * (1 - p) for p in chances))

    def longest(each: QuizItem) -> bool:
        first, *rest = sorted(each.options, key=lambda option: bool(option.key))
        return all(len(first.says.said(tongue)) > len(other.says.said(tongue)) for other in rest)

    found = [each.asks.en for each in items if longest(each)]
    assert len(found) <= expected + 2 * spread, found


asked = pytest.mark.parametrize("question", curriculum.questions(), ids=lambda each: each.id)


@asked
@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_a_question_can_be_asked_in_both_languages(
    question: Question, tongue: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KIMI_NB_LANGUAGE", tongue)
    made = kn.predict(question.id)
    assert re.fullmatch(r"p\d\d\.[a-z-]+", question.id)
    assert made.question == " ".join(question.asks.said(tongue).split())  # type: ignore[arg-type]
    assert (CHINESE.search(made.question) is None) == (tongue == "en")
    assert made.value is None


def test_no_id_stands_twice():
    ids = [each.id for each in (*curriculum.questions(), *curriculum.quizzes())]
    assert {id: n for id, n in Counter(ids).items() if n > 1} == {}


# A question by its id.

ZOO, OPERA = Text("the zoo", "动物园"), Text("the opera", "歌剧院")


@pytest.fixture
def last(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is true of the question p98.last, in whichever way its function gives it."""
    truth: list[object] = ["the opera"]
    question = Question(
        id="p98.last",
        asks=Text("Who is last?", "谁是最后？"),
        of=lambda _: truth[0],
        choices=(ZOO, OPERA, "7"),
    )
    monkeypatch.setattr(curriculum, "question", lambda _: question)
    return truth


@pytest.mark.parametrize("true", ["the opera", OPERA])
@pytest.mark.parametrize(("tongue", "chosen"), [("en", "the opera"), ("zh", "歌剧院")])
def test_a_choice_is_right_in_each_language(
    last: list[object], true: object, tongue: str, chosen: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KIMI_NB_LANGUAGE", tongue)
    last[0] = true
    made = kn.predict("p98.last").lock(chosen).against([])
    assert made.outcome is not None
    assert (made.outcome.right, made.outcome.true) == (True, chosen)


def test_a_choice_that_is_a_number_is_taken_as_text(last: list[object]):
    last[0] = 7
    made = kn.predict("p98.last").lock("7").against([])
    assert made.outcome is not None
    assert made.outcome.right


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("How many?", {}, 'of="critical_steps"'),
        ("p98.last", {"curve": True}, "leave out choices= and curve="),
        ("p98.last", {"choices": ["a", "b"]}, "leave out choices= and curve="),
    ],
)
@pytest.mark.usefixtures("last")
def test_without_of_it_is_an_id_alone(text: str, options: dict[str, Any], told: str):
    with pytest.raises(UsageFault, match=re.escape(told)):
        ask(text, **options)
