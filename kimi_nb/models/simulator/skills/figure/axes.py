"""The frame of a chart, its ticks, and what their labels say."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from kimi_nb.models.simulator.skills.figure.scene import Axes, Text
from kimi_nb.models.simulator.skills.figure.texts import find_texts
from kimi_nb.regions import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["find_axes"]

DARK = 110
"""All channels of an axis' pixels are darker."""
LONG = 0.4
"""An axis is so long, as a share of the picture."""
TICK = 4
"""Pixels of a tick beyond its axis."""
NEAR = 8
"""Pixels between a tick and the middle of its label."""


def find_axes(picture: NDArray[Any]) -> Axes | None:
    """The axes of a chart; None if there is no frame, or a scale cannot be read."""
    import numpy as np

    dark = picture.max(axis=2) < DARK
    frame = _frame(dark)

    if frame is None:
        return None

    left, top, right, bottom = (int(each) for each in frame)
    below = dark[bottom + 1 : bottom + TICK].all(axis=0).nonzero()[0]
    beside = dark[:, left - TICK + 1 : left].all(axis=1).nonzero()[0]
    outside = np.full_like(picture, 255)
    paper = picture.copy()
    paper[max(0, top - 1) : bottom + TICK + 3, max(0, left - TICK - 2) : right + 2] = 255
    texts = find_texts(paper, outside)
    across = _labelled(_groups(below), [t for t in texts if t.ink.top > bottom], across=True)
    down = _labelled(_groups(beside), [t for t in texts if t.ink.right < left], across=False)
    title = " ".join(text.text for text in texts if text.ink.bottom < top)
    down_scale, down_ticks = _scaled(down)

    if down_scale is None or len(across) < 2:
        return None

    across_scale, across_ticks = _scaled(across)

    if across_scale is None:  # names: they stand at 0, 1, 2 …
        places = [place for place, _ in across]
        across_scale = _fitted(places, [float(n) for n in range(len(places))])
        across_ticks = tuple((float(n), name) for n, (_, name) in enumerate(across))

    return Axes(frame, across_scale, down_scale, across_ticks, down_ticks, title)


def _frame(dark: NDArray[Any]) -> Box | None:
    """The first and last long dark row and column, as the pixels in the middle of the lines."""
    rows = (dark.sum(axis=1) > LONG * dark.shape[1]).nonzero()[0]
    columns = (dark.sum(axis=0) > LONG * dark.shape[0]).nonzero()[0]

    if (
        len(rows) < 2
        or len(columns) < 2
        or rows[-1] - rows[0] < 50
        or columns[-1] - columns[0] < 50
    ):
        return None

    return Box(int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1]))


def _groups(places: NDArray[Any]) -> list[float]:
    """The middle of each group of neighbouring pixels."""
    groups: list[list[int]] = []

    for place in places.tolist():
        if groups and place - groups[-1][-1] <= 1:
            groups[-1].append(place)
        else:
            groups.append([place])

    return [(group[0] + group[-1] + 1) / 2 for group in groups]


def _labelled(ticks: list[float], texts: list[Text], *, across: bool) -> list[tuple[float, str]]:
    """Each tick that has a label, with it."""
    found: list[tuple[float, str]] = []

    for tick in ticks:
        near = [(abs(_middle(text, across=across) - tick), text.text) for text in texts]
        off, label = min(near, default=(NEAR + 1.0, ""))

        if off <= NEAR:
            found.append((tick, label))

    return found


def _middle(text: Text, *, across: bool) -> float:
    ink = text.ink
    return (ink.left + ink.right) / 2 if across else (ink.top + ink.bottom) / 2


def _scaled(
    labelled: list[tuple[float, str]],
) -> tuple[tuple[float, float] | None, tuple[tuple[float, str], ...]]:
    """The scale that most labels agree on, and each tick's value on it with its label."""
    numbers = [
        (place, number) for place, label in labelled if (number := _number(label)) is not None
    ]

    if len(numbers) < max(2, len(labelled) // 2 + 1):
        return None, ()

    scale = max(
        (_through(a, b) for a in numbers for b in numbers if a < b),
        key=lambda s: _agree(s, numbers),
    )
    right = [pair for pair in numbers if _fits(scale, *pair)]

    if len(right) < 2:
        return None, ()

    scale = _fitted(*(list(each) for each in zip(*right, strict=True)))
    values = sorted(value for _, value in right)
    step = min(b - a for a, b in itertools.pairwise(values))
    ticks: list[tuple[float, str]] = []

    for place, label in labelled:
        number = _number(label)
        read = number is not None and _fits(scale, place, number)
        value = scale[0] + scale[1] * place
        near = (
            number
            if read and number is not None
            else values[0] + round((value - values[0]) / step) * step
        )
        ticks.append((near, label if read else f"{near:g}"))

    return scale, tuple(ticks)


def _through(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
    by = (two[1] - one[1]) / (two[0] - one[0])
    return one[1] - by * one[0], by


def _agree(scale: tuple[float, float], numbers: list[tuple[float, float]]) -> tuple[int, float]:
    return sum(_fits(scale, *pair) for pair in numbers), abs(scale[1])


def _fits(scale: tuple[float, float], place: float, value: float) -> bool:
    """Within a pixel and a half."""
    return abs(scale[0] + scale[1] * place - value) <= 1.5 * abs(scale[1]) + 1e-12


def _fitted(places: list[float], values: list[float]) -> tuple[float, float]:
    import numpy as np

    by, zero = np.polyfit(places, values, 1)
    return float(zero), float(by)


def _number(label: str) -> float | None:
    try:
        return float(label.replace("−", "-").replace("l", "1").replace("O", "0").replace("o", "0"))
    except ValueError:
        return None
