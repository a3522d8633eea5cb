"""The world of an orchestrator: what a stage costs, what is legal, what chance may do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_nb.errors import UsageFault
from kimi_nb.parl.tasks import FAMILIES, Ints, Tasks, draw, pick, repeat, to_the_end
from kimi_nb.parl.world import Costs, Outcome, World, play

SURE = Costs(straggling=0.0, reliability=1.0, fragility=0.0)
"""Sub-agents that always complete their part, in the time that it takes."""
REPORT = replace(SURE, briefing=0.0, start=0.0)
"""As in the report's worked example: the main agent's turn is one step, a sub-agent its work."""
SEEDS = st.integers(0, 2**32)


def by_hand(
    work: Sequence[int],
    needs: Sequence[tuple[int, int]] = (),
    *,
    budget: float = 1000.0,
    coupling: float = 0.0,
) -> Tasks:
    """One task; needs are pairs (i, j), part i waits for part j."""
    size = len(work)
    graph = np.zeros((1, size, size), bool)

    for part, other in needs:
        graph[0, part, other] = True

    return Tasks(
        work=np.array([work]),
        coupling=np.full((1, size), coupling),
        needs=graph,
        present=np.ones((1, size), bool),
        family=np.zeros(1, int),
        budget=np.array([budget]),
        serial=np.array([float(sum(work))]),
    )


def world_of(tasks: Tasks, costs: Costs = SURE, seed: int = 0) -> World:
    return World(tasks, np.random.default_rng(seed), costs)


def do(world: World, *words: str) -> Outcome:
    """As "self 0", "spawn 3", "run", "finish"; what became of the one episode."""
    parts = world.tasks.parts

    for word in words:
        verb, _, part = word.partition(" ")
        base = {"self": 0, "spawn": parts, "run": 2 * parts, "finish": 2 * parts + 1}[verb]
        world.step(np.array([base + int(part or 0)]))

    return world.outcome()


def at_random(seed: int) -> Callable[[World], Ints]:
    dice = np.random.default_rng(seed)
    return lambda world: (dice.random(world.legal().shape) * world.legal()).argmax(axis=1)


def first_ready(world: World) -> Ints:
    """All alone, one part after another."""
    parts = world.tasks.parts
    alone = world.legal()[:, :parts]
    return np.where(alone.any(axis=1), alone.argmax(axis=1), 2 * parts + 1)


def same(one: object, other: object) -> bool:
    pairs = zip(astuple(one), astuple(other), strict=True)  # pyright: ignore[reportArgumentType]
    return all(np.array_equal(a, b) for a, b in pairs)


def test_what_one_does_oneself_costs_its_work() -> None:
    found = do(world_of(by_hand([5, 3])), "self 1", "self 0", "finish")
    assert (found.critical_steps[0], found.total_steps[0], found.stages[0]) == (8, 8, 2)
    assert found.success[0]


def test_a_stage_costs_the_briefings_and_its_slowest_sub_agent() -> None:
    found = do(world_of(by_hand([5, 3, 2])), "spawn 0", "spawn 1", "spawn 2", "run", "finish")
    main = 1 + 0.25 * 3
    assert found.critical_steps[0] == main + (5 + 1)
    assert found.total_steps[0] == main + (5 + 1) + (3 + 1) + (2 + 1)
    assert (found.sub_agents[0], found.completed[0], found.useless[0]) == (3, 3, 0)
    assert found.success[0]


@pytest.mark.parametrize(("work", "critical"), [((6, 9, 4, 7), 12), ((7, 7, 6, 6), 10)])
def test_the_reports_example(work: Sequence[int], critical: int) -> None:
    """Three stages, the second launches four: 29 total steps, 12 critical ones, balanced 10."""
    merge = [(5, part) for part in range(5)]
    split = [(part, 0) for part in range(1, 5)]
    world = world_of(by_hand([1, *work, 1], split + merge), REPORT)
    launched = [f"spawn {part}" for part in range(1, 5)]
    found = do(world, "self 0", *launched, "run", "self 5", "finish")
    assert found.critical_steps[0] == critical
    assert found.total_steps[0] == 29
    assert found.stages[0] == 3
    assert found.success[0]


def test_chains_pay_for_the_barrier_between_stages() -> None:
    """1 then 9 and 9 then 1: 18 steps of sub-agents with barriers, not the 10 of each chain."""
    free = replace(REPORT, turn=0.0)
    world = world_of(by_hand([1, 9, 9, 1], [(2, 0), (3, 1)]), free)
    found = do(world, "spawn 0", "spawn 1", "run", "spawn 2", "spawn 3", "run", "finish")
    assert found.critical_steps[0] == 18


def test_a_straggler_takes_half_as_long_again() -> None:
    world = world_of(by_hand([5, 3]), replace(SURE, straggling=1.0))
    assert do(world, "spawn 0", "run").critical_steps[0] == 1.25 + 1.5 * (5 + 1)


def test_done_and_blocked_parts_may_be_assigned_and_count_as_useless() -> None:
    world = world_of(by_hand([5, 6], [(1, 0)]))
    found = do(world, "spawn 1", "run")
    assert found.critical_steps[0] == 1.25 + 6 / 2
    assert (found.useless[0], found.completed[0]) == (1, 0)
    before = do(world, "self 0").critical_steps[0]
    found = do(world, "spawn 0", "run")
    assert found.critical_steps[0] == before + 1.25 + 1
    assert (found.useless[0], found.completed[0]) == (2, 0)


def test_a_part_assigned_twice_in_a_turn_is_completed_once() -> None:
    found = do(world_of(by_hand([5, 3])), "spawn 0", "spawn 0", "spawn 0", "run")
    assert (found.sub_agents[0], found.completed[0], found.useless[0]) == (3, 1, 2)
    assert found.total_steps[0] == 1.75 + 3 * (5 + 1)
    assert found.quality[0] == 0.5


def test_a_part_that_failed_may_be_assigned_again_and_is_not_useless() -> None:
    world = world_of(by_hand([5, 3]), replace(SURE, reliability=0.0))
    found = do(world, "spawn 0", "run", "spawn 0", "run")
    assert (found.sub_agents[0], found.completed[0], found.useless[0]) == (2, 0, 0)


def test_context_presses_on_what_one_does_oneself() -> None:
    world = world_of(by_hand([6, 6, 6]))
    found = do(world, "self 0", "self 1", "self 2", "finish")
    assert found.quality[0] == pytest.approx(1 - 0.022 * 6 / 3)
    assert world.state.context[0] == 18


def test_reports_fill_the_context_and_coupling_costs_quality() -> None:
    world = world_of(by_hand([6, 6, 6], coupling=0.8), replace(SURE, roomy=1e-12))
    found = do(world, "spawn 0", "spawn 1", "run", "self 2", "finish")
    assert world.state.context[0] == 7
    assert found.quality[0] == pytest.approx((2 * (1 - 0.5 * 0.8) + (1 - 0.022 * 7)) / 3)


def test_quality_has_a_floor() -> None:
    found = do(world_of(by_hand([60, 2])), "self 0", "self 1", "finish")
    assert found.quality[0] == pytest.approx(0.2)


def test_one_may_submit_too_soon_and_fails() -> None:
    world = world_of(by_hand([5, 3]))
    found = do(world, "self 0", "finish")
    assert world.over[0]
    assert not found.success[0]
    assert found.quality[0] == 0.5


def test_the_budget_ends_an_episode() -> None:
    world = world_of(by_hand([5, 3], budget=7.5))
    found = do(world, "self 0", "self 1")
    assert world.over[0]
    assert not found.success[0]
    assert found.critical_steps[0] == 8


def test_a_budget_that_is_just_kept_is_kept() -> None:
    found = do(world_of(by_hand([5, 3], budget=8.0)), "self 0", "self 1", "finish")
    assert found.success[0]


def legal_words(world: World) -> set[str]:
    parts = world.tasks.parts
    words = [f"self {i}" for i in range(parts)] + [f"spawn {i}" for i in range(parts)]
    return {
        word for word, yes in zip([*words, "run", "finish"], world.legal()[0], strict=True) if yes
    }


def test_what_is_legal() -> None:
    world = world_of(by_hand([5, 3], [(1, 0)]))
    spawns = {"spawn 0", "spawn 1"}
    assert legal_words(world) == {"self 0", *spawns, "finish"}
    do(world, "spawn 1")
    assert legal_words(world) == {*spawns, "run"}
    do(world, "run", "self 0")
    assert legal_words(world) == {"self 1", *spawns, "finish"}
    do(world, "self 1")
    assert legal_words(world) == {*spawns, "finish"}
    do(world, *["spawn 0"] * 8)
    assert legal_words(world) == {"run"}
    do(world, "run", "finish")
    assert legal_words(world) == {"finish"}


@pytest.mark.parametrize("word", ["self 1", "run", "spawn 5"])
def test_an_illegal_action_is_refused_and_changes_nothing(word: str) -> None:
    tasks = by_hand([5, 3, 2, 2, 2, 2], [(1, 0)])
    world = world_of(replace(tasks, present=np.array([[True] * 5 + [False]])))
    before = world.outcome()

    with pytest.raises(UsageFault, match=r"episode 0.*legal\(\)"):
        do(world, word)

    assert same(world.outcome(), before)


@pytest.mark.parametrize("actions", [[0], [0, 99], [0, -1]])
def test_actions_outside_are_refused(actions: list[int]) -> None:
    world = world_of(repeat(by_hand([5, 3]), 2))

    with pytest.raises(UsageFault, match="for each of 2 episodes"):
        world.step(np.array(actions))


def test_what_is_over_stays_as_it_is() -> None:
    world = world_of(repeat(by_hand([5, 3]), 2))
    world.step(np.array([0, 5]))
    world.step(np.array([1, 5]))
    assert world.outcome().stages.tolist() == [2, 0]


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_invariants_of_random_play(seed: int) -> None:
    dice = np.random.default_rng(seed)
    world = World(draw(dice, 20), dice)
    policy, spent, done = at_random(seed), np.zeros(20), np.zeros((20, 12), bool)

    while not world.over.all():
        legal, over, state = world.legal(), world.over.copy(), world.state
        assert legal.any(axis=1).all()
        assert not (state.ready & (state.done | ~world.tasks.present)).any()
        assert ((state.quality > 0) == state.done).all()
        world.step(policy(world))
        now = world.outcome()
        assert (now.critical_steps >= spent).all()
        assert (now.critical_steps[over] == spent[over]).all()
        assert (state.done >= done).all()
        assert (over <= world.over).all()
        spent, done = now.critical_steps, state.done.copy()

    found = world.outcome()
    assert (found.critical_steps <= found.total_steps).all()
    assert (found.completed + found.useless <= found.sub_agents).all()
    assert (found.sub_agents <= 8 * found.stages).all()
    assert ((found.quality >= 0) & (found.quality <= 1)).all()
    assert (found.critical_steps <= world.tasks.budget)[found.success].all()


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_all_alone_costs_the_serial_steps_exactly(seed: int) -> None:
    dice = np.random.default_rng(seed)
    tasks = draw(dice, 20)
    free = replace(tasks, budget=np.full(20, np.inf))
    found = play(World(free, dice), first_ready)
    assert np.array_equal(found.critical_steps, tasks.serial)
    assert np.array_equal(found.total_steps, tasks.serial)
    assert np.array_equal(found.stages, tasks.present.sum(axis=1))
    assert found.success.all()


def test_the_same_seed_is_the_same_world() -> None:
    played: list[Outcome] = []

    for seed in (1, 1, 2):
        dice = np.random.default_rng(seed)
        played.append(play(World(draw(dice, 50), dice), at_random(3)))

    assert same(played[0], played[1])
    assert not same(played[0], played[2])


def test_many_at_once_are_as_one_by_one() -> None:
    tasks = draw(np.random.default_rng(4), 30)
    dice = np.random.default_rng(5)
    found = play(World(tasks, dice), greedy_spawner)
    dice = np.random.default_rng(5)
    alone = [
        play(World(pick(tasks, np.array([at])), dice), greedy_spawner) for at in range(len(tasks))
    ]
    assert found.sub_agents.sum() > 100
    assert len(set(found.critical_steps - found.critical_steps.astype(int))) > 1

    for field in fields(Outcome):
        joined = np.concatenate([getattr(one, field.name) for one in alone])
        assert np.array_equal(getattr(found, field.name), joined)


def greedy_spawner(world: World) -> Ints:
    """Every ready part to a sub-agent, without dice of its own."""
    state, parts = world.state, world.tasks.parts
    fresh = state.ready & (state.queued == 0) & (state.waiting < world.costs.most)[:, None]
    rest = np.where(state.waiting > 0, 2 * parts, 2 * parts + 1)
    spawns = np.where(fresh.any(axis=1), parts + fresh.argmax(axis=1), rest)
    return np.where(world.over, 2 * parts + 1, spawns)


def test_no_luck_comes_twice() -> None:
    world = world_of(repeat(by_hand([2, 3]), 10))
    seen: list[float] = []

    for _ in range(3):
        seen += world._luck(np.arange(10)).ravel().tolist()
        world.step(np.full(10, 2))
        world.step(np.full(10, 4))

    assert len(set(seen)) == 3 * 10 * 2 * 8


def test_luck_is_as_likely_as_the_costs_say() -> None:
    tasks = repeat(by_hand([4] * 8, coupling=0.5), 4000)
    world = World(tasks, np.random.default_rng(6))

    for part in range(8):
        world.step(np.full(4000, 8 + part))

    world.step(np.full(4000, 16))
    found = world.outcome()
    assert found.completed.mean() / 8 == pytest.approx(0.95 * (1 - 0.65 * 0.5), abs=0.01)
    assert found.total_steps.mean() == pytest.approx(3 + 8 * 5 * 1.05, abs=0.1)
    apart = np.corrcoef(world.state.done.T)[np.triu_indices(8, 1)]
    assert np.abs(apart).max() < 0.06


@given(SEEDS, st.sampled_from([None, 3, 7, 20]))
@settings(max_examples=15, deadline=None)
def test_tasks_are_what_their_families_say(seed: int, parts: int | None) -> None:
    tasks = draw(np.random.default_rng(seed), 30, parts=parts)
    size = tasks.present.sum(axis=1)
    trap = tasks.family == FAMILIES.index("trap")
    loose = trap | (tasks.family == FAMILIES.index("deep"))
    ratio = tasks.budget / tasks.serial
    assert not (tasks.needs & ~tasks.present[:, :, None]).any()
    assert not (tasks.needs & ~tasks.present[:, None, :]).any()
    assert not np.triu(tasks.needs).any()
    assert np.array_equal(tasks.serial, tasks.work.sum(axis=1))
    assert ((tasks.work >= 2) & (tasks.work <= 6))[tasks.present].all()
    assert not tasks.work[~tasks.present].any()
    assert ((ratio >= 1.3) & (ratio <= 2.0))[loose].all()
    assert ((ratio >= 0.6) & (ratio <= 1.3))[~loose].all()
    assert (tasks.coupling[trap] >= 0.75)[tasks.present[trap]].all()
    assert (tasks.coupling[~trap] <= 0.25).all()
    assert (size == parts).all() if parts else ((size >= 5) & (size <= 12)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_alone(family: str) -> None:
    tasks = draw(np.random.default_rng(0), 200, [family])
    size, longest = tasks.present.sum(axis=1), to_the_end(tasks).max(axis=1)
    depths = {"wide": (2, 2), "trap": (2, 2), "mapreduce": (3, 3), "deep": (5, 8), "mixed": (2, 12)}
    low, high = depths[family]
    assert (tasks.family == FAMILIES.index(family)).all()
    assert len(set(size)) > 1
    assert ((longest >= 2 * low) & (longest <= 6 * high)).all()
    assert (longest == tasks.serial).all() == (family == "deep")


def test_the_way_to_the_end() -> None:
    tasks = by_hand([2, 3, 4, 5], [(1, 0), (2, 0), (3, 2)])
    assert to_the_end(tasks).tolist() == [[11, 3, 9, 5]]


def test_copies_of_a_task_stand_side_by_side() -> None:
    tasks = draw(np.random.default_rng(0), 3)
    twice = repeat(tasks, 2)
    assert np.array_equal(twice.work, tasks.work[[0, 0, 1, 1, 2, 2]])
    assert np.array_equal(twice.budget[::2], tasks.budget)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"families": ["wdie"]}, "wide, deep"), ({"families": []}, "wide"), ({"parts": 2}, "parts=3")],
)
def test_tasks_that_cannot_be_drawn(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageFault, match=message):
        draw(np.random.default_rng(0), 1, **given)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("most", 0),
        ("most", 10**9),
        ("most", 2.5),
        ("turn", -1),
        ("start", math.nan),
        ("straggler", math.inf),
        ("roomy", 0),
        ("reliability", 1.1),
        ("straggling", -0.1),
        ("briefing", "0.1"),
    ],
)
def test_costs_that_cannot_be_say_what_to_type(name: str, value: Any) -> None:
    with pytest.raises(UsageFault, match=rf"^{name} is a .*number .*: type Costs\({name}=…\)$"):
        Costs(**{name: value})


def test_costs_may_be_nothing_and_come_from_numpy() -> None:
    free: dict[str, Any] = dict.fromkeys(("turn", "briefing", "start", "straggling", "report"), 0)
    assert Costs(**free).turn == 0
    numbers: dict[str, Any] = {"most": np.int64(3), "turn": np.float64(0.5)}
    assert Costs(**numbers).most == 3
