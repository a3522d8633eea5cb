"""A world that keeps what happened in each of its episodes, stage by stage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import Ints, Tasks
from kimi_nb.parl.world import Launched, World

__all__ = ["Alone", "Assigned", "Recorded", "Stage"]


class Alone(NamedTuple):
    """The main agent did a part itself."""

    part: int
    steps: int


class Assigned(NamedTuple):
    """What became of one sub-agent."""

    part: int
    steps: float
    finished: bool
    """Its work counts: the part is done, and by this one."""
    why: str
    """Why it does not; "" where it does."""


Stage = Alone | tuple[Assigned, ...]


class Recorded(World):
    """A world whose `stages` tell what happened, one list for each episode."""

    def __init__(
        self,
        tasks: Tasks,
        dice: np.random.Generator,
        costs: Costs | None = None,
        noise: float = 0.0,
    ) -> None:
        super().__init__(tasks, dice, costs, noise)
        self.stages = [list[Stage]() for _ in range(len(tasks))]
        self.submitted = np.zeros(len(tasks), bool)
        """(E,) ended by the policy, not by the budget."""

    def step(self, actions: Ints) -> None:
        live = ~self.over
        super().step(actions)
        self.submitted |= live & (actions == 2 * self.tasks.parts + 1)

    def _alone(self, rows: Ints, parts: Ints) -> None:
        row: int
        part: int

        for row, part in zip(rows.tolist(), parts.tolist(), strict=True):
            self.stages[row].append(Alone(part, int(self.tasks.work[row, part])))

        super()._alone(rows, parts)

    def _run(self, rows: Ints) -> None:
        launched = self._launched(rows)
        row: int

        for at, row in enumerate(rows.tolist()):
            self.stages[row].append(self._team(row, launched, at))

        super()._run(rows)

    def _team(self, row: int, launched: Launched, at: int) -> tuple[Assigned, ...]:
        """The sub-agents of the stage that begins, in the order in which they were assigned."""
        found: list[Assigned] = []
        taken: set[int] = set()
        columns = launched.parts[at], launched.steps[at], launched.completes[at]

        for part, steps, could in zip(*(column.tolist() for column in columns), strict=True):
            if part >= 0:
                counts = could and part not in taken
                why = "" if counts else self._why(row, part, twin=part in taken)
                found.append(Assigned(part, steps, counts, why))
                taken |= {part} if could else set()

        return tuple(found)

    def _why(self, row: int, part: int, *, twin: bool) -> str:
        """Why a sub-agent with that part comes to nothing in the stage that begins."""
        state, tasks, name = self.state, self.tasks, f"part {part + 1}"

        if state.done[row, part]:
            return f"{name} was done before: there was nothing to do"

        if waits := np.flatnonzero(tasks.needs[row, part] & ~state.done[row]).tolist():
            others = ", ".join(str(other + 1) for other in waits)
            return f"{name} waits for what is not done yet: {others}"

        if twin:
            return f"{name} was completed by another sub-agent of the same stage"

        return f"{name} did not come out, by chance (coupling {tasks.coupling[row, part]:.2f})"
