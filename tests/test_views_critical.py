"""Steps and spans, against figures worked out by hand and by brute force."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traces import Script, chains, prefixes_of, staged, swarms

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import Fold
from kimi_nb.views.prices import Price, cost_usd

EPS = 1e-4
KEYS = [
    "agents",
    "stages",
    "total_steps",
    "critical_steps",
    "tool_calls",
    "work_s",
    "span_s",
    "wall_s",
    "average_concurrency",
    "parallelism",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
    "cost_usd",
    "failed_agents",
    "retries",
]


def test_the_reports_worked_example() -> None:
    found = metrics(staged((), (6, 9, 4, 7), ()))
    assert (found.stages, found.total_steps, found.critical_steps) == (3, 29, 12)
    assert (found.work_s, found.span_s, found.wall_s) == (29.0, 12.0, 12.0)
    assert found.average_concurrency == found.parallelism == round(29 / 12, 4)


def test_balanced_sub_agents_save_critical_steps_not_steps() -> None:
    found = metrics(staged((), (7, 7, 6, 6), ()))
    assert (found.total_steps, found.critical_steps, found.span_s) == (29, 10, 10.0)


def test_critical_steps_are_not_the_span() -> None:
    found = metrics(chains((1, 9), (9, 1)))
    assert (found.stages, found.total_steps, found.critical_steps) == (2, 20, 18)
    assert (found.work_s, found.span_s, found.wall_s) == (20.0, 10.0, 10.0)


def test_a_single_agent_is_all_critical() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    for _ in range(4):
        main.step(2.0, tools=(("grep", {}, 1.0),))
    found = metrics(script.end())
    assert (found.agents, found.stages, found.critical_steps, found.total_steps) == (1, 4, 4, 4)
    assert (found.work_s, found.span_s, found.wall_s) == (12.0, 12.0, 12.0)
    assert found.average_concurrency == found.parallelism == 1.0


def test_waiting_is_not_work_but_takes_time() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.step(1.0, queued=3.0, fails=((0.5, 1.5),))
    found = metrics(script.end())
    assert (found.work_s, found.span_s, found.wall_s) == (1.5, 1.5, 6.0)
    assert (found.average_concurrency, found.retries) == (0.25, 1)


def test_early_start_shortens_the_span() -> None:
    plain, early = Script(), Script()
    plain.orchestrator().launch(3, 3, seconds=2.0)
    early.orchestrator().launch(3, 3, seconds=2.0, lead=1.5)
    assert metrics(plain.trace()).span_s == 2.0 + 6.0
    assert metrics(early.trace()).span_s == 0.5 + 6.0
    assert metrics(early.trace()).critical_steps == metrics(plain.trace()).critical_steps == 4


def test_an_orchestrators_own_tools_do_not_delay_its_sub_agents() -> None:
    script = Script()
    main = script.orchestrator()
    main.begin()
    main.t = 1.0
    calls: list[tuple[str, dict[str, object]]] = [("grep", {}), ("assign_task", {})]
    main._turn(calls, "", (1, 1, 0))
    sub = script.actor(2.0, parent=main.id, stage=1, call=1)  # while the tool runs
    sub.step(4.0).end()
    main.returned(0, 3.0)
    main.returned(1, 6.0)
    main.t = 6.0
    main.step(1.0)
    found = metrics(script.end())
    assert (found.work_s, found.span_s) == (1 + 2 + 4 + 1, 1 + 4 + 1)


def test_unknown_is_null_and_never_zero() -> None:
    empty = metrics(Trace()).as_dict()
    assert list(empty) == KEYS
    assert empty["average_concurrency"] is empty["parallelism"] is empty["cost_usd"] is None
    unpriced = Script(model="my-own-model")
    unpriced.orchestrator().step()
    assert metrics(unpriced.end()).cost_usd is None


def test_the_simulator_costs_nothing() -> None:
    script = Script(model="simulator", simulated=True)
    script.orchestrator().step()
    assert metrics(script.end()).cost_usd == 0.0


def test_cost_counts_cached_tokens_once() -> None:
    prices = {"m": Price(tokens_in=2.0, tokens_cached=0.5, tokens_out=10.0)}
    found = cost_usd(
        "m", tokens_in=1_000_000, tokens_out=100_000, tokens_cached=400_000, prices=prices
    )
    assert found == pytest.approx(0.6 * 2.0 + 0.4 * 0.5 + 0.1 * 10.0)


def longest_chain(trace: Trace) -> float:
    """The span of a whole run without early starts, tools, queues or failures, by recursion
    over the graph instead of forward along the log."""
    began = {r.agent: r.fact for r in trace if isinstance(r.fact, e.AgentBegan)}
    took: dict[str, dict[int, float]] = {agent: {} for agent in began}
    opened: dict[str, float] = {}

    for record in trace:
        if isinstance(record.fact, e.StepBegan):
            opened[record.agent] = record.t
        elif isinstance(record.fact, e.StepEnded):
            took[record.agent][record.fact.step] = record.t - opened[record.agent]

    def own(agent: str) -> float:
        fact = began[agent]
        before = max((own(other) for other in fact.after.split()), default=0.0)
        total = before

        for step, seconds in took[agent].items():
            subs = [a for a, f in began.items() if f.parent == agent and f.stage == step]
            total += seconds + max((own(sub) for sub in subs), default=0.0)

        return total

    return max((own(agent) for agent in began), default=0.0)


STAGES = st.lists(st.lists(st.integers(0, 5), max_size=4).map(tuple), max_size=4)
CHAINS = st.lists(st.lists(st.integers(1, 5), max_size=3).map(tuple), max_size=4)


@given(st.one_of(STAGES.map(lambda rows: staged(*rows)), CHAINS.map(lambda rows: chains(*rows))))
def test_the_span_is_the_longest_chain(trace: Trace) -> None:
    assert metrics(trace).span_s == pytest.approx(longest_chain(trace))


@given(STAGES)
def test_critical_steps_are_the_published_sum(rows: list[tuple[int, ...]]) -> None:
    found = metrics(staged(*rows))
    assert found.critical_steps == sum(1 + max(row, default=0) for row in rows)
    assert found.total_steps == sum(1 + sum(row) for row in rows)


@given(swarms())
def test_what_holds_of_every_prefix(trace: Trace) -> None:
    found = metrics(trace)
    assert found.critical_steps <= found.total_steps
    assert found.span_s <= found.work_s + EPS
    assert found.span_s <= found.wall_s + EPS
    assert (found.average_concurrency or 0.0) <= found.agents + EPS


@given(swarms(prefixes=False))
def test_critical_steps_never_shrink(trace: Trace) -> None:
    state = Fold()
    last = 0

    for record in trace:
        state.add(record)
        assert state.critical_steps >= last
        last = state.critical_steps

    expected = sum(stage.critical_steps for stage in state.stages.values())
    assert last == expected


def test_metrics_of_every_prefix_of_a_known_run() -> None:
    found = [metrics(prefix).critical_steps for prefix in prefixes_of(staged((), (2, 3), ()))]
    assert found == sorted(found)
    assert found[-1] == 1 + 4 + 1
