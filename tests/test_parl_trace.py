"""A rollout as a trace: what the views work out of it is what the world says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invariants import check_invariants

import kimi_nb as kn
from kimi_nb import events as e
from kimi_nb.errors import UsageFault
from kimi_nb.parl.as_trace import as_traces
from kimi_nb.parl.heuristics import HEURISTICS, all_serial, greedy
from kimi_nb.parl.policy import POLICIES, prior
from kimi_nb.parl.reward import of_trace
from kimi_nb.parl.rollout import components, roll_out
from kimi_nb.parl.tasks import FAMILIES, Ints, Tasks, draw
from kimi_nb.parl.world import Costs, Outcome, World, play
from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.report import report_html
from kimi_nb.views.state import Run
from kimi_nb.views.words import next_step

SPURIOUS, SERIAL = "spurious parallelism", "serial collapse"
WHOLE = Costs(straggler=2.0, blocked=1.0, briefing=0.25)
"""All that a sub-agent may take is a whole number of steps."""
ODD = Costs(turn=0.7, briefing=0.1, start=0.3, straggling=0.5, straggler=1.7, done=0.0)
SEEDS = st.integers(0, 2**32)


def drawn(seed: int, number: int, *families: str, parts: int | None = None) -> Tasks:
    return draw(np.random.default_rng(seed), number, families or FAMILIES, parts)


def at_random(seed: int, spawning: float) -> Callable[[World], Ints]:
    """Any legal action; a SPAWN is so many times as likely as another."""
    dice = np.random.default_rng(seed)

    def policy(world: World) -> Ints:
        heights = dice.random(world.legal().shape) ** (1 / weights(world))
        return (heights * world.legal()).argmax(axis=1)

    def weights(world: World) -> np.ndarray:
        parts = world.tasks.parts
        found = np.ones(2 * parts + 2)
        found[parts : 2 * parts] = spawning
        found[-1] = 0.02  # else nearly all submit at once
        return found

    return policy


def every_part(world: World) -> Ints:
    """All parts to sub-agents each turn, whether they are done, blocked or neither."""
    parts, state = world.tasks.parts, world.state
    free = world.legal()[:, parts : 2 * parts] & (state.queued == 0)
    finished = (state.done | ~world.tasks.present).all(axis=1)
    ends = np.where(state.waiting > 0, 2 * parts, 2 * parts + 1)
    spawns = free.any(axis=1) & ~finished & ~world.over
    return np.where(spawns, parts + free.argmax(axis=1), ends)


def both(policy: object, tasks: Tasks, seed: int, costs: Costs) -> tuple[list[Trace], Outcome]:
    """The traces, and what the world says became of the same episodes."""
    traces = as_traces(policy(), tasks, seed=seed, costs=costs)  # pyright: ignore[reportCallIssue]
    return traces, play(World(tasks, np.random.default_rng(seed), costs), policy())  # pyright: ignore[reportCallIssue]


def alone(run: Run) -> int:
    """Parts that the main agent did itself, by the answers of its tools."""
    main = run.main()
    assert main is not None
    return sum(f"| {main.id} |" in line for line in run.answer.splitlines())


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([0.3, 1.0, 4.0]), st.sampled_from([Costs(), WHOLE, ODD]))
def test_all_that_the_world_says_is_in_the_trace(seed: int, spawning: float, costs: Costs) -> None:
    tasks = drawn(seed, 4)
    traces, outcome = both(lambda: at_random(seed, spawning), tasks, seed, costs)

    for at, trace in enumerate(traces):
        found, run, judged = kn.metrics(trace), fold(trace), trace[-2].fact
        assert isinstance(judged, e.Judged)
        assert judged.success == outcome.success[at]
        assert judged.quality == outcome.quality[at]
        assert found.wall_s == pytest.approx(outcome.critical_steps[at], abs=1e-5)
        assert found.span_s == pytest.approx(outcome.critical_steps[at], abs=1e-5)
        assert found.work_s == pytest.approx(outcome.total_steps[at], abs=1e-5)
        assert len(run.sub_agents()) == outcome.sub_agents[at]
        launches = sum(bool(stage.sub_agents) for stage in run.stages.values())
        assert launches + alone(run) == outcome.stages[at]
        rewards = [float(values[at]) for values in components(outcome)]
        assert list(of_trace(trace, judged.success, judged.quality)) == rewards
        check_invariants(trace)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from([1.0, 4.0]))
def test_turns_are_steps_without_the_briefings_where_all_steps_are_whole(
    seed: int, spawning: float
) -> None:
    traces, outcome = both(lambda: at_random(seed, spawning), drawn(seed, 4), seed, WHOLE)
    briefings = WHOLE.briefing * outcome.sub_agents

    for at, trace in enumerate(traces):
        found = kn.metrics(trace)
        assert found.critical_steps == outcome.critical_steps[at] - briefings[at]
        assert found.total_steps == outcome.total_steps[at] - briefings[at]


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from([1.0, 4.0]))
def test_else_a_stage_has_less_than_one_turn_more(seed: int, spawning: float) -> None:
    traces, outcome = both(lambda: at_random(seed, spawning), drawn(seed, 4), seed, Costs())

    for at, trace in enumerate(traces):
        found, briefings = kn.metrics(trace), Costs().briefing * outcome.sub_agents[at]
        launches = sum(bool(stage.sub_agents) for stage in fold(trace).stages.values())
        over = found.critical_steps - (outcome.critical_steps[at] - briefings)
        assert 0 <= over <= 0.5 * launches  # stragglers and blocked ones take half steps
        extra = found.total_steps - (outcome.total_steps[at] - briefings)
        assert 0 <= extra <= 0.5 * outcome.sub_agents[at]


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize(("noise", "sure"), [(0.0, False), (0.3, False), (0.3, True)])
def test_the_rollouts_of_weights_are_those_of_the_training(
    policy: str, noise: float, *, sure: bool
) -> None:
    tasks, weights = drawn(4, 30), POLICIES[policy].prior(7.0)
    how = {"policy": policy, "noise": noise, "sure": sure}
    traces = as_traces(weights, tasks, seed=9, **how)  # pyright: ignore[reportArgumentType]
    taken = roll_out(weights, tasks, np.random.default_rng(9), **how)  # pyright: ignore[reportArgumentType]

    assert len(traces) == 30
    assert taken.outcome.sub_agents.sum() > 30
    steps = [kn.metrics(trace).wall_s for trace in traces]
    assert steps == taken.outcome.critical_steps.tolist()
    assert [t[-2].fact.quality for t in traces] == taken.outcome.quality.tolist()  # pyright: ignore[reportAttributeAccessIssue]


def test_a_heuristic_sees_noise_too() -> None:
    tasks = drawn(4, 30)
    clear, blurred = (as_traces(greedy, tasks, seed=9, noise=noise) for noise in (0.0, 0.4))
    found = play(World(tasks, np.random.default_rng(9), noise=0.4), greedy)
    assert [kn.metrics(t).wall_s for t in blurred] == found.critical_steps.tolist()
    assert [kn.metrics(t).wall_s for t in clear] != found.critical_steps.tolist()


def test_one_task_as_it_is_told() -> None:
    tasks = replace(drawn(1, 1, "mapreduce", parts=4), budget=np.array([99.0]))
    trace = as_traces(every_part, tasks, costs=Costs(straggling=0.0, reliability=1.0, fragility=0))[
        0
    ]
    began = [record.fact for record in trace if isinstance(record.fact, e.AgentBegan)]
    ended = {r.agent: r.fact for r in trace if isinstance(r.fact, e.AgentEnded)}
    work, coupling = tasks.work[0], tasks.coupling[0]
    first, _, _, last = (
        f"part {n + 1}: {work[n]} steps, coupling {coupling[n]:.2f}" for n in range(4)
    )

    assert [fact.name for fact in began[:5]] == [
        "every part",
        "part 1",
        "part 2",
        "part 3",
        "part 4",
    ]
    assert began[1].task == first
    assert began[4].task == f"{last}, needs 2, 3"
    assert ended["a1"].outcome == "finished"
    assert ended["a1"].text.startswith("part_1.out, quality ")
    assert ended["a4"] == e.AgentEnded(
        outcome="failed", text="part 4 waits for what is not done yet: 2, 3"
    )
    assert ended["a5"] == e.AgentEnded(
        outcome="failed", text="part 1 was done before: there was nothing to do"
    )
    assert began[8].task == f"{last}, needs 2, 3"  # in the same turn these two are done
    assert began[12].task == f"{last}, needs 2, 3\nHere are part_2.out, part_3.out."
    assert ended["a12"].outcome == "finished"
    assert trace[-1].fact.status == "finished"  # pyright: ignore[reportAttributeAccessIssue]
    assert {
        agent: record.t for record in trace if (agent := record.agent) and record.fact in began[1:5]
    } == {
        f"a{n}": 2.0
        for n in range(1, 5)  # a turn, and four briefings of a quarter each
    }


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_every_useless_sub_agent_is_diagnosed_unless_another_took_its_place(seed: int) -> None:
    """That a later one took it is held of a blocked one whose part another did afterwards."""
    for trace in as_traces(every_part, drawn(seed, 3), seed=seed):
        told = {a for f in kn.diagnose(trace) if f.kind == SPURIOUS for a in f.agents}
        run = fold(trace)
        subs = run.sub_agents()
        idle = [a for a in subs if "nothing to do" in a.outcome or "not done yet" in a.outcome]
        finished = [a for a in subs if a.state == "finished"]
        left = {
            a.id for a in idle if not any(b.name == a.name and b.began > a.began for b in finished)
        }
        assert left <= told
        assert not told & {a.id for a in finished}


def test_all_parallel_with_useless_ones_is_spurious_parallelism() -> None:
    traces = as_traces(every_part, drawn(5, 40, "wide", "mapreduce"), seed=6)
    outcome = play(World(drawn(5, 40, "wide", "mapreduce"), np.random.default_rng(6)), every_part)
    found = [SPURIOUS in {f.kind for f in kn.diagnose(trace)} for trace in traces]
    assert (outcome.useless > 0).sum() > 30
    assert all(found[at] for at in np.flatnonzero(outcome.useless > 1))


@pytest.mark.parametrize("family", ["wide", "mapreduce"])
def test_all_serial_on_a_wide_task_is_serial_collapse(family: str) -> None:
    for trace in as_traces(all_serial, drawn(5, 40, family), seed=6):
        found = kn.diagnose(trace)
        assert [f.kind for f in found] == [SERIAL]
        assert "parallel reward" in found[0].advice  # there is no goal to word otherwise


def test_a_chain_that_one_does_alone_is_none() -> None:
    for trace in as_traces(all_serial, drawn(5, 40, "deep"), seed=6):
        assert list(kn.diagnose(trace)) == []


def test_two_at_once_for_one_part_are_told_apart() -> None:
    """What the second does counts only where the first one's has not come out."""

    def twice(world: World) -> Ints:
        parts, state = world.tasks.parts, world.state
        return np.where(
            world.over | state.done[:, 0],
            2 * parts + 1,
            np.where(state.waiting < 2, parts, 2 * parts),
        )

    tasks = replace(drawn(2, 60, "wide"), budget=np.full(60, 999.0))
    traces, outcome = both(lambda: twice, tasks, 3, Costs(reliability=0.6))
    ends: set[tuple[str, ...]] = set()

    for at, trace in enumerate(traces):
        subs = fold(trace).sub_agents()
        assert sum(agent.state == "finished" for agent in subs) == outcome.completed[at] == 1
        assert outcome.useless[at] == len(subs) / 2
        ends.add(tuple(agent.state for agent in subs[-2:]))
        duplicates = [f for f in kn.diagnose(trace) if f.kind == SPURIOUS]
        assert bool(duplicates) == (subs[-1].state == "failed")

    assert ends == {("finished", "failed"), ("failed", "finished")}


def test_whatever_shows_it_says_that_it_is_simulated(tmp_path: Path) -> None:
    trace = as_traces(greedy, drawn(5, 1), seed=6)[0]
    path = trace.save(tmp_path / "rollout.jsonl")
    run = kn.replay(path)
    views = [
        run,
        kn.diagnose(trace),
        kn.critical_path(trace),
        kn.measures(trace),
        kn.what_if(trace),
    ]

    assert kn.read(path) == trace
    assert all("no language model took part" in repr(view) for view in views)
    assert "no language model took part" in run.answer
    assert "no language model took part" in run.goal
    assert "no language model took part" in report_html(trace)
    assert run.metrics.simulated
    assert run.metrics.cost_usd == 0.0


def test_one_that_spent_its_budget_is_told_no_way_to_go_on(tmp_path: Path) -> None:
    tasks = replace(drawn(5, 1, "wide"), budget=np.array([10.0]))
    trace = as_traces(all_serial, tasks)[0]
    path = trace.save(tmp_path / "rollout.jsonl")
    run = kn.replay(path)

    assert run.status == "partial"
    assert "budget of critical steps" in run.why
    assert run.judged is not None
    assert not run.judged.success
    assert next_step(run.fold, path) == ""

    with pytest.raises(kn.KimiNbError, match=r"kn\.replay"):
        kn.resume(path)


def test_two_policies_on_one_task_are_compared() -> None:
    tasks = replace(drawn(5, 1, "wide"), budget=np.array([99.0]))
    many, one = (as_traces(HEURISTICS[name], tasks)[0] for name in ("all-parallel", "all-serial"))
    found = kn.compare(many, one)
    assert found.speedup_s is not None
    assert found.speedup_s == kn.metrics(one).wall_s / kn.metrics(many).wall_s > 1


@pytest.mark.parametrize(
    ("tasks", "weights", "policy", "said"),
    [
        (0, prior(), "linear", "there is no task to play"),
        (2, prior(), "oracle", "one of linear, network, not 'oracle'"),
        (2, prior()[1:], "linear", r"has 36 weights, and these are \(35,\)"),
        (2, prior(), "network", "the policy 'network' has"),
        (2, "greedy", "linear", r"and these are \(\): give those of a training"),
    ],
)
def test_what_cannot_be_played_is_said(tasks: int, weights: Any, policy: str, said: str) -> None:
    dice = np.random.default_rng(1)

    with pytest.raises(UsageFault, match=said):
        as_traces(weights, draw(dice, tasks), policy=policy)


def test_the_same_seed_gives_the_same_facts() -> None:
    one, again, other = (as_traces(greedy, drawn(5, 3), seed=seed) for seed in (1, 1, 2))
    assert [trace[1:] for trace in one] == [trace[1:] for trace in again]
    assert [trace[1:] for trace in one] != [trace[1:] for trace in other]
