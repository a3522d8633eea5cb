"""What the rows of a condition say, one value of each seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kimi_nb.parl.experiments.measure import mean
from kimi_nb.parl.experiments.rows import Key, Rows
from kimi_nb.parl.tasks import FAMILIES, Floats

__all__ = ["COLLAPSED", "collapsed", "curves", "difference", "seeds", "values"]

COLLAPSED = 0.5
"""Sub-agents of some use for each held-out task, below which a training has collapsed: all work is
then done alone."""


def seeds(rows: Rows, name: str, on: str = "held-out") -> list[int]:
    """Those that there are rows of."""
    return sorted(key.seed for key in rows if key.condition == name and key.on == on)


def values(
    rows: Rows,
    name: str,
    measure: str,
    *,
    on: str = "held-out",
    families: Sequence[str] = FAMILIES,
) -> Floats:
    """(seeds,) the mean of a measure over all tasks of these families; NaN where it has none."""
    found = (rows[Key(name, seed, on)]["families"] for seed in seeds(rows, name, on))
    return np.array([mean(each, measure, families) for each in found])


def difference(
    rows: Rows, one: str, other: str, measure: str, families: Sequence[str] = FAMILIES
) -> Floats:
    """(seeds,) the first condition's value less the other's, of the seeds that both have."""
    both = sorted(set(seeds(rows, one)) & set(seeds(rows, other)))
    values_of = {
        name: dict(
            zip(seeds(rows, name), values(rows, name, measure, families=families), strict=True)
        )
        for name in (one, other)
    }
    return np.array([values_of[one][seed] - values_of[other][seed] for seed in both])


def collapsed(rows: Rows, name: str) -> int:
    """How many of its seeds collapsed."""
    useful = values(rows, name, "sub_agents") - values(rows, name, "useless")
    return int((useful < COLLAPSED).sum())


def curves(rows: Rows, name: str, measure: str) -> Floats:
    """(seeds, pieces) the training's own means over pieces of it, as they went."""
    found = [rows[Key(name, seed, "")]["curve"][measure] for seed in seeds(rows, name, "")]
    return np.array(found, float)
