"""Which of the objects of a target are in a picture that was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_nb.regions import Box, Region, regions
from kimi_nb.worlds.figures.things import Thing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Score", "score"]

LEAST = 40
"""Pixels of an object; the pieces of a letter's edge have less."""
SPECK = 12
"""Pixels: what has less is no piece of a line."""
THIN = 3
"""Pixels: what is thinner is an edge."""
COLOURED = 40
"""Between the strongest and the weakest channel; less is grey: paper, ink and axes."""
NEAR = 40
"""Between two colours, of any channel, that are taken for the same."""
OVERLAP = 0.5
FILL = 0.1
"""By so much the filled share of the box may be wrong: a circle has 0.79, a triangle 0.5."""
INK = (0.6, 1.6)
"""By these factors the pixels of a line may be wrong."""


class Score(NamedTuple):
    """How many objects there are, how many were drawn, and how many of these are right."""

    wanted: int
    drawn: int
    right: int

    @property
    def f1(self) -> float:
        """In [0, 1]; 0 where nothing is right."""
        return 2 * self.right / (self.wanted + self.drawn) if self.right else 0.0


def score(picture: NDArray[Any], things: tuple[Thing, ...]) -> Score:
    """Count them. Each thing is found at most once, and each region is one thing's at most."""
    lines = [thing for thing in things if thing.kind == "line"]
    solid = [thing for thing in things if thing.kind != "line"]
    right = 0
    drawn = 0
    found = _coloured(picture)

    for line in lines:
        mask = _near(picture, line.colour)
        found = [region for region in found if not _same(region.key, line.colour)]

        if mask.any():
            drawn += 1
            right += _is_line(mask, line)

    pairs = sorted(
        (
            (region.box.overlap(thing.box), place, other)
            for place, region in enumerate(found)
            for other, thing in enumerate(solid)
            if _same(region.key, thing.colour) and abs(region.fill - thing.fill) <= FILL
        ),
        reverse=True,
    )
    regions_used: set[int] = set()
    things_found: set[int] = set()

    for overlap, place, other in pairs:
        if overlap >= OVERLAP and place not in regions_used and other not in things_found:
            regions_used.add(place)
            things_found.add(other)

    return Score(len(things), drawn + len(found), right + len(things_found))


def _coloured(picture: NDArray[Any]) -> list[Region]:
    """Regions of exactly one colour that is not grey; `key` is the colour as 0xrrggbb."""
    import numpy as np

    values = picture.astype(np.int64)
    keys = (values[..., 0] << 16) | (values[..., 1] << 8) | values[..., 2]
    grey = values.max(axis=2) - values.min(axis=2) < COLOURED
    found = regions(np.where(grey, -1, keys), least=LEAST)
    thick = [r for r in found if min(r.box.width, r.box.height) >= THIN]
    return [r for r in thick if not any(_within(r, other) for other in thick)]


def _within(region: Region, other: Region) -> bool:
    """It shows through the other one, as through the eye of a letter."""
    return region.key == other.key and region.box != other.box and other.box.holds(region.box)


def _near(picture: NDArray[Any], colour: str) -> NDArray[Any]:
    """Where the picture has this colour, or nearly so, but for specks at another thing's edge."""
    import numpy as np

    distance = np.abs(picture.astype(np.int64) - np.array(_channels(colour)))
    near = distance.max(axis=2) <= NEAR
    kept = np.zeros_like(near)

    for piece in regions(np.where(near, 1, -1), least=SPECK):
        for row, left, right in piece.runs:
            kept[row, left:right] = near[row, left:right]

    return kept


def _is_line(mask: NDArray[Any], line: Thing) -> bool:
    import numpy as np

    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    share = float(mask.sum()) / line.ink
    return box.overlap(line.box) >= OVERLAP and INK[0] <= share <= INK[1]


def _same(key: int, colour: str) -> bool:
    one = (key >> 16, key >> 8 & 255, key & 255)
    return max(abs(a - b) for a, b in zip(one, _channels(colour), strict=True)) <= NEAR


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
