"""Pixels out of what a message shows, and where their colours begin and end."""

from __future__ import annotations

import base64
import binascii
import io
from collections import Counter
from typing import TYPE_CHECKING, Any

from kimi_nb.regions import Box, Region, regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Pixels",
    "coverage",
    "hexed",
    "missing",
    "paper_of",
    "pixels",
    "plain_regions",
    "rgb",
    "thick",
]

Pixels = "NDArray[Any]"
MOST_PIXELS = 4_000_000


def missing() -> str:
    """The library that it takes to see, and that is not here; "" if there is all."""
    from importlib.util import find_spec

    return next((name for name in ("numpy", "PIL", "matplotlib") if find_spec(name) is None), "")


def pixels(url: str) -> NDArray[Any] | None:
    """The RGB pixels of a data: URL; None if it shows no picture."""
    import numpy as np
    import PIL.Image

    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)

        with PIL.Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MOST_PIXELS:
                return None

            return np.asarray(image.convert("RGB"))
    except (binascii.Error, OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
        return None


def plain_regions(picture: NDArray[Any], least: int) -> list[Region]:
    """Regions of exactly one colour; `key` is 0xrrggbb."""
    import numpy as np

    values = picture.astype(np.int64)
    return regions((values[..., 0] << 16) | (values[..., 1] << 8) | values[..., 2], least=least)


def paper_of(picture: NDArray[Any]) -> int:
    """The commonest colour, as 0xrrggbb."""
    found = Counter({0: 0})

    for region in plain_regions(picture[::3, ::3], 4):
        found[region.key] += region.pixels

    return found.most_common(1)[0][0]


def thick(region: Region, by: int) -> bool:
    """Whether a square of 2·by + 1 pixels has room in it: it is more than a line."""
    import numpy as np

    box = region.box
    mask = np.zeros((int(box.height) + 2 * by, int(box.width) + 2 * by), dtype=bool)
    down, across = by - int(box.top), by - int(box.left)

    for row, left, right in region.runs:
        mask[row + down, left + across : right + across] = True

    for axis in (0, 1):
        kept = mask

        for shift in range(1, by + 1):
            kept = kept & np.roll(mask, shift, axis) & np.roll(mask, -shift, axis)

        mask = kept

    return bool(mask.any())


def coverage(picture: NDArray[Any], box: Box, colour: str, around: str) -> NDArray[Any]:
    """How much of each pixel of a part has one colour rather than the other, from 0 to 1."""
    import numpy as np

    part = picture[int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    one, two = (np.array(rgb(each), dtype=np.float64) for each in (colour, around))
    way = one - two
    return np.clip((part - two) @ way / max(1.0, float(way @ way)), 0, 1)


def rgb(colour: str) -> tuple[int, int, int]:
    """The channels of #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def hexed(key: int) -> str:
    """0xrrggbb as #rrggbb."""
    return f"#{key:06x}"
