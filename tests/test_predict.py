"""Predictions: what may be locked, that it stays, and how far off it was."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hostile import HOSTILE, Page, unsafe_characters
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import Script, swarms

import kimi_nb as kn
from kimi_nb.errors import UsageFault
from kimi_nb.events import RunBegan
from kimi_nb.teach import guess as kept
from kimi_nb.teach import page
from kimi_nb.teach.asked import Points
from kimi_nb.teach.curve import COLUMNS, Curve, steps
from kimi_nb.teach.quantity import QUANTITIES
from kimi_nb.trace import Record, Trace
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.words import SIMULATOR
from kimi_nb.widgets.asked import GuessView


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", {})


def staged(*, simulated: bool = False, ended: bool = True, status: str = "finished") -> Trace:
    """One step of the main agent, four sub-agents of 6, 9, 4 and 7 steps, one step more."""
    script = Script(simulated=simulated)
    main = script.orchestrator()
    main.step(1.0)
    main.join(main.launch(6, 9, 4, 7))
    main.step(1.0)
    return script.end(status=status) if ended else script.trace()


def begun(trace: Trace, at: float) -> Trace:
    """The same, begun at another time of day."""
    first = trace[0].fact
    assert isinstance(first, RunBegan)
    fields = {name: getattr(first, name) for name in first.__dataclass_fields__}
    again = RunBegan(**fields | {"started": at})
    return Trace([Record(0, 0.0, "", again), *trace[1:]])


TRACE = staged()
STEPS = metrics(TRACE).critical_steps


# What is asked.


def test_every_measure_of_a_run_can_be_predicted_and_has_a_unit():
    assert set(QUANTITIES) == set(metrics(TRACE).as_dict())
    assert all(all(quantity.unit) for quantity in QUANTITIES.values())
    assert all(re.search(r"\D", quantity.words(12)) for quantity in QUANTITIES.values())


@pytest.mark.parametrize("of", QUANTITIES)
def test_what_it_was_is_what_the_metrics_say(of: str):
    truth = metrics(TRACE).as_dict()[of]
    found = kn.predict("How much?", of=of).lock(3).against(TRACE).outcome
    assert found is not None
    assert found.truth == truth
    assert found.off == (None if truth is None else pytest.approx(3 - truth, abs=1e-6))
    assert found.right == (None if truth is None else found.said == found.true)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"of": "steps"}, "total_steps"),
        ({"of": "critical_step"}, "did you mean 'critical_steps'"),
        ({"of": 3}, "one of its measures"),
        ({"of": "concurrency"}, "curve=True"),
        ({"of": "agents", "curve": True}, 'of="concurrency"'),
        ({"of": "agents", "choices": ["1", "2"]}, "function of the run"),
        ({"of": len, "choices": ["1", "2"], "curve": True}, "leave out"),
        ({"of": len, "choices": "ab"}, "takes a list"),
        ({"of": len, "choices": ["a"]}, "from 2 to"),
        ({"of": len, "choices": ["a", " a "]}, "of its own"),
        ({"of": len, "choices": ["a", " "]}, "of its own"),
        ({"of": "concurrency", "curve": (0, 3)}, "seconds and agents"),
        ({"of": "concurrency", "curve": (math.nan, 3)}, "seconds and agents"),
        ({"of": "concurrency", "curve": (3, 2.5)}, "counted"),
        ({"of": "concurrency", "curve": (3,)}, "seconds and agents"),
        ({"of": "concurrency", "curve": "yes"}, "seconds and agents"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_to_type(options: dict[str, Any], told: str):
    with pytest.raises(UsageFault, match=re.escape(told)):
        kn.predict("How?", **options)


@pytest.mark.parametrize("question", ["", "  \n", 3, None])
def test_a_question_is_a_text(question: Any):
    with pytest.raises(UsageFault, match="question as text"):
        kn.predict(question, of="agents")


# Locking.


def test_nothing_is_known_before_it_is_locked():
    guess = kn.predict("How many?", of="critical_steps")
    assert guess.value is guess.locked_at is guess.outcome is None

    with pytest.raises(UsageFault, match=r"press Lock, or type \.lock\(12\)"):
        guess.against(TRACE)

    assert "Not locked yet" in repr(guess)


def test_a_locked_prediction_stays():
    before = time.time()
    guess = kn.predict("How many?", of="critical_steps").lock(12)
    at = guess.locked_at
    assert at is not None
    assert before <= at <= time.time()

    with pytest.raises(UsageFault, match=r"12 critical steps.*\.anew\(\)"):
        guess.lock(13)

    assert guess.lock(12.0) is guess  # a cell that is run again
    assert (guess.value, guess.locked_at) == (12, at)


def test_the_same_question_is_the_same_prediction():
    first = kn.predict("How many?", of="critical_steps").lock(12)
    assert kn.predict("How many?", of="critical_steps") is first
    assert kn.predict("How many?", of="agents") is not first
    assert kn.predict("How many ?", of="critical_steps") is not first


def test_a_function_that_is_typed_again_is_used_and_the_choice_kept():
    def ask(truth: str) -> Any:
        return kn.predict("Who?", choices=["a", "b"], of=lambda _: truth)

    assert ask("b").lock("a").against(TRACE).outcome.right is False
    assert ask("a").value == "a"
    assert ask("a").against(TRACE).outcome.right is True


def test_anew_asks_again_and_tells_what_was_before():
    guess = kn.predict("How many?", of="critical_steps").lock(12).against(TRACE)
    assert guess.anew().value is None
    assert guess.outcome is None
    guess.lock(17)
    assert guess.value == 17
    assert "An earlier prediction: 12 critical steps" in repr(guess)
    assert guess.state()["earlier"] != []


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "12",
        [12],
        {},
        math.nan,
        math.inf,
        -math.inf,
        -1,
        12.5,
        1e13,
        1j,
        pytest.param(10**5000, id="huge"),
    ],
)
def test_no_number_of_steps(value: object):
    guess = kn.predict("How many?", of="critical_steps")

    with pytest.raises(UsageFault):
        guess.lock(value)

    assert guess.value is None


def test_a_share_is_asked_for_between_0_and_1():
    guess = kn.predict("p07.four")
    asked = guess.form()

    with pytest.raises(UsageFault, match=r"from 0 to 1$"):
        guess.lock(12)

    assert ".lock(0.2)" in repr(guess)
    assert (asked["far"], asked["step"], asked["least"]) == (1, 0.01, 0)
    assert guess.lock(0.75).value == 0.75


@pytest.mark.parametrize("value", [12, 12.0, np.int64(12), np.float32(12), Fraction(12)])
def test_numbers_of_any_kind_are_kept_as_pythons_own(value: object):
    kept = kn.predict("How many?", of="critical_steps").lock(value).value
    assert (kept, type(kept)) == (12, int)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("12", "list of pairs"),
        (3, "list of pairs"),
        ([1, 2], "list of pairs"),
        ([(0, 1, 2)], "list of pairs"),
        ([(0, "1")], "list of pairs"),
        ([(0, True)], "list of pairs"),
        ([(0, math.nan)], "list of pairs"),
        ([(math.inf, 1)], "list of pairs"),
        ([(-1, 1)], "from 0 to less than 10"),
        ([(10, 1)], "from 0 to less than 10"),
        ([(0, 9)], "whole number from 0 to 8"),
        ([(0, -1)], "whole number from 0 to 8"),
        ([(0, 1.5)], "whole number from 0 to 8"),
        ([(1, 2), (0, 1)], "go up"),
        ([(1, 2), (1, 3)], "go up"),
        ([], "nobody is at work"),
        ([(0, 0), (5, 0)], "nobody is at work"),
        ([(0, 1)] * 20_000, "points at most"),
    ],
)
def test_no_curve(value: object, told: str):
    guess = kn.predict("Draw.", of="concurrency", curve=(10, 8))

    with pytest.raises(UsageFault, match=told):
        guess.lock(value)

    assert guess.value is None


def test_a_curve_is_kept_as_its_steps():
    guess = kn.predict("Draw.", of="concurrency", curve=(10, 8))
    guess.lock([[1, 2], (2.5, 2), (3, 5), (9, 0), (9.5, 0)])
    assert guess.value == ((0.0, 0), (1.0, 2), (3.0, 5), (9.0, 0))


@pytest.mark.parametrize("value", ["c", "", None, 0, ["a"], {"a": 1}, True])
def test_no_choice(value: object):
    guess = kn.predict("Who?", choices=["a", "b"], of=lambda _: "a")

    with pytest.raises(UsageFault, match="choose one of these: a, b"):
        guess.lock(value)

    assert guess.value is None


def test_choices_that_are_numbers_are_compared_as_text():
    guess = kn.predict("How many?", choices=[5, 6], of=lambda run: metrics(run).agents).lock(5)
    assert guess.value == "5"
    assert guess.against(TRACE).outcome.right is True


def test_of_many_who_lock_at_once_one_wins():
    guess = kn.predict("How many?", of="critical_steps")
    gate, refused = threading.Barrier(8), []

    def lock(value: int) -> None:
        gate.wait()

        try:
            guess.lock(value)
        except UsageFault:
            refused.append(value)

    threads = [threading.Thread(target=lock, args=(value,)) for value in range(8)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert sorted([guess.value, *refused]) == list(range(8))


# Against a run.


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (STEPS, "and so it was: exactly right."),
        (STEPS - 5, f"it was {STEPS} critical steps: 5 too few."),
        (STEPS + 1, "1 too many."),
        (2 * STEPS, f"{STEPS} too many. You said 2.0 times what it was."),
        (1, f"You said 1 critical step, it was {STEPS} critical steps"),
        (0, f": {STEPS} too few."),
    ],
)
def test_how_far_off_a_number_was(said: int, words: str):
    guess = kn.predict("How many?", of="critical_steps").lock(said).against(TRACE)
    assert guess.outcome is not None
    assert words in guess.outcome.words
    assert words in repr(guess)


def test_a_number_that_a_function_gives():
    guess = kn.predict("How many times?", of=lambda run: kn.measures(run).steps.parallelism)
    found = guess.lock(-1.5).against(TRACE).outcome
    assert found is not None
    assert found.truth == pytest.approx(29 / 12)
    assert found.words.startswith("You said -1.50, it was 2.42: 3.92 too low.")


@pytest.mark.parametrize("found", ["12", True, math.nan, [1]])
def test_a_function_that_gives_no_number_is_told(found: object):
    with pytest.raises(UsageFault, match="has to give a number"):
        kn.predict("How many?", of=lambda _: found).lock(1).against(TRACE)


def test_what_the_trace_does_not_say_is_unknown_and_never_zero():
    for of in ("average_concurrency", lambda _: None):
        guess = kn.predict("How much?", of=of).lock(1)
        found = guess.against(Script().trace()).outcome
        assert found is not None
        assert (found.truth, found.off, found.right, found.true) == (None, None, None, "")
        assert "does not say" in repr(guess)


def test_a_choice_that_was_none_of_them():
    guess = kn.predict("Who?", choices=["a", "b"], of=lambda _: "c").lock("a").against(TRACE)
    assert guess.outcome is not None
    assert guess.outcome.words == "You said a, it was c, which is none of the choices."


@pytest.mark.parametrize("shape", ["trace", "fold", "iterator", "list"])
def test_a_run_in_any_shape(shape: str):
    runs = {"trace": TRACE, "fold": fold(TRACE), "iterator": iter(TRACE), "list": list(TRACE)}
    guess = kn.predict("How many?", of=lambda run: metrics(run).critical_steps).lock(1)
    assert guess.against(runs[shape]).outcome.truth == STEPS


def test_what_is_no_run_is_refused():
    with pytest.raises(UsageFault, match=re.escape("kn.read('run.jsonl')")):
        kn.predict("How many?", of="agents").lock(1).against("run.jsonl")  # type: ignore[arg-type]


def test_what_the_reader_has_to_know():
    def notes(trace: Trace) -> str:
        return " ".join(guess.against(trace).outcome.notes)

    guess = kn.predict("How many?", of="agents").lock(1)
    at = guess.locked_at
    assert notes(begun(TRACE, at + 5)) == "Made before the run began."
    assert notes(begun(TRACE, at - 5)) == "Made after the run had begun: 5.0 s later."
    assert notes(begun(TRACE, at - 3 * 86_400)) == "Made after the run had begun: 3 days later."
    assert SIMULATOR in notes(staged(simulated=True))
    assert SIMULATOR not in notes(TRACE)
    assert "has not ended" in notes(staged(ended=False))
    assert "has not ended" not in notes(TRACE)
    assert "did not finish" in notes(staged(status="cancelled"))
    assert "did not finish" not in notes(TRACE)


# Curves.


def by_hand(drawn: Points, end: float, trace: Trace, *, share: bool) -> float:
    """The mean distance, from samples: 400 for each of the equal parts."""
    true = concurrency(trace)
    scale = true.wall_s if share else 1.0
    used = end if drawn[-1][1] or share else drawn[-1][0]
    longest = 1.0 if share else max(used, true.wall_s)
    steps_true = [(t / scale, n) for t, n in zip(true.times, true.counts, strict=True)]
    size = 400

    def at(points: list[tuple[float, int]], until: float) -> np.ndarray:
        times = (np.arange(COLUMNS * size) + 0.5) * longest / (COLUMNS * size)
        index = np.searchsorted([t for t, _ in points], times, side="right") - 1
        values = np.array([n for _, n in points])[index]
        return np.where(times < until, values, 0).reshape(COLUMNS, size).mean(axis=1)

    return float(np.abs(at(list(drawn), used) - at(steps_true, true.wall_s / scale)).mean())


@settings(max_examples=40)
@given(
    swarms(),
    st.dictionaries(st.integers(0, 39), st.integers(0, 8), min_size=1),
    st.sampled_from([None, 0.5, 3.0, 40.0]),
)
def test_the_distance_of_curves_is_that_of_the_formula(
    trace: Trace, columns: dict[int, int], seconds: float | None
):
    kind = Curve(seconds, 8)
    points = [(kind.end * column / 40, n) for column, n in sorted(columns.items())]
    truth = kind.truth(trace, fold(trace))

    if truth is None or not any(n for _, n in points):
        return

    drawn = kind.check(points)
    off = kind.apart(drawn, truth).off
    assert off == pytest.approx(by_hand(drawn, kind.end, trace, share=not seconds), abs=0.02)


@settings(max_examples=40)
@given(swarms())
def test_the_true_curve_is_no_distance_away(trace: Trace):
    found = concurrency(trace)
    kind = Curve(2 * found.wall_s + 1, 10_000)

    if not found.peak or not found.wall_s:
        return

    steps = [*zip(found.times, found.counts, strict=True), (found.wall_s, 0)]
    drawn = kind.check([*{round(t, 6): (t, number) for t, number in steps}.values()])
    apart = kind.apart(drawn, kind.truth(trace, fold(trace)))
    assert apart.off == pytest.approx(0, abs=1e-4)
    assert apart.right


def test_a_curve_in_words():
    guess = kn.predict("Draw.", of="concurrency", curve=(20, 8)).lock([(0, 4), (10, 0)])
    found = guess.against(TRACE).outcome
    wall = concurrency(TRACE).wall_s
    assert found is not None
    assert found.said == "4 agents at most, 4.0 on average, for 10.0 s"
    assert found.true.endswith(f"for {wall:.1f} s")
    assert any("mean of |drawn − true| over 40 equal parts" in note for note in found.notes)
    assert re.search(r"you said: █+▃? +\n", repr(guess))


def test_a_very_long_curve_is_drawn_by_its_means():
    points = tuple((i / 2000, i % 2) for i in range(2000))
    drawn = steps((*points, (1.0, 0)))
    assert len(drawn) <= 400
    assert {n for _, n in drawn[:-1]} == {0.5}
    assert steps(points[:10]) == list(points[:10])


# In a page.


def view_of(guess: Any) -> tuple[GuessView, list[dict[str, Any]]]:
    view, sent = GuessView(guess), []
    view.send = sent.append
    guess._page = view
    return view, sent


def test_a_page_locks_once():
    guess = kn.predict("How many?", of="critical_steps")
    view, sent = view_of(guess)
    view._heard(None, {"kind": "lock", "value": 12}, None)
    assert (guess.value, view.told["locked"]["value"], sent) == (12, 12, [])
    view._heard(None, {"kind": "lock", "value": 13}, None)
    assert guess.value == 12
    assert "stays as it is" in sent[0]["text"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=60)
@given(JSON)
def test_a_hostile_page_locks_nonsense_in_no_kind(value: object):
    for options in (
        {"of": "critical_steps"},
        {"of": len, "choices": ["a", "b"]},
        {"of": "concurrency", "curve": True},
    ):
        kept.KEPT.clear()
        guess = kn.predict("Which?", **options)  # type: ignore[arg-type]
        view, sent = view_of(guess)
        view._heard(None, value, None)
        view._heard(None, {"kind": "lock", "value": value}, None)

        if guess.value is None:
            assert [message["kind"] for message in sent] == ["told"]
        else:
            assert guess._asked.kind.check(guess.value) == guess.value

        json.dumps(view.told, allow_nan=False)


def unstyled(html: str) -> str:
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_texts(text: str):
    guess = kn.predict(f"Who? {text}", choices=[f"1 {text}", f"2 {text}"], of=lambda _: text)
    guess.lock(f"1 {text}").against(TRACE)
    bundle = guess._repr_mimebundle_()
    assert Page(unstyled(bundle["text/html"])).faults == []
    assert unsafe_characters(bundle["text/plain"]) == set()
    sent = json.dumps([guess.form(), guess.state()], ensure_ascii=False)
    assert unsafe_characters(sent) == set()


@pytest.mark.parametrize("locked", [False, True])
def test_a_curve_as_html(locked: bool):  # noqa: FBT001
    guess = kn.predict("Draw.", of="concurrency", curve=True)
    html = (guess.lock([(0, 3)]).against(TRACE) if locked else guess)._repr_mimebundle_()
    text = unstyled(html["text/html"])
    assert Page(text).faults == []
    assert text.count("<path") == (2 if locked else 0)
    assert ('role="img"' in text) == locked


class Shell:
    """A kernel's, as far as a representation looks at it."""

    kernel = True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What was displayed beside what is returned, in a kernel."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(page, "get_ipython", Shell)
    monkeypatch.setattr(page.ipython_display, "display", lambda data, **_: found.append(data))
    return found


WIDGET = "application/vnd.jupyter.widget-view+json"


def test_a_kernel_shows_the_widget_with_its_twins(shown: list[dict[str, Any]]):
    guess = kn.predict("How many?", of="agents")
    bundle = guess._repr_mimebundle_()
    assert {WIDGET, "text/html", "text/plain"} <= set(bundle)
    assert "Not locked yet" in bundle["text/plain"]
    again = guess._repr_mimebundle_()
    assert again[WIDGET] == bundle[WIDGET]
    assert shown == []


def test_what_came_of_it_is_an_output_of_its_own(shown: list[dict[str, Any]]):
    guess = kn.predict("How many?", of="agents").lock(3).against(TRACE)
    bundle = guess._repr_mimebundle_()
    assert WIDGET not in bundle
    assert "knb-twin" in bundle["text/html"]
    assert [WIDGET in data and "text/html" not in data for data in shown] == [True]


def test_without_a_kernel_no_widget_is_made():
    code = (
        "import sys, kimi_nb as kn; g = kn.predict('How many?', of='agents').lock(3);"
        "g._repr_mimebundle_(); print('anywidget' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
