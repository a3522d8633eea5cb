"""Agents at work over time: the step function against counting by hand, and its text twin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traces import Script, chains, staged, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.concurrency import concurrency, sparkline
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.state import BUSY


def test_a_stage_empties_as_its_sub_agents_end() -> None:
    found = concurrency(staged((), (6, 9, 4, 7), ()))
    assert list(found) == [
        (0.0, 2.0, 1),
        (2.0, 6.0, 4),
        (6.0, 8.0, 3),
        (8.0, 9.0, 2),
        (9.0, 12.0, 1),
    ]
    assert (found.peak, found.average) == (4, round(29 / 12, 4))
    assert found.shares == {1: 0.416667, 2: 0.083333, 3: 0.166667, 4: 0.333333}


def test_waiting_is_no_work_and_what_touches_is_one_step() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.step(1.0, queued=1.0, fails=((0.5, 1.5),), tools=(("grep", {}, 1.0),))
    main.step(2.0)
    found = concurrency(script.trace())
    assert list(found) == [(0.0, 1.0, 0), (1.0, 1.5, 1), (1.5, 3.0, 0), (3.0, 7.0, 1)]


def test_an_agent_that_takes_over_where_another_ends_is_no_peak() -> None:
    assert list(concurrency(chains((2, 3)))) == [(0.0, 5.0, 1)]


def test_what_is_still_out_counts_up_to_now() -> None:
    script = Script()
    for sub in script.orchestrator().assign(["quick", "slow"]):
        sub.begin()
    state = fold(script.trace())
    state.now = 3.0
    assert list(concurrency(state)) == [(0.0, 1.0, 1), (1.0, 3.0, 2)]


def test_of_nothing_there_is_no_average() -> None:
    found = concurrency(Trace())
    assert (list(found), found.peak, found.average, found.shares) == ([(0.0, 0.0, 0)], 0, None, {})
    assert sparkline(Trace()) == repr(found) == "no time has passed"


def test_the_picture_and_the_words_say_the_same() -> None:
    assert sparkline(staged((), (6, 9, 4, 7), ()), width=12).split("\n") == [
        "▂▂████▆▆▄▂▂▂",
        "at work, 0 s to 12.0 s: at most 4 agents (a full block), 2.42 on average",
    ]


def test_a_little_work_shows_and_none_is_a_space() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.step(0.01, queued=5.0)
    main.t = 10.0
    main.end()
    assert sparkline(script.trace(), width=4).split("\n")[0] == "  ▁ "


@given(swarms())
def test_it_counts_at_any_time_who_is_at_work_then(trace: Trace) -> None:
    state = fold(trace)
    found = concurrency(state)
    assert found.times[0] == 0.0
    assert all(a < b for a, b in zip(found.times, found.times[1:], strict=False))
    assert all(a != b for a, b in zip(found.counts, found.counts[1:], strict=False))

    for began, ended, number in found:
        middle = (began + ended) / 2
        spans = [s for a in state.agents.values() for s in a.timeline(state.now)]
        inside = [s for s in spans if s.kind in BUSY and s.began <= middle < s.ended]
        assert len(inside) == number


@given(swarms(), st.integers(1, 90))
def test_its_area_is_the_work(trace: Trace, columns: int) -> None:
    found = concurrency(trace)
    measured = metrics(trace)
    assert found.average == (
        None
        if measured.average_concurrency is None
        else pytest.approx(measured.average_concurrency, abs=1e-4)
    )
    assert sum(found.shares.values()) == pytest.approx(1.0 if found.wall_s else 0.0, abs=1e-4)
    means = found.means(columns)
    assert len(means) == columns
    assert sum(means) * found.wall_s / columns == pytest.approx(measured.work_s, abs=1e-4)
    assert max(means) <= found.peak + 1e-6
    assert len(sparkline(trace, columns).split("\n")[0]) == (columns if found.wall_s else 18)
