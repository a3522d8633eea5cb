"""What if: worked examples to the digit, Graham's anomalies, and what holds for any schedule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hostile import HOSTILE, unsafe_characters
from hypothesis import given
from hypothesis import strategies as st
from traces import Script, chains, staged, swarms

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Trace
from kimi_nb.views import whatif
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.forecast.changes import by_level, rescaled
from kimi_nb.views.forecast.prediction import Prediction
from kimi_nb.views.forecast.schedule import Row, schedule
from kimi_nb.views.measures import brent, measures
from kimi_nb.views.tasks import CURRENCIES, After, Task, ends_of, tasks
from kimi_nb.views.whatif import what_if

EPS = 1e-4
COSTS = (3, 2, 2, 2, 4, 4, 4, 4, 9)
NINE = tuple(f"a0{i}" for i in range(9))


def graham() -> Trace:
    """Tasks 1 to 9 of Graham's paper, as a00 to a08: 9 after 1; 5, 6, 7, 8 after 4."""
    script = Script()
    one, *_, four = [script.plan(f"T{i + 1}", COSTS[i]) for i in range(4)]

    for i in range(4, 9):
        script.plan(f"T{i + 1}", COSTS[i], one if i == 8 else four)

    return script.end()


def both(found: Prediction) -> tuple[float, int]:
    return found.seconds, found.critical_steps


def times(found: Prediction) -> dict[str, tuple[float, float]]:
    return {row.task: (row.began, row.ended) for row in found.rows}


# Worked examples.


@pytest.mark.parametrize(
    ("workers", "took"), [(1, 34), (2, 17), (3, 12), (4, 15), (9, 12), (None, 12)]
)
def test_grahams_anomaly_more_workers_take_longer(workers, took: int) -> None:
    found = what_if(graham(), workers=workers)
    assert both(found) == (took, took)
    assert (found.was_seconds, found.was_steps, found.work_s) == (12, 12, 34)


def test_grahams_anomaly_shorter_tasks_take_longer() -> None:
    shorter = {name: cost - 1 for name, cost in zip(NINE, COSTS, strict=True)}
    assert both(what_if(graham(), workers=3, sizes=shorter)) == (13, 13)


def test_grahams_anomaly_fewer_dependencies_take_longer() -> None:
    found = what_if(graham(), workers=3, without=[("a03", "a04"), ("a03", "a05")])
    assert both(found) == (16, 16)


def test_another_list_undoes_the_anomaly() -> None:
    assert both(what_if(graham(), workers=4, order=["a00", "a03", "a08"])) == (12, 12)


def test_balanced_sub_agents_make_twelve_critical_steps_ten() -> None:
    trace = staged((), (6, 9, 4, 7), ())
    found = what_if(trace, sizes={"a01": 7, "a02": 7, "a03": 6, "a04": 6})
    assert (found.critical_steps, found.was_steps) == (10, 12)
    assert (found.work_s, found.tokens) == (found.was_work_s, found.was_tokens) == (29, 3480)
    grown = what_if(trace, sizes={"a02": 12})
    assert (grown.seconds, grown.work_s, grown.tokens) == (15, 32, 3480 + 3 * 120)


def test_two_chains_take_eighteen_with_barriers_and_ten_without() -> None:
    trace = chains((1, 9), (9, 1))
    assert both(what_if(trace, barriers=True)) == (18, 18)
    assert both(what_if(trace, barriers=False)) == both(what_if(trace)) == (10, 10)


def two_chains() -> Trace:
    """Two stages, (1, 9) and (9, 1): the second of each chain is told what the first found."""
    script = Script()
    main = script.orchestrator()
    names = ["Kestrelhof 48151", "Wolkenburg 62342"]

    for lengths, found in (((1, 9), names), ((9, 1), ["done", "done"])):
        subs = main.assign(["hours", "prices"] if found is names else names)

        for sub, steps, text in zip(subs, lengths, found, strict=True):
            for _ in range(steps):
                sub.step()

            sub.end(text)

        main.join(subs)

    main.step().end()
    return script.end()


def test_the_same_chains_under_an_orchestrator() -> None:
    found = what_if(two_chains(), barriers=False)
    assert (found.was_steps, found.was_seconds) == (1 + 9 + 1 + 9 + 1, 21)
    assert both(found) == (1 + 1 + 1 + 9 + 1, 13)
    assert both(what_if(two_chains(), barriers=True)) == (21, 21)
    assert times(found) == {
        "a00/1": (0, 1),
        "a01": (1, 2),
        "a02": (1, 10),
        "a00/2.1": (2, 3),
        "a03": (3, 12),
        "a00/2.2": (10, 11),
        "a04": (11, 12),
        "a00/3": (12, 13),
    }
    assert found.work_s == found.was_work_s + 1  # the second turn is made twice
    assert found.tokens == found.was_tokens + 120


def test_a_need_that_is_taken_away_is_waited_for_no_longer() -> None:
    found = what_if(two_chains(), barriers=False, without=[("a02", "a04")])
    assert times(found)["a00/2.2"] == (0, 1)
    cut = what_if(two_chains(), barriers=False, without=[("a00/2", "a04")])
    assert times(cut)["a04"] == (0, 1)
    assert times(cut)["a00/3"] == (12, 13)
    joined = what_if(two_chains(), barriers=False, without=[("a01", "a00/2")])
    assert times(joined)["a00/2.1"] == (0, 1)


def test_who_needs_nobody_is_launched_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "needs", lambda _: {})
    found = what_if(staged((), (3,), (5, 2), (), (4,), ()), barriers=False)
    assert times(found) == {
        "a00/1": (0, 1),  # before the first that launches somebody
        "a00/2": (1, 2),
        "a01": (2, 5),
        "a00/3": (1, 2),
        "a02": (2, 7),
        "a03": (2, 4),
        "a00/4": (7, 8),  # launches nobody: it had the results of all before it
        "a00/5": (1, 2),
        "a04": (2, 6),
        "a00/6": (8, 9),
    }


def test_nobody_needs_one_of_its_own_stage_or_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = frozenset({"a01", "a02", "a03", "a99"})
    monkeypatch.setattr(whatif, "needs", lambda _: {f"a0{i}": everybody for i in (1, 2, 3)})
    trace = staged((3, 4), (5,), ())
    assert both(what_if(trace, barriers=False)) == both(what_if(trace)) == (12, 12)


def test_the_last_turn_waits_for_a_turn_that_its_early_starters_outran() -> None:
    script = Script()
    main = script.orchestrator()
    (sub,) = main.assign(["quick"], seconds=5.0, lead=5.0)
    sub.step(2.0).end("done")
    main.join([sub])
    main.step()
    found = what_if(script.end(), barriers=False)
    assert times(found) == {"a00/1": (0, 5), "a01": (0, 2), "a00/2": (5, 6)}


# One change at a time.


def test_faster_divides_seconds_alone() -> None:
    found = what_if(staged((6, 2), ()), faster={"a01": 3.0})
    assert both(found) == (1 + 2 + 1, 8)
    assert (found.work_s, found.tokens) == (6.0, found.was_tokens)
    assert what_if(staged((6, 2), ()), faster={"a00/2": 0.5}).seconds == 1 + 6 + 2


def test_a_faster_turn_launches_its_early_starters_at_the_same_part_of_it() -> None:
    script = Script()
    main = script.orchestrator()
    main.launch(1, seconds=8.0, lead=6.0)
    found = what_if(script.end(), faster={"a00/1": 2.0})
    assert times(found) == {"a00/1": (0, 4), "a01": (1, 9)}
    assert found.was_seconds == 10


def test_a_split_sub_agent_is_waited_for_in_all_its_parts() -> None:
    found = what_if(staged((2, 9), ()), split={"a02": 4})
    assert found.critical_steps == 1 + 3 + 1
    assert found.seconds == 1 + 9 / 4 + 1
    assert times(found)["a02.4"] == (1, 3.25)
    assert (found.work_s, found.tokens) == (found.was_work_s, found.was_tokens)
    slow = what_if(staged((2, 9), ()), split={"a02": 4}, assign={"a02": 1})
    assert (slow.seconds, slow.critical_steps) == (11, 11)


def test_steps_are_split_in_whole_numbers_the_larger_first() -> None:
    one = Task("a01", "a01", "sub-agent", 1, steps=9, seconds=9.0, tokens=6)
    parts, names = whatif.in_parts([one], {"a01": 4})
    assert [task.steps for task in parts] == [3, 2, 2, 2]
    assert [task.id for task in parts] == names["a01"] == ["a01.1", "a01.2", "a01.3", "a01.4"]
    assert [task.tokens for task in parts] == [1.5] * 4


def test_pinned_tasks_run_one_after_another() -> None:
    trace = chains((3,), (4,), (5,), (6,))
    assert what_if(trace, assign={"a00": 1, "a01": 1, "a02": 2, "a03": 2}).seconds == 11
    found = what_if(trace, assign={"a00": 7, "a02": 7})
    assert {row.task: row.worker for row in found.rows} == {"a00": 7, "a01": 1, "a02": 7, "a03": 2}
    assert times(found)["a02"] == (3, 8)


def test_a_worker_with_pinned_tasks_takes_others_when_it_has_none() -> None:
    found = what_if(chains((3,), (4,), (5,)), workers=2, assign={"a02": 1})
    rows = [Row("a02", 1, 0, 5), Row("a00", 2, 0, 3), Row("a01", 2, 3, 7)]
    assert list(found.rows) == rows
    found = what_if(chains((1, 1), (4,), (5,)), workers=2, assign={"a01": 1})
    assert times(found) == {"a00": (0, 1), "a02": (0, 4), "a01": (1, 2), "a03": (2, 7)}


def test_order_names_parts_by_the_whole() -> None:
    found = what_if(chains((2,), (4,)), workers=1, split={"a01": 2}, order=["a01"])
    assert [row.task for row in found.rows] == ["a01.1", "a01.2", "a00"]
    found = what_if(chains((2,), (4,)), workers=1, split={"a01": 2}, order=["a01.2", "a00"])
    assert [row.task for row in found.rows] == ["a01.2", "a00", "a01.1"]


def test_an_orchestrators_step_needs_a_worker_too() -> None:
    assert what_if(staged((3, 3), ()), workers=1).seconds == 8
    assert what_if(staged((3, 3), ()), workers=2).seconds == 5


def test_waiting_is_named_and_not_predicted() -> None:
    script = Script()
    main = script.orchestrator()
    main.step(1.0, queued=3.0).step(1.0, fails=((0.5, 1.5),))
    found = what_if(script.end(), faster={"a00/2": 3.0})
    assert (found.seconds, found.was_seconds) == (1.5, 2.5)
    assert (found.wall_s, found.unexplained_s) == (7, 4.5)


def test_an_empty_run_predicts_nothing() -> None:
    found = what_if(Trace(), workers=3, barriers=True)
    assert (both(found), found.rows, found.wall_s) == ((0, 0), (), 0)
    assert "What if: 3 workers; stage by stage." in repr(found)


# What was typed wrong.


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"faster": {"a99": 2}}, "no task 'a99'; there are a01 … a04 and a00/1 … a00/3"),
        ({"split": {"a00": 2}}, "no task 'a00'; there are a01"),
        ({"sizes": {"x": 2}}, "no task 'x'; there are a01"),
        ({"assign": {"x": 1}}, "no task 'x'; there are a01"),
        ({"order": ["a01", "x"]}, "no task 'x'; there are a01"),
        ({"without": [("x", "a01")]}, "no task 'x'; there are a01"),
        ({"without": [("a01", "a02")]}, "'a02' did not wait for 'a01'; it waited for a00/2"),
        ({"without": [("a01", "a00/1")]}, "'a00/1' did not wait for 'a01'; it waited for nobody"),
        ({"faster": {"a01": 0}}, "'a01' cannot be 0 times as fast"),
        ({"faster": {"a01": float("nan")}}, "'a01' cannot be nan times as fast"),
        ({"split": {"a01": 0}}, "'a01' cannot be split in 0; give a whole number from 1"),
        ({"split": {"a01": 1.5}}, "'a01' cannot be split in 1.5"),
        ({"split": {"a00/2": 2}}, "'a00/2' is a step of the main agent and stays one"),
        ({"sizes": {"a01": -1}}, "'a01' cannot take -1 steps; give a whole number from 1"),
        ({"workers": 0}, "0 workers do nothing; give a whole number from 1"),
        ({"assign": {"a01": 0}}, "there is no worker 0 for 'a01'; give a whole number from 1"),
        ({"workers": 2, "assign": {"a01": 3}}, "there is no worker 3 for 'a01'; there are 1 … 2"),
    ],
)
def test_the_message_names_what_there_is(typed, said: str) -> None:
    with pytest.raises(UsageFault) as caught:
        what_if(staged((), (6, 9, 4, 7), ()), **typed)

    assert said in str(caught.value)


def test_who_took_no_step_has_no_time_in_proportion() -> None:
    script = Script()
    script.plan("idle", 0)

    with pytest.raises(UsageFault, match="'a00' took no step"):
        what_if(script.end(), sizes={"a00": 3})

    with pytest.raises(UsageFault, match="no task 'a01'; there are a00"):
        what_if(script.end(), sizes={"a01": 3})

    with pytest.raises(UsageFault, match="no agent has begun"):
        what_if(Trace(), sizes={"a01": 3})


def test_tasks_that_wait_for_each_other_are_named() -> None:
    names = ("a00", "a01", "a02", "a03")
    before = ((), ("a03",), ("a01",), ("a02",))
    ring = [
        Task(name, name, "sub-agent", 1, after=tuple(map(After, after)))
        for name, after in zip(names, before, strict=True)
    ]

    with pytest.raises(UsageFault, match="wait for each other: a02 → a03 → a01 → a02"):
        schedule(ring)


def test_without_barriers_the_texts_are_needed() -> None:
    trace = two_chains()

    with pytest.raises(UsageFault, match="give the trace itself"):
        what_if(fold(trace), barriers=False)

    assert repr(what_if(iter(trace), barriers=False)) == repr(what_if(trace, barriers=False))
    assert repr(what_if(fold(trace), workers=2)) == repr(what_if(trace, workers=2))


# As text.


def test_a_prediction_stands_beside_the_run_as_it_was() -> None:
    trace = staged((6, 9), ())
    assert repr(what_if(trace, workers=2, split={"a02": 3})).splitlines() == [
        "What if: 2 workers; a02 split in 3. A prediction, not a measurement.",
        "                     predicted    as it was, reckoned likewise",
        "seconds                 11.0 s                          11.0 s",
        "critical steps              11                              11",
        "work                    17.0 s                          17.0 s",
        "tokens                   2,040                           2,040",
        "Measured wall: 11.0 s, of it 0.0 s waiting and hand-over, which the reckoning leaves out.",
        "worker  0 s                                                   11.0 s",
        "     1  │────│a01─────────────────────────────│a02.3───────────│────",
        "     2  ·····│a02.1───────────│a02.2──────────······················",
    ]


def test_more_workers_than_fit_are_counted() -> None:
    trace = chains(*[(2,)] * 30)
    assert repr(what_if(trace)).splitlines()[-1] == "Workers that had anything to do: 30"
    assert repr(what_if(trace, workers=24)).count("│a") == 30
    assert "Workers that had anything to do: 30" in repr(what_if(trace, workers=10**12))


def test_many_changes_are_counted() -> None:
    found = what_if(graham(), sizes=dict.fromkeys(NINE, 1), order=NINE)
    head = repr(found).splitlines()[0]
    assert "a02 of 1 step; 6 more like that; first a00, a01, a02, …. A prediction" in head


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_the_names_in_a_log_do_not_move_a_terminal(evil: str) -> None:
    trace = chains((2,), (9,))
    named = Trace(replace(r, agent=evil) if r.agent == "a01" else r for r in trace)
    texts = [repr(what_if(named, workers=2, faster={evil: 2}, order=[evil]))]

    for typed in ({"split": {"a99": 2}}, {"split": {evil: 0}}, {"without": [("a00", evil)]}):
        with pytest.raises(UsageFault) as caught:
            what_if(named, **typed)

        texts.append(str(caught.value))

    assert [unsafe_characters(text) for text in texts] == [set()] * 4


# Any run, and any graph.


@st.composite
def graphs(draw: st.DrawFn) -> list[Task]:
    """Up to twelve tasks of whole seconds, each behind those that it comes after."""
    found: list[Task] = []

    for i in range(draw(st.integers(0, 12))):
        names = draw(st.sets(st.sampled_from(found), max_size=3)) if found else set()
        after = [After(task.id, draw(st.integers(0, int(task.seconds)))) for task in sorted(names)]
        steps, seconds, tokens = (draw(st.integers(0, 5)) for _ in CURRENCIES)
        found.append(Task(f"t{i}", "", "sub-agent", 0, steps, seconds, tokens, tuple(after)))

    return found


def took(rows: list[Row]) -> float:
    return max((row.ended for row in rows), default=0.0)


def by_the_clock(listed: list[Task], workers: int) -> dict[str, tuple[float, float]]:
    """The same schedule in whole seconds, found by looking at everything at every second."""
    found: dict[str, tuple[float, float]] = {}
    now = 0

    while len(found) < len(listed):
        free = workers - sum(1 for began, ended in found.values() if began <= now < ended)
        ready = [
            task
            for task in listed
            if task.id not in found
            and all(b.id in found and found[b.id][1] - b.lead <= now for b in task.after)
        ]

        if free and ready:  # the first alone: one that takes no time sets others free at once
            found[ready[0].id] = now, now + ready[0].seconds
        else:
            now += 1

    return found


@given(graphs(), st.integers(1, 4))
def test_the_schedule_is_that_of_somebody_who_looks_at_every_second(listed, workers: int) -> None:
    listed = [task._replace(seconds=task.seconds + 1) for task in listed]  # at once has no order
    rows = schedule(listed, workers=workers)
    assert {row.task: (row.began, row.ended) for row in rows} == by_the_clock(listed, workers)


@given(graphs(), st.integers(1, 5), st.data())
def test_a_schedule_does_each_task_once_on_a_worker_that_is_free(listed, workers, data) -> None:
    names = [task.id for task in listed]
    pins = data.draw(
        st.dictionaries(st.sampled_from(names), st.integers(1, workers)) if names else st.just({})
    )

    for limit in (workers, None):
        rows = schedule(listed, workers=limit, pinned=pins)
        assert sorted(row.task for row in rows) == sorted(names)
        assert all(row.worker == pins.get(row.task, row.worker) for row in rows)
        assert [row.began for row in rows] == sorted(row.began for row in rows)
        ends = {row.task: row for row in rows}
        free: dict[int, float] = {}

        for row in rows:
            assert row.began >= free.get(row.worker, 0.0)
            assert 1 <= row.worker <= (limit or workers + len(listed))
            free[row.worker] = row.ended

        for task in listed:
            assert ends[task.id].ended - ends[task.id].began == task.seconds
            assert all(ends[task.id].began >= ends[b.id].ended - b.lead for b in task.after)

        if limit is None:
            others = {row.worker for row in rows if row.task not in pins}
            assert not others & set(pins.values())


@given(graphs(), st.integers(1, 6), st.sampled_from(CURRENCIES))
def test_a_schedule_lies_within_brents_bounds(listed, workers: int, currency) -> None:
    work = sum(task.amount(currency) for task in listed)
    span = max(ends_of(listed, currency).values(), default=0.0)
    least, most = brent(work, span, workers)
    assert least - EPS <= took(schedule(listed, currency, workers=workers)) <= most + EPS
    assert took(schedule(listed, currency, workers=1)) == work
    assert took(schedule(listed, currency)) == span


@given(swarms(), st.integers(1, 6))
def test_a_prediction_for_any_run_lies_within_brents_bounds(trace: Trace, workers: int) -> None:
    found, known = what_if(trace, workers=workers), measures(trace)
    least, most = known.seconds.bounds(workers)
    assert least - EPS <= found.seconds <= most + EPS
    least, most = known.steps.bounds(workers)
    assert least <= found.critical_steps <= most
    assert found.work_s == pytest.approx(known.seconds.work, abs=EPS)
    assert found.tokens == known.tokens.work
    alone = what_if(trace, workers=1)
    assert both(alone) == pytest.approx((known.seconds.work, known.steps.work), abs=EPS)


@given(swarms())
def test_with_nothing_changed_it_is_the_span(trace: Trace) -> None:
    found, known = what_if(trace), measures(trace)
    assert both(found) == (found.was_seconds, found.was_steps)
    assert both(found) == pytest.approx((known.seconds.span, known.steps.span), abs=EPS)
    assert found.unexplained_s >= -EPS
    assert repr(found) == repr(what_if(trace))


@given(swarms())
def test_stage_by_stage_it_takes_the_critical_steps(trace: Trace) -> None:
    found = what_if(trace, barriers=True)
    assert found.critical_steps == metrics(trace).critical_steps
    assert found.seconds >= found.was_seconds
    assert {row.task for row in found.rows} == {task.id for task in tasks(trace)}


@given(swarms(), st.data())
def test_without_barriers_it_takes_no_longer(trace: Trace, data: st.DataObject) -> None:
    subs = [task.id for task in tasks(trace) if task.role == "sub-agent"]
    some = st.frozensets(st.sampled_from(subs)) if subs else st.just(frozenset[str]())
    drawn = {name: data.draw(some) for name in subs}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whatif, "needs", lambda _: drawn)
        found = what_if(trace, barriers=False)

    assert found.seconds <= found.was_seconds + EPS
    assert found.critical_steps <= found.was_steps
    assert found.work_s >= found.was_work_s - EPS
    assert set(subs) <= {row.task for row in found.rows}
    assert what_if(trace, barriers=False).seconds <= found.was_seconds + EPS  # by its texts


@given(graphs(), st.data())
def test_more_of_anything_never_shortens_the_span(listed, data: st.DataObject) -> None:
    if len(listed) < 2:
        return

    one, two = sorted(data.draw(st.sets(st.integers(0, len(listed) - 1), min_size=2, max_size=2)))
    tied = list(listed)
    tied[two] = tied[two]._replace(after=(*tied[two].after, After(tied[one].id)))
    size = data.draw(st.integers(1, 4)) * listed[one].steps
    grown = rescaled(listed, {listed[one].id: size} if size else {}, {})

    for currency in CURRENCIES:
        span = took(schedule(listed, currency))
        assert took(schedule(tied, currency)) >= span
        assert took(schedule(grown, currency)) >= span - EPS


@given(graphs())
def test_levels_hold_back_whoever_could_begin_before(listed: list[Task]) -> None:
    held = by_level(listed)
    ends = {row.task: row for row in schedule(held, "steps")}
    level: dict[str, int] = {}

    for task in listed:
        level[task.id] = 1 + max((level[before.id] for before in task.after), default=0)

    for task in listed:
        lower = [ends[name].ended for name in level if level[name] < level[task.id]]
        assert ends[task.id].began == max(lower, default=0.0)


def test_levels_of_thousands_do_not_wait_for_each_of_thousands() -> None:
    wide = [Task(f"a{i}", "", "sub-agent", 0, 1, 1.0) for i in range(5000)]
    deep = [task._replace(id=f"b{task.id}", after=(After(task.id),)) for task in wide]
    held = by_level([*wide, *deep])
    assert sum(len(task.after) for task in held) <= 3 * len(wide)
    assert took(schedule(held, workers=5000)) == 2
