"""What the network sees: all that the linear policy does, and what an action would gain and cost.

From the costs and the coupling as it is seen follow the quality of a part with and without a
sub-agent, what the sub-agents that wait would save, and how soon all could be done.
"""

from __future__ import annotations

import numpy as np

from kimi_nb.parl.features import OF_PART, OF_STATE, WORK, Seen, Sight
from kimi_nb.parl.tasks import Bools, Floats, Ints, Tasks
from kimi_nb.parl.world import World

__all__ = ["LEFT", "PARTS", "STATE", "Outlook"]

PARTS = (
    *OF_PART,
    "worth",
    "followers",
    "present",
    "left",
    "own",
    "gain",
    "longer",
    "waits",
    "free",
)
"""Chance that a sub-agent completes it, times its quality then; parts that wait for it; is one; is
not done; its quality if done oneself now; what a sub-agent's would be above that; how much longer
the slowest assigned one would then be; parts that it waits for; ready and nobody is assigned."""
STATE = (*OF_STATE, "context", "soon", "staged", "room", "slowest", "saving", "entangled")
"""Context; what would be left of the budget if the rest went in stages, or alone where that is
quicker; the same if all went in stages; what is left of it now; the slowest assigned part; what a
turn's end now would save; mean coupling of the task as it is seen."""
LEFT = PARTS.index("left")
FEW, SAVED = 4.0, 10.0


class Outlook(Sight):
    """Looks at one world; what does not change is worked out once."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        tasks, costs, seen = world.tasks, world.costs, world.seen_coupling
        self._good = 1 - costs.loss * seen
        worth = costs.reliability * (1 - costs.fragility * seen) * self._good
        followers = tasks.needs.sum(axis=1) / FEW
        self._known = np.stack([2 * worth - 1, followers, tasks.present], axis=2)
        self._layers = _layers(tasks)
        number = np.maximum(tasks.present.sum(axis=1), 1)
        self._entangled = 2 * seen.sum(axis=1) / number - 0.5
        self._late = 1 + (costs.straggler - 1) * min(1.0, 2 * costs.straggling)

    def of(self, rows: Ints) -> Seen:
        """What these episodes look like now."""
        base = super().of(rows)
        tasks, state = self._world.tasks, self._world.state
        left = tasks.present[rows] & ~state.done[rows]
        aimed = state.ready[rows] & (state.queued[rows] > 0)
        needs = tasks.needs[rows] & left[:, None, :]
        parts = np.empty((*base.parts.shape[:2], len(PARTS)))
        parts[:, :, : len(OF_PART)] = base.parts
        self._of_parts(parts[:, :, len(OF_PART) :], rows, left, aimed, needs)
        whole = np.concatenate([base.state, self._of_state(rows, left, aimed)], axis=1)
        return Seen(parts, whole, base.legal, needs & left[:, :, None])

    def _of_parts(self, into: Floats, rows: Ints, left: Bools, aimed: Bools, needs: Bools) -> None:
        costs, state, work = self._world.costs, self._world.state, self._world.tasks.work[rows]
        excess = np.maximum(state.context[rows, None] + work - costs.roomy, 0)
        own = np.clip(1 - costs.pressure * excess, costs.floor, 1)
        slowest = (work * aimed).max(axis=1)
        ready = state.ready[rows]
        into[:, :, :3] = self._known[rows]
        into[:, :, 3] = left
        into[:, :, 4] = 2 * own - 1
        into[:, :, 5] = 2 * (self._good[rows] - own)
        into[:, :, 6] = np.maximum(work - slowest[:, None], 0) / WORK * ready
        into[:, :, 7] = needs.sum(axis=2) / FEW
        into[:, :, 8] = ready & (state.queued[rows] == 0)

    def _of_state(self, rows: Ints, left: Bools, aimed: Bools) -> Floats:
        costs, state, tasks = self._world.costs, self._world.state, self._world.tasks
        work, serial = tasks.work[rows], self._serial[rows]
        room = tasks.budget[rows] - state.critical_steps[rows]
        slowest = (work * aimed).max(axis=1)
        turn = costs.turn + costs.briefing * state.waiting[rows]
        turn = turn + self._late * (costs.start + slowest)
        saving = (work * aimed).sum(axis=1) - turn * (state.waiting[rows] > 0)
        soon, staged = self._rest(rows, left)
        found = np.empty((len(rows), len(STATE) - len(OF_STATE)))
        found[:, 0] = state.context[rows] / costs.roomy - 1
        found[:, 1] = 2 * (room - soon) / serial
        found[:, 2] = 2 * (room - staged) / serial
        found[:, 3] = room / serial - 1
        found[:, 4] = slowest / WORK
        found[:, 5] = saving / SAVED
        found[:, 6] = self._entangled[rows]
        return found

    def _rest(self, rows: Ints, left: Bools) -> tuple[Floats, Floats]:
        """Critical steps of what is left: layer by layer as is quicker, and all in stages."""
        costs = self._world.costs
        layers = self._layers[rows] & left[:, None, :]
        work = layers * self._world.tasks.work[rows][:, None, :]
        number = layers.sum(axis=2)
        slow = costs.turn + self._late * (costs.start + work.max(axis=2))
        stage = slow * np.maximum(np.ceil(number / costs.most), 1) + costs.briefing * number
        return np.minimum(work.sum(axis=2), stage).sum(axis=1), (stage * (number > 0)).sum(axis=1)


def _layers(tasks: Tasks) -> Bools:
    """(B, layers, N): the parts by how many stages must come before them."""
    depth = np.zeros(tasks.work.shape, int)

    for part in range(1, tasks.parts):
        depth[:, part] = np.where(tasks.needs[:, part], depth + 1, 0).max(axis=1)

    layers = np.arange(int(depth.max(initial=0)) + 1)
    return (depth[:, None, :] == layers[:, None]) & tasks.present[:, None, :]
