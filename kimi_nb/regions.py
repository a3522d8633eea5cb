"""Connected regions of a picture: how it falls apart into pieces of one kind of pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Box", "Region", "regions"]


class Box(NamedTuple):
    """Pixels from left to right and from top to bottom; the right and bottom ones are outside."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    def overlap(self, other: Box) -> float:
        """Intersection over union, in [0, 1]."""
        inner = Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

        if inner.width <= 0 or inner.height <= 0:
            return 0.0

        return inner.area / (self.area + other.area - inner.area)

    def holds(self, other: Box) -> bool:
        """Whether the other one lies within this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def grown(self, by: float) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


class Region(NamedTuple):
    """Pixels with the same key that touch, by a side or a corner."""

    key: int
    pixels: int
    box: Box
    runs: tuple[tuple[int, int, int], ...]
    """What it has side by side: the row, the first column, and the one after the last."""

    @property
    def spans(self) -> tuple[tuple[int, int, int], ...]:
        """For every row that it has: the row, its first column, and the one after its last."""
        rows: dict[int, tuple[int, int]] = {}

        for row, left, right in self.runs:
            first, last = rows.get(row, (left, right))
            rows[row] = (min(left, first), max(right, last))

        return tuple((row, *ends) for row, ends in rows.items())

    @property
    def fill(self) -> float:
        """The share of its box that lies between the ends of its rows, holes included."""
        return sum(right - left for _, left, right in self.spans) / self.box.area


def regions(keys: NDArray[Any], *, least: int = 1) -> list[Region]:
    """The regions of an array of whole numbers that have `least` pixels, in reading order.

    Negative numbers are no region's.
    """
    runs = _runs(keys)
    parent = _joined(runs)
    groups: dict[int, list[_Run]] = {}

    for place, run in enumerate(runs):
        groups.setdefault(_root(parent, place), []).append(run)

    found = [_region(group) for group in groups.values()]
    return [region for region in found if region.pixels >= least]


class _Run(NamedTuple):
    row: int
    left: int
    right: int
    key: int


def _runs(keys: NDArray[Any]) -> list[_Run]:
    """What a row has side by side with one key, row by row."""
    import numpy as np

    width = keys.shape[1]
    flat: NDArray[np.int64] = keys.astype(np.int64).ravel()
    begins = np.ones(flat.size, dtype=bool)
    begins[1:] = flat[1:] != flat[:-1]
    begins[::width] = True
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], flat.size)
    kept = flat[starts] >= 0
    rows, lefts = np.divmod(starts[kept], width)
    rights = lefts + (ends - starts)[kept]
    values = flat[starts[kept]]
    return [
        _Run(*each)
        for each in zip(
            rows.tolist(), lefts.tolist(), rights.tolist(), values.tolist(), strict=True
        )
    ]


def _joined(runs: list[_Run]) -> list[int]:
    """For every run another one of its region; the first of them is its own."""
    parent = list(range(len(runs)))
    above: list[int] = []
    current: list[int] = []

    for place, run in enumerate(runs):
        if current and runs[current[-1]].row != run.row:
            above = current if runs[current[-1]].row == run.row - 1 else []
            current = []

        for other in above:
            near = runs[other].left <= run.right and run.left <= runs[other].right

            if near and runs[other].key == run.key:
                one, two = _root(parent, other), _root(parent, place)
                parent[max(one, two)] = min(one, two)

        current.append(place)

    return parent


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]

    return place


def _region(runs: list[_Run]) -> Region:
    box = Box(
        min(run.left for run in runs),
        runs[0].row,
        max(run.right for run in runs),
        runs[-1].row + 1,
    )
    pixels = sum(run.right - run.left for run in runs)
    places = tuple((run.row, run.left, run.right) for run in runs)
    return Region(runs[0].key, pixels, box, places)
