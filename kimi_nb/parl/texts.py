"""What the log of a rollout says in words: the task, its parts, what came of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from kimi_nb.events import Judged
from kimi_nb.parl.recorded import Recorded
from kimi_nb.parl.tasks import FAMILIES

__all__ = ["LABEL", "Texts", "file_of"]

LABEL = "Simulated rollout in the world of kimi_nb.parl: no language model took part."


def file_of(part: int) -> str:
    """A name for the result of a part, as "part_3.out", by which it is found again."""
    return f"part_{part + 1}.out"


class Texts:
    """The texts of one episode, which is over."""

    def __init__(self, world: Recorded, episode: int) -> None:
        self._world, self._episode = world, episode
        self._parts = int(world.tasks.present[episode].sum())

    @property
    def family(self) -> str:
        return FAMILIES[int(self._world.tasks.family[self._episode])]

    @property
    def budget(self) -> float:
        """Critical steps."""
        return float(self._world.tasks.budget[self._episode])

    def goal(self) -> str:
        """The whole task, a line for each part."""
        allowed = f"to be done within {self.budget:.2f} critical steps"
        head = f"A {self.family} task of {self._parts} parts, {allowed}."
        return "\n".join([LABEL, head, *map(self.line, range(self._parts))])

    def line(self, part: int) -> str:
        """As "part 3: 4 steps, coupling 0.12, needs 1, 2"."""
        tasks, episode = self._world.tasks, self._episode
        work, coupling = tasks.work[episode, part], tasks.coupling[episode, part]
        line = f"part {part + 1}: {work} steps, coupling {coupling:.2f}"
        needs = ", ".join(str(other + 1) for other in self._needs(part))
        return f"{line}, needs {needs}" if needs else line

    def task(self, part: int, done: Collection[int]) -> str:
        """What a sub-agent is told: its line, and what there is of what it builds on."""
        given = self.given(part, done)
        return "\n".join([self.line(part), *([f"Here are {', '.join(given)}."] if given else [])])

    def given(self, part: int, done: Collection[int]) -> list[str]:
        """The results that a part builds on, as far as they are there."""
        return [file_of(other) for other in self._needs(part) if other in done]

    def result(self, part: int) -> str:
        """Of a part that is done."""
        quality = self._world.state.quality[self._episode, part]
        return f"{file_of(part)}, quality {quality:.2f}"

    def answer(self, by: Mapping[int, str]) -> str:
        """All parts as a table: who did which, and how well."""
        rows = [f"| {part + 1} | {self._came_to(part, by)} |" for part in range(self._parts)]
        return "\n".join([LABEL, "", "| part | done by | result |", "| --- | --- | --- |", *rows])

    def judged(self, done: int) -> Judged:
        """The world's verdict: success, and the mean quality of all parts."""
        spent = float(self._world.state.critical_steps[self._episode])
        outcome = self._world.outcome()
        return Judged(
            by="the world of kimi_nb.parl",
            success=bool(outcome.success[self._episode]),
            quality=float(outcome.quality[self._episode]),
            why=f"{done} of {self._parts} parts done, "
            f"{spent:.2f} of {self.budget:.2f} critical steps spent",
        )

    def _came_to(self, part: int, by: Mapping[int, str]) -> str:
        return f"{by[part]} | {self.result(part)}" if part in by else "nobody | not done"

    def _needs(self, part: int) -> list[int]:
        return np.flatnonzero(self._world.tasks.needs[self._episode, part]).tolist()
