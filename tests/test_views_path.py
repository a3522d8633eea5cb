"""The critical path: it tiles the run, and it is the chain that one finds by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from traces import Script, chains, staged, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.path import critical_path
from kimi_nb.views.text import width


def legs(trace: Trace) -> list[tuple[str, str, float, float]]:
    return [(s.agent, s.kind, s.began, s.ended) for s in critical_path(trace)]


def test_it_goes_through_the_slowest_sub_agent_of_each_stage() -> None:
    path = critical_path(staged((2, 3), (), (4, 1)))
    assert path.agents == ["a00", "a02", "a03"]
    assert [s.agent for s in path] == ["a00", *["a02"] * 3, *["a00"] * 2, *["a03"] * 4]
    assert {s.kind for s in path} == {"call"}


def test_a_plan_goes_back_along_what_came_before() -> None:
    script = Script()
    first = script.plan("first", 2)
    other = script.plan("other", 5)
    last = script.plan("last", 1, first, other)
    assert critical_path(script.end()).agents == [other.id, last.id]


def test_of_two_equal_chains_one_is_taken_whole() -> None:
    path = critical_path(chains((1, 9), (9, 1)))
    assert sum(s.seconds for s in path) == 10.0
    assert path.agents in (["a00", "a01"], ["a02", "a03"])


def test_waiting_and_failing_are_on_it() -> None:
    script = Script()
    script.orchestrator(role="single").step(
        3.0, queued=2.0, fails=((0.5, 1.5),), tools=(("grep", {}, 1.0),)
    )
    assert legs(script.trace()) == [
        ("a00", "queued", 0.0, 2.0),
        ("a00", "failed", 2.0, 2.5),
        ("a00", "retry", 2.5, 4.0),
        ("a00", "call", 4.0, 7.0),
        ("a00", "tool", 7.0, 8.0),
    ]


def test_early_start_leaves_the_orchestrators_call_in_the_middle() -> None:
    script = Script()
    script.orchestrator().launch(2, seconds=2.0, lead=1.5)
    assert legs(script.trace()) == [
        ("a00", "call", 0.0, 0.5),
        ("a01", "call", 0.5, 2.5),
        ("a01", "call", 2.5, 4.5),
    ]


def test_what_nothing_explains_is_other() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.t = 1.0
    main.step(1.0)
    main.t = 3.0
    main.end()
    assert legs(script.end()) == [
        ("a00", "other", 0.0, 1.0),
        ("a00", "call", 1.0, 2.0),
        ("a00", "other", 2.0, 3.0),
    ]


def test_a_long_own_tool_beats_its_sub_agents() -> None:
    script = Script()
    main = script.orchestrator()
    main.begin()
    main.t = 1.0
    calls: list[tuple[str, dict[str, object]]] = [("grep", {}), ("assign_task", {})]
    main._turn(calls, "", (1, 1, 0))
    script.actor(1.0, parent=main.id, stage=1, call=1).step(2.0).end()
    main.returned(1, 3.0)
    main.returned(0, 6.0)
    main.t = 6.0
    main.step(1.0)
    assert critical_path(script.trace()).agents == ["a00"]


def test_of_a_running_run_it_ends_with_who_is_still_out() -> None:
    script = Script()
    main = script.orchestrator()
    quick, slow = main.assign(["quick", "slow"])
    quick.step(1.0).end()
    slow.step(0.5).begin()
    path = critical_path(script.trace())
    assert path.agents == ["a00", "a02"]
    assert (path.segments[-1].kind, path.segments[-1].ended) == ("call", 2.0)


def test_an_empty_run_has_none() -> None:
    assert list(critical_path(Trace())) == []


def test_it_reads_as_text() -> None:
    assert repr(critical_path(staged((), (6, 9, 4, 7), ()))) == (
        "Critical path: 12.0 s through 2 agents\n"
        "   17%     2.0 s  a00 orchestrator: call 2.0 s\n"
        "   75%     9.0 s  a02 w1: call 9.0 s\n"
        "    8%     1.0 s  a00 orchestrator: call 1.0 s"
    )


def test_every_segment_is_a_line_of_the_table() -> None:
    script = Script()
    main = script.orchestrator()
    (sub,) = main.assign(["普拉多"])
    sub.step(2.5, queued=0.5).end()
    main.join([sub])
    assert critical_path(script.trace()).table() == (
        " share   seconds  agent             step  kind    record\n"
        " 25.0%      1.00  a00 orchestrator     1  call         2\n"
        " 12.5%      0.50  a01 普拉多           1  queued       7\n"
        " 62.5%      2.50  a01 普拉多           1  call         8"
    )


def test_a_long_path_is_short_to_look_at_and_counts_what_it_leaves_out() -> None:
    path = critical_path(staged(*[(1,), (3,)] * 20))
    lines = repr(path).split("\n")
    assert len(path.legs()) == 80
    assert len(lines) == 1 + 24 + 1
    assert sum(" 3.0 s  " in line for line in lines) == 20
    assert lines[-1] == "  … and 56 shorter legs, 56.0 s in all: .table() has every step"
    assert len(path.table().split("\n")) == 1 + len(path) == 121


@given(swarms())
def test_it_tiles_the_run_without_a_gap(trace: Trace) -> None:
    path = critical_path(trace)
    state = fold(trace)

    if not state.agents or not state.now:
        assert len(path) == 0
        return

    assert path.segments[0].began == 0.0
    assert path.segments[-1].ended == state.now
    assert all(a.ended == b.began for a, b in zip(path, path.segments[1:], strict=False))
    assert sum(segment.share for segment in path) == pytest.approx(1.0, abs=1e-3)


@given(swarms())
def test_it_is_made_of_what_the_agents_did(trace: Trace) -> None:
    state = fold(trace)

    for segment in critical_path(state):
        agent = state.agents[segment.agent]
        if segment.kind != "other":
            covers = [
                span
                for span in agent.timeline(state.now)
                if span.began <= segment.began and segment.ended <= span.ended
            ]
            assert [span.kind for span in covers] == [segment.kind]


def test_a_long_name_of_an_agent_breaks_no_line() -> None:
    script = Script()
    main = script.orchestrator()
    (sub,) = main.assign(["市场 " + "x" * 200])
    sub.step(5.0).end("done")
    main.join([sub]).step().end()
    path = critical_path(script.end())
    lines = [*repr(path).splitlines(), *path.table().splitlines()]
    assert any("市场 xxx" in line for line in lines)
    assert max(map(width, lines)) <= 100
