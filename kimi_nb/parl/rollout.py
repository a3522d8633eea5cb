"""Rollouts: a policy plays tasks to their end, and every action is kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kimi_nb.parl.features import Seen, Sight
from kimi_nb.parl.policy import choose, log_odds
from kimi_nb.parl.reward import Components, r_finish, r_parallel, r_perf
from kimi_nb.parl.tasks import Floats, Ints, Tasks
from kimi_nb.parl.world import Costs, Outcome, World

__all__ = ["Rollouts", "components", "roll_out"]


class Rollouts(NamedTuple):
    """All actions of E episodes, in the order in which they were taken: M of them."""

    seen: Seen
    """What each action saw; M rows."""
    actions: Ints
    """(M,)"""
    odds: Floats
    """(M,) log-probability of the action under the policy that took it."""
    episodes: Ints
    """(M,) whose action it was."""
    outcome: Outcome


def roll_out(
    weights: Floats, tasks: Tasks, dice: np.random.Generator, costs: Costs | None = None
) -> Rollouts:
    """One episode of each task by the policy with these weights. Same dice, same rollouts."""
    world = World(tasks, dice, costs)
    sight, rows = Sight(world), np.arange(len(tasks))
    actions = np.empty(len(tasks), np.int64)
    taken: list[tuple[Seen, Ints, Floats, Ints]] = []

    while len(rows):
        seen = sight.of(rows)
        odds = log_odds(weights, seen)
        chosen = choose(odds, dice)
        taken.append((seen, chosen, odds[np.arange(len(rows)), chosen], rows))
        actions[:] = 2 * tasks.parts + 1
        actions[rows] = chosen
        world.step(actions)
        rows = np.flatnonzero(~world.over)

    looks, acts, all_odds, whose = zip(*taken, strict=True)
    return Rollouts(
        seen=Seen(*(np.concatenate(arrays) for arrays in zip(*looks, strict=True))),
        actions=np.concatenate(acts),
        odds=np.concatenate(all_odds),
        episodes=np.concatenate(whose),
        outcome=world.outcome(),
    )


def components(outcome: Outcome) -> Components[Floats]:
    """The three rewards of each episode."""
    return Components(
        r_parallel(outcome.sub_agents),
        r_finish(outcome.completed, outcome.sub_agents),
        r_perf(outcome.success, outcome.quality),
    )
