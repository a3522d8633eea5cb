"""The fold: what counts, what does not, and that every prefix of a trace is a run so far."""

from __future__ import annotations

import pytest
from hypothesis import given
from traces import Script, staged, swarms

from kimi_nb import events as e
from kimi_nb.errors import CorruptTrace
from kimi_nb.trace import Record, Trace
from kimi_nb.views.fold import Fold, fold
from kimi_nb.views.live import doing, live_text
from kimi_nb.views.state import ENDED
from kimi_nb.views.summary import summary_text
from kimi_nb.views.words import places


def kinds(state: Fold, agent: str) -> list[tuple[str, float]]:
    spans = state.agents[agent].timeline(state.now)
    return [(span.kind, round(span.ended - span.began, 6)) for span in spans]


def test_an_empty_trace_is_a_run_that_has_not_begun() -> None:
    state = fold(Trace())
    assert (state.status, state.count, state.agents, state.main()) == ("running", 0, {}, None)


def test_queue_failure_retry_and_call_are_told_apart() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.step(3.0, queued=2.0, fails=((0.5, 1.5),), tools=(("grep", {}, 1.0), ("grep", {}, 4.0)))
    state = fold(script.trace())
    parts = [("queued", 2.0), ("failed", 0.5), ("retry", 1.5), ("call", 3.0), ("tool", 4.0)]
    assert kinds(state, "a00") == parts
    agent = state.agents["a00"]
    assert (agent.steps, agent.tool_calls, agent.retries, agent.queued_s) == (1, 2, 1, 2.0)
    assert agent.busy(state.now) == 7.5


def test_a_call_in_flight_is_busy_up_to_the_latest_record() -> None:
    script = Script()
    main = script.orchestrator()
    subs = main.assign(["slow", "quick"])
    subs[0].begin()
    subs[1].step(5.0)
    state = fold(script.trace())
    assert state.agents["a01"].state == "thinking"
    assert state.agents["a01"].busy(state.now) == 5.0
    assert state.agents["a00"].state == "waiting"


def test_the_calls_of_a_retried_turn_are_void() -> None:
    script = Script()
    main = script.orchestrator()
    main.begin()
    script.add(0.5, main.id, main.called(1, "grep", "{}"))
    retried = e.StepRetried(step=1, attempt=1, error="Unreachable", why="cut", wait=0.0)
    script.add(0.6, main.id, retried)
    main.t = 1.0
    main._turn([("list_files", {})], "", (1, 1, 0))
    state = fold(script.trace())
    assert state.tool_calls == 1
    assert [call.tool for call in state.agents["a00"].outstanding.values()] == ["list_files"]


def test_a_step_whose_attempts_all_failed_is_no_step() -> None:
    script = Script()
    script.orchestrator(role="single").step(2.0, finish="failed")
    state = fold(script.trace())
    assert (state.steps, state.critical_steps) == (0, 0)
    assert kinds(state, "a00") == [("failed", 2.0)]


def test_waiting_for_sub_agents_is_not_work() -> None:
    state = fold(staged((3,)))
    assert kinds(state, "a00") == [("call", 1.0)]


def test_stages_know_their_sub_agents_and_their_slowest() -> None:
    state = fold(staged((), (6, 9, 4, 7), ()))
    stages = list(state.stages.values())
    assert [s.main_steps for s in stages] == [1, 1, 1]
    assert [s.max_sub_steps for s in stages] == [0, 9, 0]
    assert stages[1].sub_agents == ["a01", "a02", "a03", "a04"]
    assert (stages[1].began, stages[1].ended) == (1.0, 11.0)


def test_the_levels_of_a_plan_are_its_stages() -> None:
    script = Script()
    first = script.plan("first", 1)
    second = script.plan("second", 2, first)
    script.plan("other", 1)
    script.plan("last", 1, first, second)
    levels = {"first": 1, "second": 2, "other": 1, "last": 3}
    state = fold(script.end())
    assert {agent.name: agent.stage for agent in state.agents.values()} == levels
    assert state.critical_steps == 1 + 2 + 1


def test_a_resumed_run_goes_on_with_what_was_open() -> None:
    script = Script()
    main = script.orchestrator()
    done, cut = main.assign(["done", "cut"])
    done.step(1.0).end()
    cut.begin()
    script.add(3.0, "", e.RunResumed(started=0.0, version="0.1.0"))
    before = fold(script.trace())
    assert before.agents["a02"].state == "waiting"
    assert kinds(before, "a02") == [("failed", 2.0)]
    cut.t = 3.0
    cut.n = 0
    cut.step(1.0).end()
    after = fold(script.trace())
    assert (after.agents["a02"].state, after.agents["a02"].steps) == ("finished", 1)
    assert (after.resumed, after.critical_steps) == (1, 2)


def test_a_resumed_run_takes_up_cancelled_agents_and_interrupted_tools() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    main.t = 1.0
    main._turn([("grep", {})], "", (1, 1, 0))
    stopped = e.ToolReturned(step=1, call=0, ok=False, text="", interrupted=True)
    script.add(2.0, main.id, stopped)
    script.add(2.0, main.id, e.AgentEnded(outcome="cancelled", text=""))
    script.add(2.0, "", e.RunEnded(status="cancelled", answer="", why="stopped"))
    assert fold(script.trace()).failed_tool_calls == 0
    script.add(2.0, "", e.RunResumed(started=0.0, version="0.1.0"))
    resumed = fold(script.trace())
    assert (resumed.status, resumed.why, resumed.agents["a00"].state) == ("running", "", "tool")
    main.returned(0, 3.0)
    state = fold(script.trace())
    assert kinds(state, "a00") == [("call", 1.0), ("tool", 1.0), ("tool", 1.0)]
    assert state.agents["a00"].outstanding == {}


def test_who_has_ended_after_its_tools_were_asked_again_stays_ended() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    main.t = 1.0
    main._turn([("grep", {})], "", (1, 1, 0))
    stopped = e.ToolReturned(step=1, call=0, ok=False, text="", interrupted=True)
    script.add(2.0, main.id, stopped)
    script.add(2.0, main.id, e.AgentEnded(outcome="cancelled", text=""))
    script.add(2.0, "", e.RunResumed(started=0.0, version="0.1.0"))
    main.returned(0, 3.0)
    script.add(4.0, main.id, e.AgentEnded(outcome="failed", text="refused"))
    script.add(5.0, "", e.RunResumed(started=0.0, version="0.1.0"))
    agent = fold(script.trace()).agents["a00"]
    assert (agent.state, agent.outcome, agent.ended) == ("failed", "refused", 4.0)


def test_an_agent_that_has_not_begun_is_named() -> None:
    record = Record(0, 0.0, "a07", e.StepBegan(step=1))
    with pytest.raises(CorruptTrace, match="record 0: agent 'a07' has not begun"):
        fold([record])


@given(swarms(prefixes=False))
def test_every_prefix_is_a_run_so_far(trace: Trace) -> None:
    state = Fold()
    steps = paid = 0

    for record in trace:
        state.add(record)
        fact = record.fact
        paid += isinstance(fact, e.StepEnded) and fact.finish != "failed"
        assert state.steps == paid >= steps
        steps = state.steps
        assert state.steps == sum(agent.steps for agent in state.agents.values())
        assert state.tool_calls == sum(agent.tool_calls for agent in state.agents.values())
        assert state.tokens_in == sum(agent.tokens_in for agent in state.agents.values())

    whole = fold(trace)
    assert whole.agents == state.agents
    assert whole.stages == state.stages
    assert all(agent.state in ENDED for agent in whole.agents.values())


@given(swarms())
def test_intervals_never_overlap_and_lie_within_the_agent(trace: Trace) -> None:
    state = fold(trace)

    for agent in state.agents.values():
        spans = agent.timeline(state.now)
        edges = [edge for span in spans for edge in (span.began, span.ended)]
        assert edges == sorted(edges)
        assert all(span.ended > span.began for span in spans)
        end = state.now if agent.ended is None else agent.ended
        assert not edges or (agent.began <= edges[0] and edges[-1] <= end)


def test_the_time_of_the_judge_is_not_the_runs() -> None:
    script = Script()
    main = script.orchestrator()
    main.step(2.0)
    main.end("done")
    began = script.end("done")
    verdict = e.Judged(by="me", success=True, quality=1.0, why="right")
    late = [*began[:-1], Record(len(began) - 1, 60.0, "", verdict)]
    late.append(Record(len(late), 61.0, "", began[-1].fact))
    assert fold(late).now == fold(began[:-1]).now < 60
    assert fold(late).status == "finished"


def test_a_lost_worker_fails_the_call_that_was_out_and_another_goes_on() -> None:
    script = Script()
    main = script.orchestrator()
    (sub,) = main.assign(["a"])
    script.add(sub.t, sub.id, e.AgentPlaced(where="w0", number=1))
    sub.step(1.0).begin()
    sub.t += 2.0
    script.add(sub.t, sub.id, e.AgentPlaced(where="w1", number=2))
    lost = fold(script.trace()).agents[sub.id]
    assert (lost.where, lost.moves, lost.state) == ("w1", 1, "waiting")
    assert [(each.kind, each.ended - each.began) for each in lost.intervals] == [
        ("call", 1.0),
        ("failed", 2.0),
    ]
    sub.n -= 1
    sub.step(1.0).end("done")
    main.join([sub]).step(1.0).end("All done.")
    run = fold(script.end())
    agent = run.agents[sub.id]
    assert (agent.steps, agent.busy_s, agent.state) == (2, 4.0, "finished")
    told = "1 sub-agent on 2 workers of a cluster; 1 of them taken up again where a worker was lost"
    assert places(run) == told
    assert places(run) in summary_text(script.end())


def test_who_goes_on_in_the_kernel_after_a_cluster_is_on_no_worker_any_more() -> None:
    script = Script()
    main = script.orchestrator()
    first, second = main.assign(["a", "b"])
    script.add(first.t, first.id, e.AgentPlaced(where="w0", number=1))
    script.add(second.t, second.id, e.AgentPlaced(where="w1", number=1))
    first.step(1.0).end("done")
    resumed = e.RunResumed(started=2e9, version="0.1.0")
    script.add(main.t + 5.0, "", resumed)
    agents = fold(script.trace()).agents
    assert [agents[each.id].where for each in (first, second)] == ["w0", ""]


def test_whoever_waits_for_a_worker_is_told_from_who_waits_for_the_endpoint() -> None:
    script = Script()
    main = script.orchestrator()
    first, second = main.assign(["a", "b"])
    script.add(first.t, first.id, e.AgentPlaced(where="", number=0))
    script.add(second.t, second.id, e.AgentPlaced(where="w0", number=1))
    second.begin()
    begun = fold(script.trace())
    assert doing(begun.agents[first.id], begun, begun.now) == "waits for a worker of the cluster"
    assert doing(begun.agents[second.id], begun, begun.now) == "step 1"
    assert "1 of them for a worker" in live_text(begun, begun.now)
    second.t += 1.0
    script.add(second.t, second.id, e.AgentPlaced(where="", number=1))
    lost = fold(script.trace())
    assert "2 of them for a worker" in live_text(lost, lost.now)
    assert kinds(lost, second.id) == [("failed", 1.0)]
    assert lost.agents[second.id].moves == 0
    script.add(second.t, second.id, e.AgentPlaced(where="w1", number=2))
    again = fold(script.trace()).agents[second.id]
    assert (again.where, again.unplaced, again.moves) == ("w1", False, 1)
