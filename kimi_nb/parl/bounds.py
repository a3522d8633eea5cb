"""How few critical steps a task could take: a bound in closed form, and the least with luck.

Both hold for every policy of the world whose sub-agents do at best what they can: complete
every part, and never straggle. Quality and budget play no part.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from kimi_nb.errors import UsageFault
from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import Floats, Ints, Tasks, to_the_end

__all__ = ["FEASIBLE", "least", "lower_bound"]

FEASIBLE = 14
"""Parts up to which `least` is offered: what it takes grows as two to that power."""


def lower_bound(tasks: Tasks, costs: Costs | None = None) -> Floats:
    """(B,) critical steps: the critical path of the graph, or all work at the greatest rate.

    No stage does more work for a critical step than a full one of sub-agents with the task's
    largest work each, or than the main agent, who does one. The rate is below `costs.most`.
    """
    costs = costs or Costs()
    largest = tasks.work.max(axis=1)
    full = costs.turn + costs.briefing * costs.most + costs.start + largest
    rate = np.maximum(costs.most * largest / full, 1)
    return np.maximum(to_the_end(tasks).max(axis=1), tasks.work.sum(axis=1) / rate)


def least(tasks: Tasks, costs: Costs | None = None) -> Floats:
    """(B,) the fewest critical steps if no sub-agent fails or straggles, by dynamic programming.

    Raises UsageFault for a task of more than FEASIBLE parts.
    """
    size = int(tasks.present.sum(axis=1).max(initial=0))

    if size > FEASIBLE:
        raise UsageFault(
            f"A task of {size} parts is too large for dynamic programming, which ends at "
            f"{FEASIBLE}. Use lower_bound(tasks)."
        )

    costs = costs or Costs()
    return np.array([_Search(tasks, at, costs).least() for at in range(len(tasks))], float)


class _Search:
    """The fewest critical steps that get one task from nothing to all; sets of parts are bits."""

    def __init__(self, tasks: Tasks, at: int, costs: Costs) -> None:
        self._size = int(tasks.present[at].sum())
        self._work: list[int] = tasks.work[at].tolist()
        self._needs = [_bits(np.flatnonzero(row)) for row in tasks.needs[at]]
        self._costs = costs

    def least(self) -> float:
        """Over all sets in the order of their number: doing more only adds bits."""
        everything = 2**self._size - 1
        best = {0: 0.0}

        for done in range(everything):
            if (spent := best.get(done)) is None:
                continue

            for added, cost in self._stages(done):
                after = done | added
                best[after] = min(best.get(after, np.inf), spent + cost)

        return best[everything]

    def _stages(self, done: int) -> Iterator[tuple[int, float]]:
        """The parts that a stage may add, and its critical steps.

        A sub-agent more that is no slower than the slowest costs its briefing only, now as in any
        later stage: so a stage takes all ready parts up to some work, or as many as it may. What
        takes less than a briefing is cheaper done oneself, and no later for being done before.
        """
        costs, work = self._costs, self._work
        ready = [
            part
            for part in range(self._size)
            if not done >> part & 1 and self._needs[part] & done == self._needs[part]
        ]
        yield from ((1 << part, float(work[part])) for part in ready)

        for slowest in {work[part] for part in ready}:
            fits = [part for part in ready if work[part] <= slowest]
            number = min(len(fits), costs.most)
            cost = costs.turn + costs.briefing * number + costs.start + slowest
            yield from ((_bits(some), cost) for some in combinations(fits, number))


def _bits(parts: Ints | tuple[int, ...]) -> int:
    return sum(1 << int(part) for part in parts)
