"""What has really happened, as the state of a world of one episode: what a policy can look at.

Measured are the parts that are done, the steps that were taken, and how long the conversation is.
Reckoned are the work and the coupling of a part, by the rules that divide the goal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kimi_nb.models.simulator.division import Part
from kimi_nb.parl.state import MOST, Costs
from kimi_nb.parl.tasks import Tasks
from kimi_nb.parl.world import World

__all__ = ["Situation", "mirrored"]

LONGEST = 6
"""Steps of the longest part that there is in training. Where one takes more, all steps are told
smaller in proportion, the budget's too."""
SPARE = 0.3
"""Where no budget is set: what is left of it over doing the rest alone, as part of all work. So
much has the loosest task in training of those that can be split."""
FULL = 6.0
"""Times a roomy context, above which none has been in training; nor is it told to be larger."""


class Situation(NamedTuple):
    """How far the run is, in its own measures."""

    critical_steps: int
    """Taken so far, of the main agent and of the longest of each stage."""
    budget: int | None
    """Critical steps of the whole run; None for no limit."""
    context: float
    """How full the main agent's context is: 1 is what it can use without forgetting."""
    left: int
    """Sub-agents that may still be launched."""


def mirrored(parts: Sequence[Part], now: Situation) -> World:
    """A world whose one episode is as far as the run. It is looked at, and not played to its end.

    A step is a model call, in training as here, unless parts are longer than any there. A stage
    takes as many sub-agents as in training, or as there are parts to do if that is more.
    """
    number = max(1, len(parts))  # a goal without parts: nothing is present
    present = np.arange(number)[None] < len(parts)
    unit = max(1.0, max((part.work for part in parts), default=0.0) / LONGEST)
    work = np.ones((1, number), int) * present
    coupling, done = np.zeros((1, number)), np.zeros((1, number), bool)
    needs = np.zeros((1, number, number), bool)

    for at, part in enumerate(parts):
        work[0, at] = max(1, round(part.work / unit))
        coupling[0, at], done[0, at] = part.coupling, part.done
        needs[0, at, list(part.needs)] = True

    serial = work.sum(axis=1).astype(float)
    spent = now.critical_steps / unit
    left = (work * ~done).sum(axis=1)
    free = spent + left + SPARE * serial
    tasks = Tasks(
        work=work,
        coupling=coupling,
        needs=needs,
        present=present,
        family=np.zeros(1, int),
        budget=free if now.budget is None else np.array([now.budget / unit]),
        serial=serial,
    )
    undone = sum(not part.done for part in parts)
    costs = Costs(most=max(1, min(now.left, MOST, max(Costs().most, undone))))
    world = World(tasks, np.random.default_rng(0), costs)
    state = world.state
    state.done[:] = done
    state.ready[:] = present & ~done & ~(needs & ~done[:, None, :]).any(axis=2)
    state.critical_steps[:] = spent
    state.context[:] = costs.roomy * min(now.context, FULL)
    return world
