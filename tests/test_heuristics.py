"""Rules with bounds of one's own."""

from __future__ import annotations

import numpy as np
import pytest

from kimi_nb.parl import HEURISTICS, World, draw, play, splitting

TASKS = draw(np.random.default_rng(3), 40)


def played(policy: object) -> tuple[list[float], list[int]]:
    outcome = play(World(TASKS, np.random.default_rng(4)), policy)  # pyright: ignore[reportArgumentType]
    return outcome.critical_steps.tolist(), outcome.sub_agents.tolist()


@pytest.mark.parametrize(
    ("coupling", "at_least", "name"),
    [(0.5, 2, "greedy"), (1.1, 1, "all-parallel"), (0.0, 1, "all-serial")],
)
def test_the_rules_between_which_it_lies(coupling: float, at_least: int, name: str) -> None:
    assert played(splitting(coupling, at_least)) == played(HEURISTICS[name])


def test_more_parts_that_it_waits_for_are_fewer_sub_agents() -> None:
    launched = [sum(played(splitting(0.5, at_least))[1]) for at_least in (1, 3, 6, 99)]
    assert launched == sorted(launched, reverse=True)
    assert launched[-1] == 0 < launched[-2]
