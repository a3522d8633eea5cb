"""What else held a run up is found: its orchestrator, limits, windows that were full."""

from __future__ import annotations

import pytest
from dialogues import GOAL, PLACES, Job, clean, conversation, jobs, only, stage
from traces import Script, staged

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.diagnosis.findings import Cost


def bound(turn: float, *, tool: float = 0.0, idle: int = 2) -> Trace:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step(turn)
    stage(main, *jobs(10, 10), seconds=turn)

    for _ in range(idle):
        main.step(turn, tools=(("run", {}, tool),) if tool else ())

    main.step(turn).end()
    return script.end()


def test_an_orchestrator_that_took_most_of_the_time() -> None:
    found = only(bound(3.0), "orchestrator-bound")
    assert found.agents == ("a00",)
    assert found.cost == Cost(steps=2, seconds=6.0, tokens=240)
    assert "15.0 s of 25.0 s (60%)" in found.what
    assert found.advice == "Leave to sub-agents what those turns did."


def test_an_orchestrator_whose_own_tools_took_most_of_the_time() -> None:
    found = only(bound(1.0, tool=5.0), "orchestrator-bound")
    assert found.cost.seconds == 12.0
    assert "10.0 s of it tools" in found.what
    assert "call those tools" in found.advice


def team_of(number: int, *, launch: float, work: float, answer: float) -> Trace:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    stage_of = tuple(Job(f"Look into place {n}.", seconds=work) for n in range(number))
    stage(main, *stage_of, seconds=launch)
    main.step(answer).end()
    return script.end()


def test_a_long_turn_that_launches_many_is_to_be_written_shorter_not_left_to_one_agent() -> None:
    found = only(team_of(50, launch=20.0, work=13.0, answer=8.0), "orchestrator-bound")
    assert found.cost == Cost()
    assert found.what == "The orchestrator's own 2 turns took 28.0 s of 41.0 s (68%)."
    assert "map_task" in found.advice
    assert "single agent" not in found.advice


def test_a_long_answer_is_to_be_written_by_sub_agents_or_by_one_agent_if_the_job_is_small() -> None:
    found = only(team_of(3, launch=4.0, work=13.0, answer=30.0), "orchestrator-bound")
    assert "write what is long" in found.advice
    assert "single agent" not in found.advice
    found = only(team_of(2, launch=4.0, work=13.0, answer=30.0), "orchestrator-bound")
    assert "single agent do so small a job" in found.advice


def test_to_launch_and_to_join_shortly_is_in_any_run() -> None:
    clean(team_of(3, launch=4.0, work=7.5, answer=4.0))


def test_half_the_time_is_not_most_of_it() -> None:
    clean(bound(2.0))


def test_a_short_run_is_bound_by_nobody() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step(1.2)
    stage(main, *jobs(1, 1), seconds=1.2)
    main.step(1.2).step(1.2).end()
    clean(script.end())


def test_an_orchestrator_without_sub_agents_holds_up_nobody() -> None:
    clean(staged(*[()] * 40))


def waiting(
    queued: float, *, fails: int = 0, error: str = "RateLimited", wait: float = 0.0
) -> Trace:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:2]))

    for sub in subs:
        sub.step(5.0, queued=queued, fails=((0.0, wait),) * fails)
        sub.step(5.0, queued=queued).end("done")

    main.join(subs)
    main.step().end()
    trace = script.end()
    records = (
        type(r)(r.seq, r.t, r.agent, _with(r.fact, error))
        if isinstance(r.fact, e.StepRetried)
        else r
        for r in trace
    )
    return Trace(records)


def _with(fact: e.StepRetried, error: str) -> e.StepRetried:
    return e.StepRetried(
        step=fact.step, attempt=fact.attempt, error=error, why=fact.why, wait=fact.wait
    )


def test_waiting_for_the_limiter() -> None:
    found = only(waiting(4.0, fails=2), "limiter-bound")
    assert found.cost == Cost(seconds=8.0)
    assert len(found.agents) == 1
    assert "8.0 s of 20.0 s (40%)" in found.what
    assert "were waiting, 8.0 s in the queue, the longest" in found.what
    assert "refused 4 calls" in found.what
    assert "tier" in found.advice


def test_waiting_because_too_many_are_out_at_once() -> None:
    found = only(waiting(4.0, fails=2, error="Overloaded"), "limiter-bound")
    assert "fewer sub-agents at once" in found.advice
    assert "tier" not in found.advice


def test_waiting_after_attempts_that_failed_otherwise() -> None:
    found = only(waiting(0.0, fails=2, error="ServerFault", wait=4.0), "limiter-bound")
    assert found.cost == Cost(seconds=8.0)
    assert "were waiting, 8.0 s after failed attempts, the longest" in found.what
    assert "refused" not in found.what
    assert "why the attempts failed" in found.advice


def test_a_short_wait_is_no_finding() -> None:
    clean(waiting(0.4))
    clean(conversation(GOAL, *(" " for _ in range(80))))


def test_a_wait_beside_the_critical_path_is_no_finding() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:2]))
    subs[0].step(8.0, queued=12.0).end("done")
    subs[1].step(11.0).step(11.0).end("done")
    main.join(subs)
    main.step().end()
    clean(script.end())


# Context overflow.


@pytest.mark.parametrize(
    "why",
    [
        "HTTP 400 invalid_request_error: Your request exceeded model token limit: 8192",
        "HTTP 400: This model's maximum context length is 32768 tokens",
        "HTTP 400: the input is too long for this model",
        "HTTP 400: prompt is too long: 300000 tokens",
        "thinking used up the 4096 tokens of an answer; raise max_tokens",
        "HTTP 400: 输入超出了模型的上下文长度",
    ],
)
def test_a_sub_agent_that_failed_because_its_prompt_or_answer_did_not_fit(why: str) -> None:
    first, second = jobs(3, 3)
    lost = second._replace(outcome="failed", result=why)
    found = only(conversation(GOAL, (first, lost)), "context overflow")
    assert found.agents == ("a02",)
    assert found.cost == Cost(steps=3, seconds=3.0, tokens=360)


@pytest.mark.parametrize(
    "why",
    [
        "one call reserves 9,000 tokens, more than a minute holds: give fewer max_tokens",
        "HTTP 401: the key is wrong",
        "did not finish within its 50 steps",
    ],
)
def test_other_failures_are_no_overflow(why: str) -> None:
    first, second = jobs(3, 3)
    lost = second._replace(outcome="failed", result=why)
    only(conversation(GOAL, (first, lost)), "spurious parallelism")


def test_a_result_about_windows_is_no_overflow() -> None:
    first, second = jobs(3, 3)
    clean(conversation(GOAL, (first, second._replace(result="Its context window has 8192."))))


def test_an_orchestrator_whose_window_was_full() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    stage(main, *jobs(2, 2))
    main.step(finish="failed").end("Your request exceeded model token limit: 8192", "failed")
    found = only(script.end(status="failed"), "context overflow")
    assert found.agents == ("a00",)


def test_a_turn_that_was_cut_off_by_its_most_tokens() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:2]))
    subs[0].step(3.0).end("whole")
    subs[1].step(1.0)
    subs[1].step(2.0, tools=(("run", {}, 1.0),), finish="length", tokens=(70, 30, 0)).end("cut")
    main.join(subs)
    main.step().end()
    trace = script.end()
    found = only(trace, "context overflow")
    assert found.agents == ("a02",)
    assert found.cost == Cost(steps=1, seconds=2.0, tokens=100)
    assert trace[found.records[0]].fact.finish == "length"


def test_a_turn_that_was_cut_off_because_little_was_left_of_the_budget() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.step(1.0, tokens=(50, 30, 0), finish="length", said="So far")
    main.end("the budget of 80 tokens is used up", "over_budget")
    found = only(script.end(status="over_budget"), "context overflow")
    assert found.advice.startswith("Raise the budget, ")


def test_a_result_that_was_cut_before_anybody_read_it() -> None:
    def trace(size: int) -> Trace:
        first, second = jobs(3, 3)
        return conversation(GOAL, (first, second._replace(result="a" * size)))

    found = only(trace(20_001), "context overflow")
    assert found.agents == ("a02",)
    assert found.cost == Cost()
    clean(trace(20_000))
