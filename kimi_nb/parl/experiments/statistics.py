"""Means over seeds and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kimi_nb.parl.tasks import Floats

__all__ = ["Interval", "over", "quantile"]

SURE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds, and half of its 95 % interval by Student's t; NaN for one seed."""

    mean: float
    half: float


def over(values: Sequence[float] | Floats) -> Interval:
    """The mean of these, one of each seed."""
    each = np.asarray(values, float)

    if len(each) < 2:
        return Interval(float(each.mean()), math.nan)

    spread = float(each.std(ddof=1)) / math.sqrt(len(each))
    return Interval(float(each.mean()), quantile(len(each) - 1) * spread)


def quantile(freedom: int) -> float:
    """How many standard errors to both sides hold 95 % of Student's distribution."""
    low, high = 0.0, 1e3

    while high - low > 1e-9:
        middle = (low + high) / 2

        if _within(middle, freedom) < SURE:
            low = middle
        else:
            high = middle

    return low


def _within(t: float, freedom: int) -> float:
    """The chance of less than t to both sides, by the series for a whole number (A&S 26.7.3–4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, odd = math.cos(angle), freedom % 2
    term = total = cosine if odd else 1.0

    for step in range(2 + odd, freedom - 1, 2):
        term *= cosine**2 * (step - 1) / step
        total += term

    if not odd:
        return math.sin(angle) * total

    return 2 / math.pi * (angle + (math.sin(angle) * total if freedom > 1 else 0.0))
