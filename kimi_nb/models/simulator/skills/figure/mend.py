"""From one draft to the next: what a picture of the last one shows to be wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kimi_nb.models.simulator.skills.figure.axes import find_axes
from kimi_nb.models.simulator.skills.figure.scene import Scene, Text
from kimi_nb.models.simulator.skills.figure.shapes import look_closer
from kimi_nb.models.simulator.skills.figure.sight import rgb
from kimi_nb.models.simulator.skills.figure.texts import find_texts, ink_box
from kimi_nb.regions import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LAST", "mended"]

LAST = 4
"""The finest look: after it nothing more is found."""
WRONG = 24
"""By so much a channel must differ, to be looked at."""
RIM = 2
"""Pixels at the edge of a block that are taken for its edge and for no letters."""


def mended(
    scene: Scene, level: int, target: NDArray[Any], drawn: NDArray[Any], apart: NDArray[Any]
) -> Scene:
    """The scene after one more look at what is wrong, which gets finer from level to level.

    1: shapes, pixel by pixel; 2: what is written, and the axes of a chart; 3 and 4: whether
    each text has come out where it should.
    """
    wrong = apart.max(axis=2) > WRONG

    if not wrong.any():
        return scene

    match level:
        case 1:
            return look_closer(scene, target, wrong)
        case 2:
            return _read(scene, target)
        case _:
            return _moved(scene, target, drawn, wrong)


def _read(scene: Scene, target: NDArray[Any]) -> Scene:
    axes = find_axes(target)

    if axes is not None:
        return replace(scene, axes=axes)

    return replace(scene, texts=tuple(find_texts(target, _ground(scene, target))))


def _ground(scene: Scene, target: NDArray[Any]) -> NDArray[Any]:
    """The target without what is written: blocks are full, their edges are left as they are."""
    import numpy as np

    height, width = target.shape[:2]
    ground = np.empty_like(target)
    ground[:] = rgb(scene.paper)

    for shape in scene.shapes:
        left, top, right, bottom = (round(each) for each in shape.box)
        outer = slice(max(0, top - RIM), bottom + RIM), slice(max(0, left - RIM), right + RIM)
        ground[outer] = target[outer]

        if shape.kind == "rectangle":
            inset = RIM + round(shape.extra / 2)
            inner_top = 0 if top <= 0 else top + inset
            inner_left = 0 if left <= 0 else left + inset
            inner_right = width if right >= width else right - inset
            inner_bottom = height if bottom >= height else bottom - inset
            ground[inner_top:inner_bottom, inner_left:inner_right] = rgb(shape.colour)

    return ground


def _moved(scene: Scene, target: NDArray[Any], drawn: NDArray[Any], wrong: NDArray[Any]) -> Scene:
    """Each text as far from where it came out as it must be, and as large."""
    if scene.axes is not None:
        return scene

    ground = _ground(scene, target)
    return replace(scene, texts=tuple(_shifted(text, ground, drawn, wrong) for text in scene.texts))


def _shifted(text: Text, ground: NDArray[Any], drawn: NDArray[Any], wrong: NDArray[Any]) -> Text:
    ink = text.ink
    part = wrong[int(ink.top) : int(ink.bottom), int(ink.left) : int(ink.right)]
    there = ink_box(
        drawn,
        ground,
        Box(max(0, ink.left - 12), max(0, ink.top - 6), ink.right + 12, ink.bottom + 6),
    )

    if there is None or not part.any():
        return text

    size = text.size * ink.width / there.width if ink.width > 12 else text.size
    size = round(size * 2) / 2 if abs(size - text.size) > 0.25 else text.size
    grown = size / text.size
    left = ink.left - (there.left - text.left) * grown
    baseline = ink.bottom - (there.bottom - text.baseline) * grown
    return replace(text, size=size, left=round(left, 1), baseline=round(baseline, 1))
