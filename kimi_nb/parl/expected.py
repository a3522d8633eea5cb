"""The fewest critical steps that can be expected of a task, with failures and stragglers.

`bounds.least` is for sub-agents that never fail, so that no policy comes to it. This is what the
best policy comes to on average that knows the costs, the chances and the coupling, and has
critical steps only in mind: neither quality nor a budget.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kimi_nb.errors import UsageFault
from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import LARGEST, Floats, Ints, Tasks
from kimi_nb.parl.world import World

__all__ = ["TWICE", "Best", "least_expected", "solve", "swiftest"]

TWICE = 2
"""The most sub-agents that a stage has for one part: a second one is for the other's failure."""

TINY = 1e-12
"""The chance of a stage of which nothing can come: none is taken."""


class Best(NamedTuple):
    """What is best in each state of one task; a state is the set of done parts, as bits."""

    steps: Floats
    """(2^n,) critical steps that are expected from there on; NaN where no policy comes."""
    alone: Ints
    """(2^n,) the part to do oneself; −1 where a stage is better."""
    stage: Ints
    """(2^n, n) sub-agents for each part in that stage."""


def least_expected(tasks: Tasks, costs: Costs | None = None) -> Floats:
    """(B,) expected critical steps of the best policy.

    Raises UsageFault for a task of more than LARGEST parts. Free ones take most: 12 take seconds
    and 0.4 GB, and each more would take four times that.
    """
    return np.array([solve(tasks, at, costs).steps[0] for at in range(len(tasks))], float)


def solve(tasks: Tasks, at: int, costs: Costs | None = None) -> Best:
    """The best policy of the task at that place, by dynamic programming from the end."""
    size = int(tasks.present[at].sum())

    if size > LARGEST:
        raise UsageFault(
            f"A task of {size} parts is too large for dynamic programming, which ends at "
            f"{LARGEST}. Use lower_bound(tasks)."
        )

    return _Search(tasks, at, size, costs or Costs()).best()


def swiftest(tasks: Tasks, costs: Costs | None = None) -> Callable[[World], Ints]:
    """The best policy of these tasks, to be played in a world of them."""
    rows = [
        b"".join(row.tobytes() for row in (tasks.work[at], tasks.coupling[at], tasks.needs[at]))
        for at in range(len(tasks))
    ]
    known = {
        row: solve(tasks, at, costs)
        for row, at in dict(zip(rows, range(len(tasks)), strict=True)).items()
    }
    found = [known[row] for row in rows]

    def act(world: World) -> Ints:
        return np.array([_act(world, at, best) for at, best in enumerate(found)])

    return act


def _act(world: World, at: int, best: Best) -> int:
    state, parts, size = world.state, world.tasks.parts, best.stage.shape[1]
    done = int((1 << np.flatnonzero(state.done[at])).sum())

    if state.over[at] or done + 1 == len(best.steps):
        return 2 * parts + 1

    if best.alone[done] >= 0:
        return int(best.alone[done])

    left = best.stage[done] > state.queued[at, :size]
    return parts + int(left.argmax()) if left.any() else 2 * parts


class _Search:
    """All states of one task, from the last to the first: doing more only adds bits."""

    def __init__(self, tasks: Tasks, at: int, size: int, costs: Costs) -> None:
        self._costs, self._size = costs, size
        self._work = tasks.work[at, :size].astype(float)
        self._needs = tasks.needs[at, :size, :size] @ (1 << np.arange(size))
        self._chance = costs.reliability * (1 - costs.fragility * tasks.coupling[at, :size])
        full = self._work + costs.start
        self._ends = np.unique([full, full * costs.straggler])
        late = np.where(full * costs.straggler <= self._ends[:, None], 1.0, 1 - costs.straggling)
        self._within = np.where(full <= self._ends[:, None], late, 0.0)
        self._stages: dict[bytes, tuple[Ints, Floats]] = {}

    def best(self) -> Best:
        everything = 2**self._size - 1
        best = Best(
            steps=np.full(everything + 1, np.nan),
            alone=np.full(everything + 1, -1),
            stage=np.zeros((everything + 1, self._size), int),
        )
        best.steps[everything] = 0

        for done in range(everything - 1, -1, -1):
            free = (done >> np.arange(self._size) & 1) == 0
            waits = (self._needs & ~done) != 0

            if not (waits & ~free).any():  # else it is done before what it waits for
                self._decide(best, done, np.flatnonzero(free & ~waits))

        return best

    def _decide(self, best: Best, done: int, ready: Ints) -> None:
        """The best of doing a part oneself and of all stages; a stage in vain is begun again."""
        own = self._work[ready] + best.steps[done | 1 << ready]
        copies, cost = self._stage(ready)
        vain = _spread([(1 - p) ** np.arange(TWICE + 1) for p in self._chance[ready]])
        hope = np.maximum(1 - vain, TINY)
        together = (cost + self._after(done, ready, best.steps)) / hope

        if together.min() < own.min():
            best.steps[done] = together.min()
            best.stage[done, ready] = copies[together.argmin()]
        else:
            best.steps[done], best.alone[done] = own.min(), ready[own.argmin()]

    def _after(self, done: int, ready: Ints, steps: Floats) -> Floats:
        """For each stage the expected steps after it, 0 for those where nothing was completed."""
        sets = np.array([done])

        for part in ready:
            sets = np.stack([sets, sets | 1 << part], axis=-1)

        left = np.where(sets == done, 0.0, steps[sets]).reshape((2,) * len(ready))

        for axis, part in enumerate(ready):
            miss = 1 - self._chance[part]
            misses = miss ** np.arange(TWICE + 1)
            table = np.stack([misses, 1 - misses], axis=1)
            left = np.moveaxis(np.tensordot(table, left, (1, axis)), 0, axis)

        return left.ravel()

    def _stage(self, ready: Ints) -> tuple[Ints, Floats]:
        """All stages of these parts, as sub-agents for each, and their expected critical steps."""
        if (known := self._stages.get(ready.tobytes())) is None:
            costs = self._costs
            copies = np.indices((TWICE + 1,) * len(ready)).reshape(len(ready), -1).T
            number = copies.sum(axis=1)
            within = [
                _spread([row[part] ** np.arange(TWICE + 1) for part in ready])
                for row in self._within
            ]
            slowest = (np.diff(within, axis=0, prepend=0.0) * self._ends[:, None]).sum(axis=0)
            cost = costs.turn + costs.briefing * number + slowest
            cost[(number == 0) | (number > costs.most)] = np.inf
            self._stages[ready.tobytes()] = known = copies, cost

        return known


def _spread(factors: list[Floats]) -> Floats:
    """The products of one factor of each list, in the order of `np.indices`."""
    found = np.ones(1)

    for row in factors:
        found = (found[:, None] * row).ravel()

    return found
