"""Work, span and slack: worked examples to the digit, and what holds for any run."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import Script, chains, prefixes_of, staged, swarms

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import Fold, fold
from kimi_nb.views.graph import graph
from kimi_nb.views.measures import Measure, brent, measures
from kimi_nb.views.tasks import CURRENCIES, After, Task, ends_of, tasks

EPS = 1e-4
GROWING = ("work", "span", "critical", "overhead")
"""What never falls while a run goes on."""
AMOUNTS = (*GROWING, "barriers", "burden")


def every(trace) -> list[Measure]:
    found = measures(trace)
    return [getattr(found, currency) for currency in CURRENCIES]


def amounts(measure: Measure) -> tuple[float, ...]:
    return tuple(getattr(measure, name) for name in AMOUNTS)


def span_of(listed: list[Task], currency) -> float:
    return max(ends_of(listed, currency).values(), default=0.0)


# Worked examples.


def test_the_reports_worked_example_in_all_three_currencies() -> None:
    found = measures(staged((), (6, 9, 4, 7), ()))  # 120 tokens a step, one second each
    assert amounts(found.steps) == (29, 12, 12, 3, 9 - 26 / 4, 3)
    assert amounts(found.seconds) == (29.0, 12.0, 12.0, 3.0, 2.5, 3.0)
    assert amounts(found.tokens) == (3480, 1440, 1440, 360, 300, 360)
    assert found.steps.parallelism == 29 / 12
    assert found.steps.slack == {"a01": 3, "a02": 0, "a03": 5, "a04": 2}
    assert [(link.node, link.amount) for link in found.steps.chain] == [
        ("a00/1", 1),
        ("a00/2", 1),
        ("a02", 9),
        ("a00/3", 1),
    ]


def test_balanced_sub_agents_shorten_the_span_and_save_no_work() -> None:
    found = measures(staged((), (7, 7, 6, 6), ())).steps
    assert (found.work, found.span, found.critical, found.barriers) == (29, 10, 10, 0.5)


def test_critical_steps_are_not_the_span_of_a_plan() -> None:
    found = measures(chains((1, 9), (9, 1))).steps
    assert amounts(found) == (20, 10, 18, 0, 4 + 4, 0)
    assert found.slack == dict.fromkeys(("a00", "a01", "a02", "a03"), 0)


def test_a_plans_longest_chain_need_not_hold_its_longest_task() -> None:
    script = Script()
    script.plan("long", 9)
    first = script.plan("first", 5)
    script.plan("second", 6, first)
    found = measures(script.end()).steps
    assert (found.span, [link.node for link in found.chain]) == (11, ["a01", "a02"])
    assert found.slack["a00"] == 2


def test_an_early_start_is_saved_in_seconds_alone() -> None:
    script = Script()
    script.orchestrator().launch(3, 3, seconds=2.0, lead=1.5)
    found = measures(script.trace())
    assert (found.seconds.span, found.seconds.critical) == (0.5 + 6.0, 2.0 + 6.0)
    assert (found.steps.span, found.steps.critical) == (4, 4)
    assert [link.amount for link in found.seconds.chain] == [0.5, 6.0]
    assert found.seconds.burden == 0.5


def test_slack_knows_that_the_next_stage_began_early() -> None:
    script = Script()
    main = script.orchestrator()
    main.launch(1, 3)
    main.launch(1, 2, seconds=2.0, lead=1.5)
    slack = measures(script.trace()).seconds.slack  # 1 + 3 + 0.5 + 4
    assert slack == {"a01": 2.0, "a02": 0.0, "a03": 2.0, "a04": 0.0}


def test_a_run_by_one_agent_is_one_chain() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.step(2.0, queued=5.0).step(3.0, fails=((0.5, 4.0),))
    found = measures(script.end())
    assert (found.seconds.work, found.seconds.span, found.seconds.parallelism) == (5.5, 5.5, 1.0)
    assert (found.seconds.overhead, found.steps.overhead, found.steps.slack) == (0, 0, {})


def test_nothing_has_happened_yet() -> None:
    for found in every(Trace()):
        assert amounts(found) == (0,) * len(AMOUNTS)
        assert (found.chain, found.slack, found.parallelism) == ((), {}, None)

    assert "–" in repr(measures(Trace()))


def test_the_table_has_a_column_for_each_currency() -> None:
    lines = repr(measures(staged((), (6, 9, 4, 7), ()))).splitlines()
    assert lines[0].split() == ["steps", "seconds", "tokens"]
    assert [line.split() for line in lines[1:3]] == [
        ["work", "29", "29.0", "3,480"],
        ["span", "12", "12.0", "1,440"],
    ]
    assert lines[-1].split() == ["parallelism", "2.42×", "2.42×", "2.42×"]


def test_bounds_of_a_schedule() -> None:
    assert brent(34, 12, 1) == (34, 34)
    assert brent(34, 12, 2) == (17, 23)
    assert brent(34, 12, 4) == (12, 17.5)
    assert measures(chains((3,), (9,))).steps.bounds(2) == (9, 10.5)

    with pytest.raises(UsageFault, match="give at least 1"):
        brent(34, 12, 0)


# Any run.


@given(swarms())
def test_two_independent_reckonings_agree_on_every_prefix(trace: Trace) -> None:
    state = Fold()

    for record in trace:
        state.add(record)
        live, found = metrics(state), measures(state)
        assert found.seconds.span == pytest.approx(live.span_s, abs=EPS)
        assert found.seconds.work == pytest.approx(live.work_s, abs=EPS)
        assert found.steps.work == live.total_steps
        assert found.steps.critical == live.critical_steps
        assert found.tokens.work == live.tokens_in + live.tokens_out
        assert found.seconds.span <= live.wall_s + EPS


@given(swarms())
def test_what_is_less_and_what_is_more(trace: Trace) -> None:
    for found in every(trace):
        assert 0 <= found.span <= found.critical + EPS
        assert found.critical <= found.work + EPS
        assert 0 <= found.burden <= found.overhead + EPS
        assert found.overhead <= found.work + EPS
        assert -EPS <= found.barriers <= found.critical + EPS
        assert found.parallelism is None or found.parallelism >= 1 - EPS


@given(swarms())
def test_the_chains_parts_add_up_to_the_span(trace: Trace) -> None:
    places = {task.id: index for index, task in enumerate(tasks(trace))}

    for found in every(trace):
        assert math.fsum(link.amount for link in found.chain) == pytest.approx(found.span, abs=EPS)
        assert all(link.amount > 0 for link in found.chain)
        along = [places[link.node] for link in found.chain]
        assert along == sorted(set(along))

        if found.span:
            assert math.fsum(link.share for link in found.chain) == pytest.approx(1, abs=EPS)


@settings(max_examples=50)
@given(swarms(prefixes=False))
def test_what_grows_while_a_run_goes_on(trace: Trace) -> None:
    """Not the barriers, which fall when those catch up that are behind; nor the parallelism,
    which falls whenever one works alone; nor in seconds the burden: a sub-agent that began
    early overtakes the turn that launched it."""
    before = every(Trace())

    for prefix in prefixes_of(trace):
        now = every(prefix)

        for old, new in zip(before, now, strict=True):
            for name in GROWING:
                assert getattr(new, name) >= getattr(old, name) - EPS

        before = now


def test_barriers_fall_when_those_catch_up_that_are_behind() -> None:
    script = Script()
    script.plan("fast", 4)
    script.plan("slow", 4, seconds=2.0)
    found = [measures(prefix).steps.barriers for prefix in prefixes_of(script.end())]
    assert max(found) > found[-1] == 0


def test_parallelism_falls_when_one_works_alone() -> None:
    script = Script()
    script.orchestrator().launch(9, 9)
    script.actors[0].step().step()
    found = [measures(prefix).steps.parallelism or 0 for prefix in prefixes_of(script.end())]
    assert (max(found), found[-1]) == (19 / 10, 21 / 12)


def test_burden_falls_when_a_sub_agent_that_began_early_overtakes_its_orchestrator() -> None:
    script = Script()
    main = script.orchestrator()
    (sub,) = main.assign(["w"], seconds=1.0, lead=1.0)
    sub.t = 2.0
    sub.step(4.0).end()
    main.join([sub])
    found = [measures(prefix).seconds.burden for prefix in prefixes_of(script.end())]
    assert (max(found), found[-1]) == (1.0, 0.0)


@given(swarms(), st.randoms(use_true_random=False))
def test_slack_is_what_a_sub_agent_can_take_longer(trace: Trace, rng: random.Random) -> None:
    listed = tasks(trace)
    found = measures(trace)

    for currency in CURRENCIES:
        measure: Measure = getattr(found, currency)
        assert all(slack >= -EPS for slack in measure.slack.values())

        for name in rng.sample(sorted(measure.slack), min(2, len(measure.slack))):
            by_slack = longer(listed, name, measure.slack[name], currency)
            more = longer(listed, name, measure.slack[name] + 1.0, currency)
            assert span_of(by_slack, currency) == pytest.approx(measure.span, abs=EPS)
            assert span_of(more, currency) == pytest.approx(measure.span + 1.0, abs=EPS)


def longer(listed: list[Task], name: str, by: float, currency) -> list[Task]:
    return [
        task._replace(**{currency: task.amount(currency) + by}) if task.id == name else task
        for task in listed
    ]


@given(swarms(), st.data())
def test_one_dependency_more_never_shortens_the_span(trace: Trace, data: st.DataObject) -> None:
    listed = tasks(trace)

    if len(listed) < 2:
        return

    second = data.draw(st.integers(1, len(listed) - 1))
    first = data.draw(st.integers(0, second - 1))
    tied = list(listed)
    tied[second] = tied[second]._replace(after=(*tied[second].after, After(tied[first].id)))

    for currency in CURRENCIES:
        assert span_of(tied, currency) >= span_of(listed, currency) - EPS


@given(st.lists(st.lists(st.integers(1, 9), max_size=5).map(tuple), max_size=5))
def test_the_critical_steps_of_a_staged_swarm_are_its_span_in_steps(stages) -> None:
    found = measures(staged(*stages)).steps
    assert found.critical == found.span == sum(1 + max(subs, default=0) for subs in stages)
    assert found.barriers == pytest.approx(
        sum(max(subs) - sum(subs) / len(subs) for subs in stages if subs)
    )


# Tasks.


@given(swarms())
def test_tasks_are_the_graph_as_a_list_each_behind_what_it_came_after(trace: Trace) -> None:
    found = graph(trace)
    listed = tasks(trace)
    assert sorted(task.id for task in listed) == sorted(found)
    seen: set[str] = set()

    for task in listed:
        assert {before.id for before in task.after} == set(found.pred[task.id]) <= seen
        assert [task.amount(c) for c in CURRENCIES] == [found.nodes[task.id][c] for c in CURRENCIES]
        seen.add(task.id)


def test_tasks_stand_in_the_order_in_which_they_began() -> None:
    script = Script()
    slow, fast = script.plan("slow", 9), script.plan("fast", 1)
    script.plan("behind slow", 1, slow)
    script.plan("behind fast", 1, fast)
    assert [task.id for task in tasks(script.end())] == ["a00", "a01", "a03", "a02"]


def test_a_trace_and_its_fold_measure_the_same() -> None:
    trace = staged((2, 3), (4,), ())
    assert repr(measures(fold(trace))) == repr(measures(trace))
    assert tasks(fold(trace)) == tasks(trace)


def test_a_sub_agent_that_comes_late_did_not_wait_for_its_orchestrators_tools() -> None:
    script = Script()
    main = script.orchestrator()
    main.begin()
    main.t = 1.0
    main._turn([("grep", {}), ("assign_task", {})], "", (1, 1, 0))
    script.actor(1.5, parent=main.id, stage=1, call=1).step(4.0).end()  # handed over in 0.5 s
    main.returned(0, 3.0)
    main.returned(1, 5.5)
    main.t = 5.5
    main.step(1.0)
    trace = script.end()
    assert measures(trace).seconds.span == metrics(trace).span_s == 1 + 4 + 1
