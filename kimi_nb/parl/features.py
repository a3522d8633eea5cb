"""What a policy sees of a world: a few numbers for each part, and a few for the whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kimi_nb.parl.tasks import Bools, Floats, Ints, to_the_end
from kimi_nb.parl.world import World

__all__ = ["MANY", "OF_PART", "OF_STATE", "WORK", "Seen", "Sight"]

OF_PART = ("work", "coupling", "way", "ready", "done", "assigned")
"""Work; coupling; the longest way to the end as part of all work; ready; done; assigned already."""
OF_STATE = ("1", "pressure", "slack", "width", "waiting", "finished")
"""One; how far the context is past what is roomy; what would be left of the budget if the rest
were done alone, as part of all work; ready parts that nobody is assigned to; sub-agents that wait
for the turn's end; nothing is left to do."""
WORK, MANY = 6.0, 8.0
"""What divides a part's work, and a number of parts, so that they are around one."""


class Seen(NamedTuple):
    """What L episodes look like at one step each."""

    parts: Floats
    """(L, N, len(OF_PART))"""
    state: Floats
    """(L, len(OF_STATE))"""
    legal: Bools
    """(L, 2 N + 2)"""
    needs: Bools
    """(L, N, N) what still waits for what; (L, 0, 0) for a policy that does not look at it."""


class Sight:
    """Looks at one world; what does not change is worked out once."""

    def __init__(self, world: World) -> None:
        self._world = world
        tasks = world.tasks
        serial = np.maximum(tasks.serial, 1.0)
        self._fixed = np.stack(
            [tasks.work / WORK, world.seen_coupling, to_the_end(tasks) / serial[:, None]], axis=2
        )
        self._serial = serial

    def of(self, rows: Ints) -> Seen:
        """What these episodes look like now."""
        tasks, state, costs = self._world.tasks, self._world.state, self._world.costs
        done, ready = state.done[rows], state.ready[rows]
        assigned = state.queued[rows] > 0
        parts = np.empty((len(rows), tasks.parts, len(OF_PART)))
        parts[:, :, :3] = self._fixed[rows]
        parts[:, :, 3], parts[:, :, 4], parts[:, :, 5] = ready, done, assigned
        left = (tasks.work[rows] * ~done).sum(axis=1)
        spare = tasks.budget[rows] - state.critical_steps[rows] - left
        whole = np.empty((len(rows), len(OF_STATE)))
        whole[:, 0] = 1.0
        whole[:, 1] = np.maximum(state.context[rows] - costs.roomy, 0.0) / costs.roomy
        whole[:, 2] = spare / self._serial[rows]
        whole[:, 3] = (ready & ~assigned).sum(axis=1) / MANY
        whole[:, 4] = state.waiting[rows] / MANY
        whole[:, 5] = left == 0
        nothing = np.zeros((len(rows), 0, 0), bool)
        return Seen(parts, whole, self._world.legal()[rows], nothing)
