"""Lines: straight ones, and those of charts, which bend at even distances."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from kimi_nb.models.simulator.skills.figure.scene import Shape
from kimi_nb.models.simulator.skills.figure.sight import rgb
from kimi_nb.regions import regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["as_line"]

HALF = 0.5
"""So much of a pixel must be the line's."""
OFF = 25
"""By so much a pixel may be off all mixtures of the line's colour with the paper's."""
LEAST = 8
"""Pixels of a piece of a line, between those that another thing covers."""
MOST_BENDS = 24
STRAIGHT = 0.8
"""Pixels by which the middle of a straight line may be off, on average."""
BETTER = 0.8
"""One more bend must leave so much of the error at most."""


def as_line(picture: NDArray[Any], colour: str, paper: str, known: list[Shape]) -> list[Shape]:
    """The line of that colour, as one shape; none if there is one already, or it is too small."""
    import numpy as np

    if any(shape.kind == "line" and shape.colour == colour for shape in known):
        return []

    one, two = (np.array(rgb(each), dtype=np.float64) for each in (colour, paper))
    way = one - two
    share = (picture - two) @ way / max(1.0, float(way @ way))
    off = np.abs(picture - two - share[..., None] * way).max(axis=2)
    exact = (picture == np.array(rgb(colour))).all(axis=2)
    rows, columns = _pieces((share >= HALF) & (off <= OFF), exact).nonzero()

    if len(rows) < 60:
        return []

    upright = np.ptp(rows) > 6 * np.ptp(columns)
    along, across = (rows, columns) if upright else (columns, rows)
    places, middles = _middles(along, across)
    points = _bends(places, middles, len(rows))
    length = math.fsum(math.dist(a, b) for a, b in itertools.pairwise(points))
    turned = [(y, x) for x, y in points] if upright else points
    thickness = round(len(rows) / max(1.0, length), 1)
    return [Shape("line", colour, tuple(turned), thickness)]


def _pieces(mask: NDArray[Any], exact: NDArray[Any]) -> NDArray[Any]:
    """The parts of a mask that have some pixels of exactly the colour."""
    import numpy as np

    kept = np.zeros_like(mask)

    for piece in regions(np.where(mask, 1, -1), least=LEAST):
        if sum(int(exact[row, left:right].sum()) for row, left, right in piece.runs) >= LEAST:
            for row, left, right in piece.runs:
                kept[row, left:right] = True

    return kept


def _middles(along: NDArray[Any], across: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each column that the line has, the mean of its pixels there."""
    import numpy as np

    first = along.min()
    count = np.bincount(along - first)
    total = np.bincount(along - first, weights=across)
    seen = count.nonzero()[0]
    return seen + first + 0.5, total[seen] / count[seen] + 0.5


def _bends(places: NDArray[Any], middles: NDArray[Any], mass: int) -> list[tuple[float, float]]:
    """The places at which it bends, evenly spaced, as few as explain it."""
    import numpy as np

    thickness = _thickness(places, middles, mass)
    best: list[tuple[float, float]] = []
    least = float("inf")

    for number in range(2, min(MOST_BENDS, max(3, len(places) // 8))):
        for inset in (0.0, thickness / 2):
            ends = float(places[0]) - 0.5 + inset, float(places[-1]) + 0.5 - inset
            knots: NDArray[np.float64] = np.linspace(*ends, number)
            hats = _hats(places, knots)
            heights = np.linalg.lstsq(hats, middles, rcond=None)[0]
            error = float(np.abs(hats @ heights - middles).mean())

            if error < least * BETTER:
                least = error
                pairs = zip(knots.tolist(), heights.tolist(), strict=True)
                best = [(round(x, 1), round(y, 1)) for x, y in pairs]

        if least < STRAIGHT and number == 2:
            break

    return best


def _thickness(places: NDArray[Any], middles: NDArray[Any], mass: int) -> float:
    """Pixels across the line, from how many it has and how long its middle is."""
    import numpy as np

    smooth = np.convolve(np.pad(middles, 2, mode="edge"), np.ones(5) / 5, "valid")
    return mass / max(1.0, float(np.hypot(np.diff(places), np.diff(smooth)).sum()))


def _hats(places: NDArray[Any], knots: NDArray[Any]) -> NDArray[Any]:
    """How much each knot's height counts at each place of a line that is straight between them."""
    import numpy as np

    step = knots[1] - knots[0]
    return np.clip(1 - np.abs(places[:, None] - knots[None, :]) / step, 0, None)
