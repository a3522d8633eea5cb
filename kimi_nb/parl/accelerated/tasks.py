"""Tasks drawn on the device: the families, ranges and budgets of `parl.tasks`, by other dice."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# JAX does not tell all of its types.

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, random

from kimi_nb.parl.accelerated.world import BIT, Given, keep
from kimi_nb.parl.tasks import (
    APART,
    ENTANGLED,
    FAMILIES,
    LARGEST,
    LOOSE,
    PARALLELISABLE,
    TIGHT,
)

__all__ = ["HARDEST", "draw", "repeat"]

SIZES = {"wide": (7, 12), "deep": (5, 9), "mixed": (6, LARGEST + 1), "mapreduce": (7, 12)}
"""Parts, the upper end excluded, as there; a trap looks as a wide task does."""
SIZES["trap"] = SIZES["wide"]
EASIEST, HARDEST = 2, 6
"""Work of a part."""
WIDEST = 4
"""Parts of a layer of a mixed task."""


def draw(key: Array, number: int, families: Sequence[str]) -> Given:
    """So many tasks of at most LARGEST parts, the families equally likely."""
    drawn = random.uniform(key, (number, 3 + 4 * LARGEST + LARGEST**2))  # one call: compiles fast
    of_task, of_parts = drawn[:, :3], drawn[:, 3:].reshape(number, -1, LARGEST)
    known = jnp.array([FAMILIES.index(name) for name in families])
    family = known[_whole(of_task[:, 0], 0, len(families))]
    low, high = jnp.array([SIZES[name] for name in FAMILIES])[family].T
    size = _whole(of_task[:, 1], low, high)
    present = jnp.arange(LARGEST) < size[:, None]
    work = _whole(of_parts[:, 0], EASIEST, HARDEST + 1) * present * 1.0
    trap = (family == FAMILIES.index("trap"))[:, None]
    splits = jnp.isin(family, jnp.array([FAMILIES.index(name) for name in PARALLELISABLE]))
    serial = work.sum(axis=1)
    needs = _needs(family, size, of_parts[:, 2:]) & present[:, :, None] & present[:, None, :]
    bits = 1 << jnp.arange(LARGEST, dtype=BIT)
    return Given(
        work=work,
        coupling=_between(of_parts[:, 1], trap, ENTANGLED, APART) * present,
        needs=keep(needs, bits),
        present=keep(present, bits),
        family=family,
        budget=_between(of_task[:, 2], splits, TIGHT, LOOSE) * serial,
        serial=serial,
    )


def repeat(given: Given, times: int) -> Given:
    """Each task so many times, its copies side by side: episode e is of task e // times."""
    return Given(*(jnp.repeat(values, times, axis=0) for values in given))


def _between(
    drawn: Array, which: Array, one: tuple[float, float], other: tuple[float, float]
) -> Array:
    low, high = (jnp.where(which, a, b) for a, b in zip(one, other, strict=True))
    return low + (high - low) * drawn


def _whole(drawn: Array, low: Array | int, high: Array | int) -> Array:
    """Whole numbers from low on and below high."""
    return (low + drawn * (high - low)).astype(int)


def _needs(family: Array, size: Array, drawn: Array) -> Array:
    """(B, N, N) what each part waits for, before what is not present is taken away."""
    wide = _wide(size)
    graphs = {
        "wide": wide,
        "deep": _deep(size),
        "mixed": _mixed(drawn),
        "mapreduce": _mapreduce(size),
        "trap": wide,
    }
    return jnp.stack([graphs[name] for name in FAMILIES])[family, jnp.arange(len(size))]


def _grid(size: Array) -> tuple[Array, Array, Array]:
    """What waits, what it waits for, and the last part: they broadcast to (B, N, N)."""
    parts = jnp.arange(LARGEST)
    return parts[None, :, None], parts[None, None, :], size[:, None, None] - 1


def _wide(size: Array) -> Array:
    waits, part, last = _grid(size)
    return (waits == last) & (part < last)


def _deep(size: Array) -> Array:
    waits, part, _ = _grid(size)
    return (part == waits - 1) & (size > 0)[:, None, None]


def _mapreduce(size: Array) -> Array:
    waits, part, last = _grid(size)
    maps = (waits > 0) & (waits < last) & (part == 0)
    return maps | ((waits == last) & (part > 0) & (part < last))


def _mixed(drawn: Array) -> Array:
    """Layers of one to four; a part waits for one or two of the layer before."""
    ends = _whole(drawn[:, 0], 1, WIDEST + 1).cumsum(axis=1)
    layer = (ends[:, None, :] <= jnp.arange(LARGEST)[:, None]).sum(axis=2)
    before = layer[:, None, :] == layer[:, :, None] - 1
    height = jnp.where(before, drawn[:, 2:], -1.0)
    first = height.max(axis=2, keepdims=True)
    second = jnp.where(height < first, height, -1.0).max(axis=2, keepdims=True)
    two = (drawn[:, 1] < 0.5)[:, :, None] & (second >= 0)
    return before & (height >= jnp.where(two, second, first))
