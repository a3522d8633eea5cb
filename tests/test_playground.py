"""The playground without a page: re-weighing, steering, training anew, and what a page may send."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import astuple, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from learners import OFF, known, trainer
from traces import staged

import kimi_nb as kn
from kimi_nb import events as e
from kimi_nb.parl.train import Training
from kimi_nb.trace import Record, Trace
from kimi_nb.views.anneal import SHAPES, Schedule
from kimi_nb.views.html.learning import training_html
from kimi_nb.views.learning import came_to, milestones, training_text
from kimi_nb.views.rewards import Rewards
from kimi_nb.views.reweigh import misfit, reweigh
from kimi_nb.widgets.playground import Playground
from kimi_nb.widgets.recorded import training_of
from kimi_nb.widgets.steering import Steering

FALLING = Schedule(0.4, 0.0, "linear", 0.5)
HALF = Schedule(0.5, 0.5, "constant", 1.0)
TRACE = known(FALLING)


def rows(trace: Trace) -> list[e.IterationEnded]:
    return [record.fact for record in trace if isinstance(record.fact, e.IterationEnded)]


def rewards(trace: Trace) -> Rewards:
    found = Rewards()

    for record in trace:
        found.add(record)

    return found


def ask(steering: Steering, kind: str, **more: Any) -> dict[str, Any]:
    (answer,) = steering.answer({"kind": kind, **more})
    return json.loads(json.dumps(answer, allow_nan=False))


def wait(until: Callable[[], bool]) -> None:
    while not until():  # the time limit of every test ends it
        time.sleep(0.005)


class Manual:
    """A training whose iterations come when a test says so."""

    name, prices, path, draft, pace, seconds = "training", Playground, None, "", "", 0.0

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.records: list[Record] = []
        self.done = False
        self.told: list[tuple[str, Schedule]] = []

    def add(self, *facts: e.Fact) -> None:
        self.records += [Record(len(self.records), 0.0, "", fact) for fact in facts]

    def go(self, upto: int) -> None:
        self.add(*(record.fact for record in self.trace[len(self.records) : upto]))

    def set(self, reward: str, schedule: Schedule) -> None:
        self.told.append((reward, schedule))

    def cancel(self) -> None:
        self.add(e.TrainingEnded(status="cancelled", why="by the user"))
        self.done = True


# Re-weighing.


@settings(max_examples=30)
@given(st.sampled_from(SHAPES[1:]), st.floats(0, 2), st.floats(0, 2), st.floats(0.1, 1))
def test_under_its_own_schedules_a_training_is_as_it_was(
    shape: Any, start: float, end: float, until: float
) -> None:
    one, two = Schedule(start, end, shape, until), Schedule(end, start, shape, until)
    found = rows(known(one, two))
    again = reweigh(found, one, two)
    assert len(found) == 10
    assert [w.total for w in again] == pytest.approx([row.total for row in found])
    assert [w.lambda_finish for w in again] == pytest.approx([row.lambda_finish for row in found])
    assert misfit(found) < 1e-9


def test_other_weights_pay_the_same_components() -> None:
    again = reweigh(rows(TRACE), HALF, Schedule(1.0, 1.0, "constant", 1.0))
    assert [w.total for w in again] == pytest.approx(
        [0.5 * part / 10 + 0.9 + part / 20 for part in range(1, 11)]
    )


def test_a_training_that_was_paid_by_another_formula_is_told() -> None:
    odd = [replace(row, total=row.total - 0.25) for row in rows(TRACE)]
    assert misfit(odd) == pytest.approx(0.25)


def test_what_the_log_does_not_tell_is_no_number() -> None:
    nan: Any = math.nan
    some: Any = "x"
    broken = [replace(rows(TRACE)[0], r_perf=nan), replace(rows(TRACE)[1], progress=some)]
    one, two = reweigh(broken, HALF, OFF)
    assert one.lambda_parallel == 0.5
    assert math.isnan(one.total)
    assert all(map(math.isnan, two))
    assert misfit(broken) < 1e-9


# A recorded training.


def test_the_sliders_begin_where_the_training_did() -> None:
    later = e.ScheduleSet(reward="parallel", start=1.0, end=1.0, shape="constant", until=1.0)
    facts = [record.fact for record in TRACE]
    changed = Trace([Record(n, 0.0, "", f) for n, f in enumerate([*facts[:6], later, *facts[6:]])])
    whole = ask(Steering(training_of(changed)), "sync")
    assert whole["schedules"]["parallel"] == list(astuple(FALLING))
    assert whole["recorded"].endswith("; λ_parallel 1 constant from iteration 4 on")


def test_a_slider_weighs_again_and_trains_nothing() -> None:
    steering = Steering(training_of(TRACE))
    before = ask(steering, "sync")
    assert before["totals"] == pytest.approx([row.total for row in rows(TRACE)])
    after = ask(steering, "set", schedules={"parallel": list(astuple(HALF))})
    assert after["lambdas"] == [[0.5, 0.0]] * 10
    assert after["totals"] == pytest.approx([part / 10 for part in range(1, 11)])
    assert ask(steering, "sync")["rewards"] == before["rewards"]
    assert steering.source is not None
    assert steering.source.records == TRACE


def test_a_log_that_was_cut_off_runs_no_more() -> None:
    whole = ask(Steering(training_of(known(FALLING, done=4, status=""))), "sync")
    assert whole["running"] is False
    assert whole["rewards"]["status"] == "partial"
    assert len(whole["lambdas"]) == len(whole["totals"]) == 4


def test_a_training_that_diverged_reaches_the_page_as_gaps() -> None:
    nan: Any = math.nan
    facts = [r.fact if i != 5 else replace(r.fact, r_perf=nan) for i, r in enumerate(TRACE)]  # type: ignore[type-var]
    trace = Trace([Record(n, 0.0, "", fact) for n, fact in enumerate(facts)])
    whole = ask(Steering(training_of(trace)), "sync")
    assert whole["totals"][2] is None
    assert whole["rewards"]["rows"][2][whole["rewards"]["columns"].index("r_perf")] is None
    assert whole["came_to"]["r_perf"] == 0.5


# A training that runs.


def test_a_slider_steers_a_real_training_from_then_on() -> None:
    training = trainer(iterations=100_000, pause=0.005)({"parallel": FALLING, "finish": OFF})
    steering = Steering(training)
    wait(lambda: len(training.records) > 8)
    ask(steering, "set", schedules={"parallel": list(astuple(HALF))})
    wait(lambda: sum(isinstance(r.fact, e.ScheduleSet) for r in list(training.records)) == 3)
    upto = len(training.records) + 3
    wait(lambda: len(training.records) > upto)
    training.cancel()
    trace = training.result()
    steering.beat()
    before = [n for n, record in enumerate(trace) if isinstance(record.fact, e.ScheduleSet)][-1]
    weights = [row.lambda_parallel for row in rows(trace)]
    new = len(rows(trace[:before]))
    assert 1 <= new < len(weights) - 1
    assert weights[:new] == [FALLING.at(n / 100_000) for n in range(new)]
    assert set(weights[new:]) == {0.5}
    recorded = ask(steering, "sync")["recorded"]
    assert recorded.endswith(f"λ_parallel 0.5 constant from iteration {new + 1} on")


def test_what_is_told_is_what_happened_and_no_more() -> None:
    source = Manual(TRACE)
    steering = Steering(source)
    told = [len(steering.beat()[0]["rewards"]["rows"])]

    for upto in (4, 4, 9):
        source.go(upto)
        message, *_ = steering.beat()
        assert message["kind"] == "rows"
        told.append(len(message["rewards"]["rows"]))

    source.go(len(TRACE))
    source.done = True
    (message,) = steering.beat()
    assert told == [0, 1, 0, 5]
    assert message["kind"] == "all"
    assert not message["running"]
    assert len(message["rewards"]["rows"]) == 10


def test_the_weights_to_come_are_those_of_the_sliders() -> None:
    source = Manual(TRACE)
    source.go(6)
    steering = Steering(source)
    found = ask(steering, "set", schedules={"finish": [1, 0, "linear", 1]})
    assert [finish for _, finish in found["lambdas"]] == pytest.approx(
        [1 - n / 10 for n in range(10)]
    )
    assert found["totals"] == []
    assert source.told == [("finish", Schedule(1, 0, "linear", 1))]


def test_who_sets_a_schedule_elsewhere_moves_the_sliders_too() -> None:
    source = Manual(TRACE)
    source.go(4)
    steering = Steering(source)
    steering.beat()
    source.add(e.ScheduleSet(reward="finish", start=0.7, end=0.7, shape="constant", until=1.0))
    moved = [message for message in steering.beat() if message["kind"] == "set"]
    assert [message["schedules"]["finish"][0] for message in moved] == [0.7]


def test_a_slider_does_not_go_back_to_what_it_was_set_to_before() -> None:
    source = Manual(TRACE)
    source.go(4)
    steering = Steering(source)

    for start in (0.7, 0.8):
        ask(steering, "set", schedules={"finish": [start, start, "constant", 1]})

    source.add(e.ScheduleSet(reward="finish", start=0.7, end=0.7, shape="constant", until=1.0))
    steering.beat()
    assert steering.schedules["finish"].start == 0.8
    source.add(e.ScheduleSet(reward="finish", start=0.8, end=0.8, shape="constant", until=1.0))
    source.add(e.ScheduleSet(reward="finish", start=0.9, end=0.9, shape="constant", until=1.0))
    steering.beat()
    assert steering.schedules["finish"].start == 0.9


def test_what_cannot_be_steered_says_so() -> None:
    source: Any = Manual(TRACE)
    source.go(4)
    steering = Steering(Unsteered(source))
    found = ask(steering, "set", schedules={"finish": [0.7, 0.7, "constant", 1]})
    assert "no method set(reward, schedule)" in found["text"]
    assert steering.schedules["finish"] == OFF


class Unsteered:
    def __init__(self, source: Manual) -> None:
        self.records, self.done, self.path, self.cancel = source.records, False, None, source.cancel


def test_stop_ends_it() -> None:
    training = trainer(iterations=10_000, pause=0.005)({"parallel": FALLING, "finish": OFF})
    steering = Steering(training)
    assert "kept" in ask(steering, "stop")["text"]
    training.result()
    (message,) = steering.beat()
    assert message["rewards"]["status"] == "cancelled"
    assert "no training is running" in ask(steering, "stop")["text"]


# Trainings one after the other.


def test_train_begins_under_the_sliders_and_again_and_again() -> None:
    begun: list[Mapping[str, Schedule]] = []
    woken: list[int] = []

    def begin(schedules: Mapping[str, Schedule]) -> Training:
        begun.append(schedules)
        return trainer(iterations=3)(schedules)

    steering = Steering(None, begin, lambda: woken.append(len(begun)))
    assert ask(steering, "sync")["rewards"] is None
    assert steering.beat() == []

    for number in range(6):
        plan = [number / 10, 0, "linear", 1]
        whole = ask(steering, "train", schedules={"parallel": plan})
        assert (whole["run"], whole["running"]) == (number + 1, True)
        steering.source.result()  # type: ignore[union-attr]
        steering.beat()

    whole = ask(steering, "sync")
    assert woken == [1, 2, 3, 4, 5, 6]
    assert [each["parallel"].start for each in begun] == [n / 10 for n in range(6)]
    assert {each["finish"] for each in begun} == {OFF}
    assert [each["run"] for each in whole["earlier"]] == [2, 3, 4, 5]
    assert whole["earlier"][0]["label"].startswith("λ_parallel 0.1 → 0, linear until 100 %")
    assert [len(each["rewards"]["rows"]) for each in whole["earlier"]] == [3] * 4


def test_one_at_a_time() -> None:
    source = Manual(TRACE)
    source.go(3)
    steering = Steering(None, lambda _: source)
    ask(steering, "train")
    assert "stop it first" in ask(steering, "train")["text"]
    assert steering.number == 1
    assert "trainer=train" in ask(Steering(training_of(TRACE)), "train")["text"]


def test_a_trainer_that_fails_leaves_what_is_there(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> Training:
        raise ZeroDivisionError

    steering = Steering(training_of(TRACE), fail)
    assert "the trainer failed" in ask(steering, "train")["text"]
    assert "ZeroDivisionError" in caplog.text
    assert ask(steering, "sync")["run"] == 1

    steering = Steering(None, lambda _: None)  # type: ignore[arg-type, return-value]
    assert "NoneType is no training" in ask(steering, "train")["text"]


# What a page may send.

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(["sync", "set", "train", "stop", "_", "sync__", "Set", ""])
SCHEDULES = st.dictionaries(
    st.sampled_from(["parallel", "finish", "perf"]), JSON | st.just([0.1, 0, "linear", 1])
)


@settings(max_examples=60)
@given(st.lists(st.tuples(KINDS | JSON, JSON | SCHEDULES), min_size=1, max_size=5))
def test_a_page_may_send_anything(questions: list[tuple[Any, Any]]) -> None:
    steering = Steering(training_of(TRACE), lambda _: training_of(TRACE))  # type: ignore[arg-type, return-value]

    for kind, schedules in questions:
        for message in steering.answer({"kind": kind, "schedules": schedules}):
            assert message["kind"] in {"all", "set", "told"}
            json.dumps(message, allow_nan=False)

        assert all(isinstance(schedule, Schedule) for schedule in steering.schedules.values())

    steering.beat()
    assert ask(steering, "sync")["to"] == 10


@pytest.mark.parametrize(
    ("schedules", "words"),
    [
        ({"perf": [0, 0, "linear", 1]}, "parallel and finish, not 'perf'"),
        ({"parallel": [0.3, 0, "linear"]}, r"a schedule is [start, end, shape, until]"),
        ({"parallel": "0.30"}, "a schedule is"),
        ({"parallel": [0.3, 0, "zigzag", 1]}, "shape is one of"),
        ({"parallel": [1e9, 0, "linear", 1]}, "λ is at most 100"),
        (
            {"finish": [0.1, 0, "linear", 1], "parallel": [None, 0, "linear", 1]},
            "start is a number",
        ),
        ([["parallel", 1]], "by the name of their reward"),
    ],
)
def test_what_is_no_schedule_changes_nothing(schedules: Any, words: str) -> None:
    steering = Steering(training_of(TRACE), trainer())
    before = dict(steering.schedules)

    for kind in ("set", "train"):
        assert words in ask(steering, kind, schedules=schedules)["text"]

    assert steering.schedules == before
    assert steering.number == 1


# What is typed.


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (None, "there is nothing to play with: type kn.playground"),
        (3, "int is no training: type kn.playground"),
        ([1, 2], "int is no record of a training"),
        (Trace(), "it is empty"),
        (trainer(), r"kn\.playground\(trainer=train\)"),
        (staged((), (2,), ()), r"the log of a run, not of a training: type kn\.replay"),
    ],
)
def test_what_is_no_training_is_told_what_to_type(what: Any, words: str) -> None:
    with pytest.raises(kn.UsageFault, match=words):
        kn.playground(what)


def test_a_trainer_is_a_function() -> None:
    text: Any = "train"

    with pytest.raises(kn.UsageFault, match="a trainer is a function, str is none"):
        kn.playground(trainer=text)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(kn.KimiNbError, match="cannot read the trace"):
        kn.playground("nowhere.jsonl")


def test_a_path_a_trace_its_records_and_the_training_itself_are_one(tmp_path: Path) -> None:
    path = TRACE.save(tmp_path / "training.jsonl")
    training = trainer(iterations=3)({"parallel": FALLING, "finish": OFF})
    training.result()
    wholes = [
        ask(Steering(training_of(what)), "sync") for what in (path, str(path), TRACE, iter(TRACE))
    ]
    assert all(one == other for one, other in pairwise(wholes))
    assert training_of(training) is training


# The widget.


def test_the_widget_follows_trainings_one_after_the_other() -> None:
    play = kn.playground(trainer=trainer(iterations=5))
    wait(lambda: play.ended)
    assert play.training is None

    for number in (1, 2):
        play._asked(play, {"kind": "train"}, None)
        wait(lambda: play.training is not None and play.training.done)
        wait(lambda: _shown(play) == (number, 5, False))  # noqa: B023

    play._asked(play, "train", None)
    play._asked(play, ["train"], None)


def _shown(play: Playground) -> tuple[int, int, bool] | None:
    found = json.loads(play.snapshot) if play.snapshot else None
    return (found["run"], found["to"], found["running"]) if found else None


def test_there_is_a_picture_and_a_text_for_who_has_no_widgets() -> None:
    bundle = kn.playground(TRACE)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<svg" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    lines = bundle["text/plain"].splitlines()
    assert lines[:4] == [
        "λ playground",
        "✓ finished · 10 of 10 iterations · seed 3",
        "A toy.",
        "λ_parallel 0.4 → 0, linear until 50 %; λ_finish 0 constant",
    ]
    assert "no training yet" in kn.playground(trainer=trainer())._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("page", [True, False])
def test_in_a_page_the_picture_is_an_output_of_its_own_and_follows_the_training(
    *, page: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, str]] = []
    later: list[dict[str, str]] = []

    def display(bundle: dict[str, str], **_: object) -> Any:
        shown.append(bundle)
        return SimpleNamespace(update=lambda new, **_: later.append(new))

    shell = SimpleNamespace(kernel=None) if page else SimpleNamespace()
    monkeypatch.setattr("kimi_nb.widgets.playground.get_ipython", lambda: shell)
    monkeypatch.setattr("IPython.display.display", display)
    play = kn.playground(trainer=trainer(iterations=3))
    wait(lambda: play.ended)
    play._ipython_display_()
    assert ["text/html" in bundle for bundle in shown] == ([False, True] if page else [True])
    assert "no training yet" in shown[-1]["text/plain"]
    play._asked(play, {"kind": "train"}, None)

    if page:
        wait(lambda: any("✓ finished · 3 of 3" in new["text/html"] for new in later))
    else:
        wait(lambda: _shown(play) == (1, 3, False))
        assert later == []


def test_the_figures_of_the_text_are_those_of_the_log() -> None:
    table = {row[0]: row[1:] for row in milestones(rewards(TRACE))}
    assert table["iteration"] == ["1", "3", "5", "8", "10"]
    assert table["r_perf"] == ["0.05", "0.15", "0.25", "0.40", "0.50"]
    assert table["λ_parallel"] == ["0.40", "0.24", "0.08", "0.00", "0.00"]
    assert came_to(rewards(TRACE)) == {
        "over": 1,
        "r_perf": 0.5,
        "sub_agents": 8.0,
        "critical_steps": 30.0,
        "total_steps": 50.0,
        "success": 0.5,
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_of_a_log_are_words(text: str) -> None:
    found = rewards(known(FALLING, what=text))
    page = training_html(found)
    assert page.count("<") == training_html(rewards(TRACE)).count("<")
    assert "\x1b" not in training_text(found) + page
