"""A trap: each reward's advantage is divided by its own standard deviation, so that λ cancels.

A public re-implementation fell into it. It stands here to be measured; no training needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kimi_nb.parl.reward import Components, Floats, Reward
from kimi_nb.parl.update import advantages

__all__ = ["Apart"]

T = TypeVar("T", float, Floats)


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart(Reward):
    """The overview's form, of which the update is told advantages instead of rewards."""

    rollouts: int
    """Of each task, side by side: a group."""

    def total(self, components: Components[T], progress: float) -> T:
        """The sum of both advantages; its mean over a group is 0, so the update takes it as is."""
        weight = self.weights(progress)[0]
        paid = (weight * components.r_parallel, (1 - weight) * components.r_perf)
        return sum(advantages(np.asarray(each), self.rollouts, "normalised") for each in paid)  # pyright: ignore[reportReturnType] -- a training gives arrays
