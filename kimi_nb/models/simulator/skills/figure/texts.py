"""Finding lines of text, whatever they stand on, and reading them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kimi_nb.models.simulator.skills.figure.letters import Line, read_line
from kimi_nb.models.simulator.skills.figure.scene import Text
from kimi_nb.models.simulator.skills.figure.sight import hexed
from kimi_nb.regions import Box, Region, regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["find_texts", "ink_box", "read_part"]

FAINT = 0.3
"""The share of a letter's darkness from which on a pixel counts as ink."""
APART = 60
"""Between ink and what it stands on, of any channel."""
REACH = 5
"""Pixels between letters of a line."""
LEAST = 5
"""Rows of a letter."""


def find_texts(picture: NDArray[Any], ground: NDArray[Any]) -> list[Text]:
    """All lines of text; `ground` is the picture as it would be without them."""
    import numpy as np

    apart = np.abs(picture.astype(np.int16) - ground).max(axis=2)
    mask = apart > APART
    wide = mask.copy()

    for shift in range(1, REACH + 1):
        wide[:, shift:] |= mask[:, :-shift]

    found = regions(np.where(wide, 1, -1), least=LEAST)
    texts = [text for box in _lines(found) if (text := read_part(picture, ground, box))]
    return sorted(texts, key=lambda text: (text.baseline, text.left))


def _lines(found: list[Region]) -> list[Box]:
    """The boxes of whole lines: letters stand closer than half their height."""
    boxes = [Box(*region.box[:2], region.box.right - REACH, region.box.bottom) for region in found]
    boxes.sort(key=lambda box: box.left)
    lines: list[Box] = []

    for box in boxes:
        near = next((n for n, line in enumerate(lines) if _continues(line, box)), None)

        if near is None:
            lines.append(box)
        else:
            line = lines[near]
            lines[near] = Box(
                min(line.left, box.left),
                min(line.top, box.top),
                max(line.right, box.right),
                max(line.bottom, box.bottom),
            )

    return [line for line in lines if line.height >= LEAST]


def _continues(line: Box, box: Box) -> bool:
    """A next letter, or the dot of an i."""
    height = max(line.height, box.height)
    beside = box.left - line.right <= height / 2
    common = min(line.bottom, box.bottom) - max(line.top, box.top)
    above = 0 <= -common <= height / 3 and box.left < line.right and box.right > line.left
    return beside and (common >= min(line.height, box.height) / 2 or above)


def read_part(picture: NDArray[Any], ground: NDArray[Any], box: Box) -> Text | None:
    """The text in one part of a picture; None if there is none that can be read."""
    import numpy as np

    height, width = picture.shape[:2]
    left, top = max(0, int(box.left) - 2), max(0, int(box.top) - 2)
    right, bottom = min(width, int(box.right) + 2), min(height, int(box.bottom) + 2)
    part = picture[top:bottom, left:right].astype(np.float32)
    way = part - ground[top:bottom, left:right]
    depth = np.abs(way).max(axis=2)
    deepest = float(depth.max(initial=0))

    if deepest < APART:
        return None

    ink = depth / deepest
    rows = (ink.max(axis=1) > FAINT).nonzero()[0]
    columns = (ink.max(axis=0) > FAINT).nonzero()[0]
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    line = _read(cut.shape, np.ascontiguousarray(cut, dtype=np.float32).tobytes())

    if line is None:
        return None

    place = np.unravel_index(int(depth.argmax()), depth.shape)
    red, green, blue = (round(float(each)) for each in part[place])
    x, y = left + int(columns[0]), top + int(rows[0])
    covered = Box(x, y, x + cut.shape[1], y + cut.shape[0])
    colour = hexed(red << 16 | green << 8 | blue)
    return Text(line.text, colour, x + line.left, y + line.baseline, line.size, covered)


@lru_cache(maxsize=512)
def _read(shape: tuple[int, int], data: bytes) -> Line | None:
    """Reading is what takes time, and the same lines are seen turn after turn."""
    import numpy as np

    return read_line(np.frombuffer(data, dtype=np.float32).reshape(shape))


def ink_box(picture: NDArray[Any], ground: NDArray[Any], box: Box) -> Box | None:
    """The edges of the ink in a part; None if there is none."""
    import numpy as np

    left, top = max(0, int(box.left)), max(0, int(box.top))
    part = picture[top : int(box.bottom), left : int(box.right)].astype(np.int16)
    depth = np.abs(part - ground[top : int(box.bottom), left : int(box.right)]).max(axis=2)
    deepest = int(depth.max(initial=0))

    if deepest < APART:
        return None

    rows = (depth.max(axis=1) > FAINT * deepest).nonzero()[0]
    columns = (depth.max(axis=0) > FAINT * deepest).nonzero()[0]
    return Box(
        left + int(columns[0]),
        top + int(rows[0]),
        left + int(columns[-1]) + 1,
        top + int(rows[-1]) + 1,
    )
