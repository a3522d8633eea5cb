"""Reading a line of printed text: every letter of a font is laid over it, and the best row wins."""

from __future__ import annotations

import itertools
import math
import re
import string
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Line", "read_line"]

LETTERS = string.ascii_letters + string.digits + ".,:;-−+%!?/()'"
CAP, SMALL, BELOW = 0.73, 0.55, 0.24
"""Parts of the font size: a capital or digit, a small letter, what hangs below the line."""
COMMON = (10 * 100 / 72, 12 * 100 / 72)
"""Pixels: what charts are labelled with by default."""
SIZES = (7.0, 60.0)
"""Pixels: smaller cannot be read."""
JITTER = 0.15
"""What it costs that a letter stands a pixel beside its place."""
EACH = 0.2
"""What each letter costs: an m is likelier than an r and an n."""
KERNED = 0.03
"""Parts of the font size by which two letters stand closer: they are then read as one."""
SPACE = 0.32
FINE = 8
"""Letters are drawn so many times as large and then shrunk: as they are without hinting."""
UNREADABLE = 0.45
"""The share of the ink that no letter explains, from which on it is no text."""


class Line(NamedTuple):
    """What was read."""

    text: str
    size: float
    """Pixels of the font."""
    left: float
    """The pen's first place, in columns of the picture that was read."""
    baseline: float
    """In rows of it."""
    doubt: float
    """The share of the ink that is not explained."""


class _Width(NamedTuple):
    """All letters that take the pen equally far."""

    pixels: int
    letters: tuple[str, ...]
    cells: NDArray[Any]
    """One letter a row: its ink in [0, 1], from the pen's place on, pixel by pixel."""


class _Path(NamedTuple):
    """The cheapest way to explain all columns up to one."""

    cost: float
    back: int
    """The column up to which the way before it leads; -1: none does."""
    letter: str


def read_line(ink: NDArray[Any]) -> Line | None:
    """The text whose ink, from 0 to 1, is cropped to its edges; None if it cannot be read."""
    guesses = _guesses(ink.shape[0])
    tried: dict[tuple[float, int], Line] = {guess: _read(ink, *guess) for guess in guesses}

    while tried:
        size, baseline = min(tried, key=lambda guess: tried[guess].doubt)
        sizes = [size - 1, size, size + 1, *(each for each in COMMON if abs(each - size) < 1.2)]
        near = [(each, baseline + by) for each in sizes for by in (-1, 0, 1)]
        fresh = [g for g in near if g not in tried and SIZES[0] <= g[0] <= SIZES[1]]
        tried |= {guess: _read(ink, *guess) for guess in fresh}
        best = min(tried, key=lambda guess: tried[guess].doubt)

        if best == (size, baseline):
            found = tried[best]
            return found if found.text and found.doubt <= UNREADABLE else None

    return None


def _guesses(height: int) -> list[tuple[float, int]]:
    """Font sizes at which ink could be as high, and the row of the baseline."""
    wanted: list[tuple[float, int]] = []

    for above in (CAP, SMALL):
        for below in (0.0, BELOW):
            size = (height - 0.5) / (above + below)
            near = [float(round(size)), *(each for each in COMMON if abs(each - size) < 2)]
            wanted += [(each, height - round(each * below)) for each in near]

    return [guess for guess in wanted if SIZES[0] <= guess[0] <= SIZES[1]]


@lru_cache(maxsize=64)
def _font(size: float) -> tuple[int, int, tuple[_Width, ...]]:
    """The rows above the baseline, all rows, and all letters at that size."""
    import matplotlib as mpl
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    path = f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    font = ImageFont.truetype(path, size * FINE, layout_engine=ImageFont.Layout.BASIC)
    above, below = (math.ceil(each / FINE) for each in font.getmetrics())
    widths: dict[int, list[tuple[str, NDArray[Any]]]] = {}

    kerned = [
        pair
        for pair in map("".join, itertools.product(string.ascii_uppercase, string.ascii_lowercase))
        if font.getlength(pair) < sum(map(font.getlength, pair)) - KERNED * size * FINE
    ]

    for letter in [*LETTERS, *kerned]:
        width = round(font.getlength(letter) / FINE)
        picture = Image.new("L", (width * FINE, (above + below) * FINE))
        ImageDraw.Draw(picture).text((0, above * FINE), letter, font=font, fill=255, anchor="ls")
        cell = np.asarray(picture, dtype=np.float32) / 255
        cell = cell.reshape(above + below, FINE, width, FINE).mean(axis=(1, 3))
        widths.setdefault(width, []).append((letter, cell.ravel()))

    alike = (
        _Width(width, tuple(letter for letter, _ in group), np.stack([cell for _, cell in group]))
        for width, group in sorted(widths.items())
    )
    return above, above + below, tuple(alike)


def _read(ink: NDArray[Any], size: float, baseline: int) -> Line:
    """The cheapest row of letters of this size on that line."""
    import numpy as np

    above, tall, widths = _font(size)
    wide = ink.shape[1]
    pad = max(2, round(size / 5))
    paper = np.zeros((tall, wide + 2 * pad), dtype=np.float32)
    top = above - baseline
    first, last = max(0, top), min(tall, top + ink.shape[0])

    if last <= first:
        return Line("", size, 0, baseline, float("inf"))

    paper[first:last, pad : pad + wide] = ink[first - top : last - top]
    whole = float((ink**2).sum())
    lost = whole - float((paper**2).sum())
    cost, path = _cheapest(paper, widths, pad, round(size * SPACE))
    text = _likely("".join(letter for letter, _ in path).strip())
    left = path[0][1] - pad if path else 0
    doubt = (cost + lost) / max(1e-6, whole)
    return Line(text, size, left, baseline, doubt if text else float("inf"))


def _cheapest(
    paper: NDArray[Any], widths: tuple[_Width, ...], pad: int, space: int
) -> tuple[float, list[tuple[str, int]]]:
    """The cost of the best row of letters, and each of them with the column of its pen."""
    wide: int = paper.shape[1]
    columns: list[float] = (paper**2).sum(axis=0).tolist()
    ink: list[float] = list(itertools.accumulate(columns, initial=0.0))
    fits = [(width.pixels, *_costs(paper, ink, width)) for width in widths if width.pixels <= wide]
    paths: list[_Path] = [
        _Path(ink[n] if n <= 2 * pad else float("inf"), -1, "") for n in range(wide + 1)
    ]

    def offer(place: int, path: _Path) -> None:
        if place <= wide and path.cost < paths[place].cost:
            paths[place] = path

    for pen in range(wide):
        before = paths[pen].cost

        if before == float("inf"):
            continue

        if pen > pad and pen + space <= wide:
            offer(pen + space, _Path(before + ink[pen + space] - ink[pen], pen, " "))

        for width, costs, letters in fits:
            end = pen + width

            if end <= wide:
                cost, letter = before + costs[pen] + EACH, letters[pen]
                after = ink[min(end + 1, wide)] - ink[end]
                offer(end, _Path(cost, pen, letter))
                offer(end - 1, _Path(cost + JITTER, pen, letter))
                offer(end - 2, _Path(cost + 3 * JITTER, pen, letter))
                offer(end + 1, _Path(cost + JITTER + after, pen, letter))

    last = range(max(0, wide - 2 * pad), wide + 1)
    end: int = min(last, key=lambda place: paths[place].cost - ink[place])
    total: float = paths[end].cost + ink[wide] - ink[end]
    row: list[tuple[str, int]] = []

    while paths[end].back >= 0:
        row.append((paths[end].letter, paths[end].back))
        end = paths[end].back

    return total, row[::-1]


def _costs(paper: NDArray[Any], ink: list[float], width: _Width) -> tuple[list[float], list[str]]:
    """For the pen at each column, what the best of these letters leaves unexplained, and which."""
    import numpy as np

    pixels = width.pixels
    windows = np.lib.stride_tricks.sliding_window_view(paper, pixels, axis=1)
    flat = windows.transpose(1, 0, 2).reshape(windows.shape[1], -1)
    apart = (width.cells**2).sum(axis=1) - 2 * flat @ width.cells.T
    best = apart.argmin(axis=1).tolist()
    there = [ink[n + pixels] - ink[n] for n in range(len(best))]
    costs: list[float] = apart.min(axis=1).tolist()
    return [a + b for a, b in zip(costs, there, strict=True)], [width.letters[n] for n in best]


def _likely(text: str) -> str:
    """Letters that look alike, by their neighbours: I and l, O and 0."""
    text = re.sub(r"(?<=[a-zA-Z])I(?=[a-z]|\b)|(?<=[a-z])I", "l", text)
    text = re.sub(r"\bl(?=[a-z])", "I", text)
    text = re.sub(r"(?<=[a-z])[O0]|(?<=[A-Z])[O0](?=[a-z])", "o", text)
    text = re.sub(r"(?<=\d)[Oo]|[Oo](?=\d)", "0", text)
    return re.sub(r"(?<=\d)[lI]|[lI](?=\d)", "1", text)
