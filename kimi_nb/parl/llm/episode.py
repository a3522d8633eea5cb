"""One episode of the world whose actions are a language model's calls, at a cost for every one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kimi_nb.errors import ToolError
from kimi_nb.parl.tasks import Ints, Tasks
from kimi_nb.parl.world import Costs, Launched, World

__all__ = ["CALL", "Episode"]

CALL = 1.0
"""Steps of a call that does no work, one that is refused included. A call that were free would be
farmed: tokens that cost nothing and put off the end."""
_ROW = np.zeros(1, np.int64)


class Episode(World):
    """The world with one task in it; parts are numbers from 0. Same dice, same luck."""

    def __init__(self, tasks: Tasks, dice: np.random.Generator, costs: Costs | None = None) -> None:
        super().__init__(tasks, dice, costs)
        self.heard = 0
        """Calls that were billed so far, whatever came of them."""
        self._right: Sequence[bool] | None = None

    @property
    def number(self) -> int:
        """Parts of the task."""
        return int(self.tasks.present[0].sum())

    def idle(self, calls: int = 1) -> None:
        """Bill calls that do no work."""
        self.heard += calls
        steps, over = np.full(1, calls * CALL), self.over[0]
        self._legal = None
        self._end_stage(_ROW, steps, steps)
        self.over[0] |= over

    def alone(self, part: int) -> None:
        """The orchestrator does a part itself. Raises ToolError if it cannot, and bills that."""
        if not self._open():
            self.idle()
            raise ToolError(self._over())

        if not self.state.ready[0, part]:
            why = self.hindered(part)
            self.idle()
            raise ToolError(why)

        self.heard += 1
        self.step(np.full(1, part))

    def stage(self, parts: Sequence[int], right: Sequence[bool] | None) -> list[bool]:
        """One stage of a sub-agent for each of these parts; whether each completed its own.

        `right` says which ones did, of those whose part was ready; None: chance decides. Raises
        ToolError once the budget is used up, and bills that.
        """
        if not self._open():
            self.idle(len(parts))
            raise ToolError(self._over())

        self.heard += len(parts)
        number = self.tasks.parts

        for part in parts:
            self.step(np.full(1, number + part))

        self._right = right
        completes = self._launched(_ROW).completes[0, : len(parts)].tolist()
        self.step(np.full(1, 2 * number))
        self._right = None
        return completes

    def submit(self) -> None:
        """The orchestrator says that it is done; of no effect where the budget is used up."""
        if self._open():
            self.step(np.full(1, 2 * self.tasks.parts + 1))

    def hindered(self, part: int) -> str:
        """Why a part cannot be done now; "" if it can."""
        if self.state.done[0, part]:
            return f"P{part + 1} was done already"

        needs = np.flatnonzero(self.tasks.needs[0, part] & ~self.state.done[0])
        names = " and ".join(f"P{need + 1}" for need in needs)
        return f"P{part + 1} waits for {names}" if names else ""

    def spent(self) -> str:
        """As "12.5 of 31.0 steps"."""
        return f"{self.state.critical_steps[0]:.1f} of {self.tasks.budget[0]:.1f} steps"

    def _open(self) -> bool:
        return not self.over[0]

    def _over(self) -> str:
        return f"the budget is used up ({self.spent()}): end your turn without a call"

    def _launched(self, rows: Ints) -> Launched:
        launched = super()._launched(rows)

        if self._right is None:
            return launched

        ready = np.zeros_like(launched.completes)
        queue = launched.parts[0, : len(self._right)]
        ready[0, : len(self._right)] = self.state.ready[0, queue] & np.array(self._right, bool)
        return launched._replace(completes=ready)
