"""The fewest critical steps that can be expected: by trying everything, and by playing it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_nb.errors import UsageFault
from kimi_nb.parl.bounds import least
from kimi_nb.parl.expected import TWICE, least_expected, solve, swiftest
from kimi_nb.parl.heuristics import HEURISTICS
from kimi_nb.parl.tasks import FAMILIES, PARALLELISABLE, Tasks, draw, repeat
from kimi_nb.parl.world import Costs, World, play

SEEDS = st.integers(0, 2**32)


def tasks_of(seed: int, number: int, *families: str, parts: int | None = None) -> Tasks:
    tasks = draw(np.random.default_rng(seed), number, families or FAMILIES, parts)
    return replace(tasks, budget=np.full(number, np.inf))


def stage(tasks: Tasks, costs: Costs, aimed: list[int]) -> list[tuple[float, float, set[int]]]:
    """Chance, critical steps and completed parts of everything that a stage can come to."""
    found: list[tuple[float, float, set[int]]] = []
    main = costs.turn + costs.briefing * len(aimed)

    for luck in product([(late, good) for late in (0, 1) for good in (0, 1)], repeat=len(aimed)):
        chance, slowest, done = 1.0, 0.0, set[int]()

        for part, (late, good) in zip(aimed, luck, strict=True):
            right = costs.reliability * (1 - costs.fragility * tasks.coupling[0, part])
            chance *= (costs.straggling if late else 1 - costs.straggling) * (
                right if good else 1 - right
            )
            full = costs.start + tasks.work[0, part]
            slowest = max(slowest, full * (costs.straggler if late else 1))
            done |= {part} if good else set()

        found.append((chance, main + slowest, done))

    return found


def by_trying_everything(tasks: Tasks, costs: Costs) -> float:
    """Of one task, by the definition: every stage, and everything that luck can make of it."""
    everything = frozenset(np.flatnonzero(tasks.present[0]).tolist())
    known = {everything: 0.0}

    def from_here(done: frozenset[int]) -> float:
        if done in known:
            return known[done]

        needs = tasks.needs[0]
        ready = [p for p in everything - done if set(np.flatnonzero(needs[p])) <= done]
        best = min(float(tasks.work[0, p]) + from_here(done | {p}) for p in ready)

        for copies in product(range(TWICE + 1), repeat=len(ready)):
            aimed = [p for p, times in zip(ready, copies, strict=True) for _ in range(times)]

            if not 0 < len(aimed) <= costs.most:
                continue

            ends = stage(tasks, costs, aimed)
            spent = sum(chance * steps for chance, steps, _ in ends)
            later = sum(chance * from_here(done | new) for chance, _, new in ends if new)
            best = min(best, (spent + later) / sum(chance for chance, _, new in ends if new))

        known[done] = best
        return best

    return from_here(frozenset())


RISKY = Costs(reliability=0.7, straggling=0.3, briefing=0.1, turn=0.0, start=0.2, most=3)


@given(SEEDS, st.sampled_from(FAMILIES), st.sampled_from([Costs(), RISKY]))
@settings(max_examples=15, deadline=None)
def test_it_is_what_trying_everything_finds(seed: int, family: str, costs: Costs) -> None:
    tasks = tasks_of(seed, 1, family, parts=4)
    assert np.allclose(least_expected(tasks, costs), by_trying_everything(tasks, costs))


def test_a_second_sub_agent_for_a_part_can_pay() -> None:
    best = solve(tasks_of(0, 1, "wide", parts=4), 0, RISKY)
    assert best.stage.max() == TWICE


def test_without_failures_and_stragglers_it_is_the_least() -> None:
    costs = Costs(straggling=0.0, reliability=1.0, fragility=0.0)
    tasks = tasks_of(1, 20, parts=7)
    assert np.allclose(least_expected(tasks, costs), least(tasks, costs))


def test_whoever_plays_by_it_needs_as_many_steps_on_average() -> None:
    tasks = tasks_of(2, 6, *PARALLELISABLE, parts=6)
    expected, times = least_expected(tasks), 200
    many = repeat(tasks, times)
    outcome = play(World(many, np.random.default_rng(3)), swiftest(many))
    steps = outcome.critical_steps.reshape(-1, times)
    assert outcome.success.all()
    assert steps.std(axis=1).min() > 0.5
    apart = (steps.mean(axis=1) - expected) / (steps.std(axis=1) / np.sqrt(times))
    assert np.abs(apart).max() < 4


def test_no_heuristic_needs_fewer() -> None:
    tasks = tasks_of(4, 40, *PARALLELISABLE, parts=8)
    expected = least_expected(tasks)
    assert (expected >= least(tasks)).all()

    for heuristic in HEURISTICS.values():
        steps = play(World(tasks, np.random.default_rng(5)), heuristic).critical_steps
        over = steps - expected
        assert over.mean() > -2 * over.std() / np.sqrt(len(over))


def test_a_task_that_is_too_large_is_refused() -> None:
    with pytest.raises(UsageFault, match="lower_bound"):
        least_expected(tasks_of(0, 1, parts=13))
