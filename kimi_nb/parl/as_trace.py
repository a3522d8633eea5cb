"""Rollouts as ordinary traces, so that what shows, measures and diagnoses runs takes them too.

    rollout, *_ = kn.parl.as_traces(training.weights, kn.parl.draw(dice, 20), seed=1)
    kn.metrics(rollout), kn.diagnose(rollout)
    kn.replay(rollout.save("rollout.jsonl"))

One second of a trace is one step of the world. So its wall time and its span are the rollout's
critical steps, and its work is the total steps, exactly. Turns can only be whole: what the main
agent does itself has one for each step, the launch of a stage is a single turn that takes as
many seconds as its briefings take steps, and the last turn of a sub-agent may be a shorter one.
The trace's critical steps, a count of turns, are therefore for each stage 1 + the steps of the
slowest sub-agent, rounded up, without what the briefings cost. Submitting takes no step.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from kimi_nb.parl.recorded import Recorded
from kimi_nb.parl.rollout import roll_out
from kimi_nb.parl.tasks import Floats, Ints, Tasks
from kimi_nb.parl.told import trace_of
from kimi_nb.parl.world import Costs, World, play
from kimi_nb.trace import Trace

__all__ = ["as_traces"]


def as_traces(
    player: Floats | Callable[[World], Ints],
    tasks: Tasks,
    *,
    seed: int = 0,
    costs: Costs | None = None,
    policy: str = "linear",
    noise: float = 0.0,
    sure: bool = False,
) -> list[Trace]:
    """One rollout of each task as a trace, labelled as simulated, with the world's judgement.

    player: the weights of a policy, whose rollouts are those of
        `roll_out(weights, tasks, np.random.default_rng(seed), costs, policy=…, …)`; or a function
        of the world that gives an action for each episode, as those of HEURISTICS.
    noise, sure: as roll_out has them; a function is no policy that draws, so `sure` is nothing
        to it.
    """
    dice = np.random.default_rng(seed)

    if callable(player):
        world, name = Recorded(tasks, dice, costs, noise), _name(player)
        play(world, player)
    else:
        world, name = Recorded(tasks, copy.deepcopy(dice), costs, noise), f"{policy} policy"
        taken = roll_out(player, tasks, dice, costs, policy=policy, noise=noise, sure=sure)
        _repeat(world, taken.actions)

    return [trace_of(world, episode, name, seed) for episode in range(len(tasks))]


def _name(player: Callable[[World], Ints]) -> str:
    return getattr(player, "__name__", type(player).__name__).replace("_", " ")


def _repeat(world: World, actions: Ints) -> None:
    """All actions of rollouts once more: with the same luck the same happens again."""
    finish, at = 2 * world.tasks.parts + 1, 0

    while len(rows := np.flatnonzero(~world.over)):
        turn = np.full(len(world.over), finish)
        turn[rows] = actions[at : at + len(rows)]
        at += len(rows)
        world.step(turn)
