"""Rollouts: a policy plays tasks to their end, and every action is kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kimi_nb.errors import UsageFault
from kimi_nb.parl.features import Seen
from kimi_nb.parl.policy import POLICIES, Policy, choose, likeliest
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
    policy: str = "linear"
    """Whose, of POLICIES."""


def roll_out(
    weights: Floats,
    tasks: Tasks,
    dice: np.random.Generator,
    costs: Costs | None = None,
    *,
    policy: str = "linear",
    noise: float = 0.0,
    sure: bool = False,
) -> Rollouts:
    """One episode of each task by the policy with these weights. Same dice, same rollouts.

    `noise` is the standard deviation of what is seen of the coupling. When `sure`, each action is
    the likeliest one and none is drawn. Raises UsageFault without a task, for a policy that there
    is not, and for weights that are none of it.
    """
    plays = _checked(weights, tasks, policy)
    world = World(tasks, dice, costs, noise)
    sight, rows = plays.sight(world), np.arange(len(tasks))
    actions = np.empty(len(tasks), np.int64)
    taken: list[tuple[Seen, Ints, Floats, Ints]] = []

    while len(rows):
        seen = sight.of(rows)
        odds = plays.log_odds(weights, seen)
        chosen = likeliest(odds) if sure else choose(odds, dice)
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
        policy=policy,
    )


def _checked(weights: Floats, tasks: Tasks, policy: str) -> Policy:
    if not len(tasks):
        raise UsageFault("there is no task to play: draw(dice, 1) draws one")

    if (plays := POLICIES.get(policy)) is None:
        raise UsageFault(f"policy is one of {', '.join(POLICIES)}, not {policy!r}")

    if (shape := np.shape(weights)) != (plays.number,):
        raise UsageFault(
            f"the policy {policy!r} has {plays.number} weights, and these are {shape}: "
            "give those of a training of that policy, as load(checkpoint).weights has them"
        )

    return plays


def components(outcome: Outcome) -> Components[Floats]:
    """The three rewards of each episode."""
    return Components(
        r_parallel(outcome.sub_agents),
        r_finish(outcome.completed, outcome.sub_agents),
        r_perf(outcome.success, outcome.quality),
    )
