"""What a part asks of a real sub-agent: sums, for whoever knows the numbers can grade the report.

The world's parts have work but no content. Here a part has as many numbers as it has steps of work,
and takes in the results of the parts that it waits for.
"""

from __future__ import annotations

import re

import numpy as np

from kimi_nb.parl.tasks import Tasks

__all__ = ["Sums"]

LOW, HIGH = 10, 100
_INTEGER = re.compile(r"(?<![\d.,])-?\d[\d,]*(?![\d.]*\d)")


class Sums:
    """The numbers of the first of these tasks. Same seed, same numbers."""

    def __init__(self, tasks: Tasks, seed: int) -> None:
        dice = np.random.default_rng([seed, 1])
        self._needs = [np.flatnonzero(row).tolist() for row in tasks.needs[0]]
        self._numbers: list[list[int]] = [
            dice.integers(LOW, HIGH, int(work)).tolist() for work in tasks.work[0]
        ]
        self._results: list[int] = []

        for part, numbers in enumerate(self._numbers):  # none waits for a later one
            before = sum(self._results[need] for need in self._needs[part])
            self._results.append(sum(numbers) + before)

    def material(self, part: int) -> str:
        """What a sub-agent needs for it, the results of earlier parts included."""
        given = [f"the result of P{need + 1}, {self._results[need]}" for need in self._needs[part]]
        terms = [*map(str, self._numbers[part]), *given]
        return f"P{part + 1} is the sum of: {'; '.join(terms)}. End with the sum as a number."

    def right(self, part: int, report: str) -> bool:
        """Whether the last whole number of a report is the part's result."""
        found = _INTEGER.findall(report)
        return bool(found) and int(found[-1].replace(",", "")) == self._results[part]
