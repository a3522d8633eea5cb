"""Shapes: first at a glance, then as exactly as the pixels at their edges tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kimi_nb.models.simulator.skills.figure.lines import as_line
from kimi_nb.models.simulator.skills.figure.scene import Point, Scene, Shape
from kimi_nb.models.simulator.skills.figure.sight import (
    coverage,
    hexed,
    paper_of,
    plain_regions,
    thick,
)
from kimi_nb.regions import Box, Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["glance", "look_closer"]

STRIDE = 4
"""A first glance sees every fourth pixel of every fourth row."""
LEAST = 60
"""Pixels of a shape."""
DARK = 60
"""Ink is darker than this in all channels: letters and axes, no shapes."""


def glance(picture: NDArray[Any]) -> Scene:
    """Where there is colour, roughly. Lines, letters and small things are not seen."""
    paper = paper_of(picture)
    small = picture[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    shapes = [
        _rough(region)
        for region in plain_regions(small, 5)
        if region.key != paper and not _is_ink(region.key) and thick(region, 1)
    ]
    size = (picture.shape[1], picture.shape[0])
    return Scene(size, hexed(paper), tuple(_painted(shapes)))


def look_closer(scene: Scene, picture: NDArray[Any], wrong: NDArray[Any]) -> Scene:
    """The shapes at which picture and drawing differ, measured anew in all pixels."""
    kept = [shape for shape in scene.shapes if not _touched(shape.box, wrong)]
    found = plain_regions(picture, LEAST)
    paper = int(scene.paper[1:], 16)
    shapes: list[Shape] = []

    for region in found:
        if region.key == paper or _is_ink(region.key) or not _touched(region.box, wrong):
            continue

        if thick(region, 4):
            if not _shows_through(region, found):
                shapes.append(_exact(picture, region))
        elif not _is_grey(region.key) and min(region.box.width, region.box.height) >= 3:
            shapes += as_line(picture, hexed(region.key), scene.paper, shapes)

    fresh = [shape for shape in kept if all(shape.box.overlap(s.box) < 0.3 for s in shapes)]
    return Scene(scene.size, scene.paper, tuple(_painted([*fresh, *shapes])), scene.texts)


def _painted(shapes: list[Shape]) -> list[Shape]:
    """The large ones first; lines lie on top."""
    return sorted(shapes, key=lambda shape: (shape.kind == "line", -shape.box.area))


def _is_ink(key: int) -> bool:
    return max(key >> 16, key >> 8 & 255, key & 255) < DARK


def _is_grey(key: int) -> bool:
    """The soft edge of something black."""
    channels = (key >> 16, key >> 8 & 255, key & 255)
    return max(channels) - min(channels) < DARK


def _shows_through(region: Region, found: list[Region]) -> bool:
    """It is the inside of a letter on a block of its colour."""
    return any(
        other.key == region.key and other.box != region.box and other.box.holds(region.box)
        for other in found
    )


def _touched(box: Box, wrong: NDArray[Any]) -> bool:
    left, top, right, bottom = (int(each) for each in box.grown(3))
    return bool(wrong[max(0, top) : bottom, max(0, left) : right].any())


def _rough(region: Region) -> Shape:
    left, top, right, bottom = (STRIDE * each for each in region.box)
    return _shape(region, hexed(region.key), Box(left, top, right, bottom), STRIDE)


def _shape(region: Region, colour: str, box: Box, scale: int) -> Shape:
    """By the share of the box that is filled."""
    corners = ((box.left, box.top), (box.right, box.bottom))

    if region.fill > 0.9 or box.area < 40 * scale:
        return Shape("rectangle", colour, corners)

    if region.fill > 0.66:
        return Shape("circle", colour, corners)

    return Shape("triangle", colour, _corners(region, box, scale))


def _corners(region: Region, box: Box, scale: int) -> tuple[Point, ...]:
    """Of a triangle that stands on one side: the longer end row is its foot."""
    first, last = region.spans[0], region.spans[-1]
    pointed, flat = (first, last) if first[2] - first[1] < last[2] - last[1] else (last, first)
    tip_y, foot_y = (box.top, box.bottom) if pointed is first else (box.bottom, box.top)
    tip_x = scale * (pointed[1] + pointed[2]) / 2
    return ((scale * flat[1], foot_y), (scale * flat[2], foot_y), (tip_x, tip_y))


def _exact(picture: NDArray[Any], region: Region) -> Shape:
    colour = hexed(region.key)
    height, width = picture.shape[:2]
    near = region.box.grown(2)
    box = Box(max(0, near.left), max(0, near.top), min(width, near.right), min(height, near.bottom))
    around = _around(picture, region.box)
    cover = coverage(picture, box, colour, around)
    rough = _shape(region, colour, region.box, 1)

    match rough.kind:
        case "circle":
            return Shape("circle", colour, _circle(cover, box))
        case "triangle":
            return Shape("triangle", colour, _triangle(region))
        case _:
            return Shape("rectangle", colour, _rectangle(cover, box), _rounding(cover, region, box))


def _around(picture: NDArray[Any], box: Box) -> str:
    """The colour just outside a box: the commonest at its corners and sides."""
    height, width = picture.shape[:2]
    left, top, right, bottom = (int(each) for each in box.grown(3))
    places = [
        (x, y)
        for x in (left, (left + right) // 2, right)
        for y in (top, (top + bottom) // 2, bottom)
        if 0 <= x < width
        and 0 <= y < height
        and (x, y) != ((left + right) // 2, (top + bottom) // 2)
    ]
    seen = [tuple(picture[y, x].tolist()) for x, y in places] or [(255, 255, 255)]
    return "#{:02x}{:02x}{:02x}".format(*max(seen, key=seen.count))


def _rectangle(cover: NDArray[Any], box: Box) -> tuple[Point, ...]:
    """The edges by how much of the pixels at them is covered, in the middle of each side."""
    across = _edges(cover[cover.shape[0] // 4 : -(cover.shape[0] // 4) or None].max(axis=0))
    down = _edges(cover[:, cover.shape[1] // 4 : -(cover.shape[1] // 4) or None].max(axis=1))
    return ((box.left + across[0], box.top + down[0]), (box.left + across[1], box.top + down[1]))


def _rounding(cover: NDArray[Any], region: Region, box: Box) -> float:
    """The radius of the corners, by what they lack of a square; 0 for sharp ones."""
    down, across = int(region.box.top - box.top), int(region.box.left - box.left)
    inner = cover[down : down + int(region.box.height), across : across + int(region.box.width)]
    side = min(20, *(each // 3 for each in inner.shape))
    corners = [inner[::a, ::b][:side, :side] for a in (1, -1) for b in (1, -1)]
    lacks = [float((1 - corner).sum()) for corner in corners]
    return float(round(math.sqrt(sum(lacks) / (4 - math.pi)))) if min(lacks) > 1 else 0.0


def _edges(profile: NDArray[Any]) -> tuple[float, float]:
    """Where a row of covered pixels begins and ends, to a tenth of a pixel."""
    full = (profile > 0.98).nonzero()[0]
    first, last = int(full[0]), int(full[-1])
    before = float(profile[first - 1]) if first else 0.0
    after = float(profile[last + 1]) if last + 1 < len(profile) else 0.0
    return round(first - _part(before), 1), round(last + 1 + _part(after), 1)


def _part(cover: float) -> float:
    """A pixel that is hardly covered is another thing's."""
    return cover if cover > 0.06 else 0.0


def _circle(cover: NDArray[Any], box: Box) -> tuple[Point, ...]:
    """The circle with the same rows and columns."""
    down, across = _edges(cover.max(axis=1)), _edges(cover.max(axis=0))
    x, y = box.left + sum(across) / 2, box.top + sum(down) / 2
    wide, tall = across[1] - across[0], down[1] - down[0]

    if abs(wide - tall) < 2:
        wide = tall = (wide + tall) / 2

    return ((x - wide / 2, y - tall / 2), (x + wide / 2, y + tall / 2))


def _triangle(region: Region) -> tuple[Point, ...]:
    """Straight lines through the ends of its rows: they meet at the tip, and end at the foot."""
    import numpy as np

    rows = np.array([row + 0.5 for row, _, _ in region.spans])
    inner = slice(len(rows) // 8, -(len(rows) // 8) or None)
    ends = [np.array([span[n] for span in region.spans], dtype=float) for n in (1, 2)]
    left, right = (np.polyfit(rows[inner], each[inner], 1) for each in ends)
    tip_y = float((left[1] - right[1] - 1) / (right[0] - left[0]))
    box = region.box
    foot_y = box.bottom if abs(tip_y - box.top) < abs(tip_y - box.bottom) else box.top
    foot = [
        round(float(np.polyval(each, foot_y)) + by, 1) for each, by in ((left, -0.5), (right, 0.5))
    ]
    tip_x = float(np.polyval(left, tip_y)) - 0.5
    return ((foot[0], foot_y), (foot[1], foot_y), (round(tip_x, 1), round(tip_y, 1)))
