"""Charts with axes: bars, and one or two lines."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kimi_nb.regions import Box
from kimi_nb.worlds.figures.shapes import DPI, png_of
from kimi_nb.worlds.figures.things import COLOURS, HEIGHT, WIDTH, WORDS, Thing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Chart", "chart"]

LINE = 3.0
"""Points across a line."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over names, or lines over numbers."""

    title: str
    names: tuple[str, ...]
    """One for each bar; none: lines."""
    series: tuple[tuple[float, ...], ...]
    """The heights of the bars in one; or the values of each line."""
    colours: tuple[str, ...]
    """Of each bar, or of each line."""

    def things(self) -> tuple[Thing, ...]:
        """The bars and lines; axes, ticks and text are ink, which counts in the similarity."""
        figure, artists = self._figure()
        figure.draw_without_rendering()
        make = _bar if self.names else _line
        return tuple(
            make(artist, colour) for artist, colour in zip(artists, self.colours, strict=True)
        )

    def paint(self) -> bytes:
        """A PNG."""
        return png_of(self._figure()[0])

    def _figure(self) -> tuple[Figure, list[Any]]:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
        axes: Any = figure.add_subplot()
        axes.set_title(self.title)

        if self.names:
            artists = list(axes.bar(self.names, self.series[0], color=self.colours))
        else:
            artists = [
                axes.plot(range(len(values)), values, color=colour, linewidth=LINE)[0]
                for values, colour in zip(self.series, self.colours, strict=True)
            ]

        return figure, artists


def chart(draw: random.Random) -> Chart:
    """Three to six bars, or one or two lines of five to eight values."""
    title = draw.choice(WORDS)

    if draw.random() < 0.5:
        names = tuple(draw.sample(WORDS, draw.randint(3, 5)))
        top = draw.choice((8, 40, 150))
        heights = tuple(draw.randint(top // 4, top) for _ in names)
        colours = draw.sample(COLOURS, len(names))
        return Chart(title, names, (heights,), tuple(colours))

    number, length = draw.randint(1, 2), draw.randint(5, 8)
    low = draw.choice((0, 20, 100))
    series = tuple(tuple(draw.randint(low, low + 40) for _ in range(length)) for _ in range(number))
    return Chart(title, (), series, tuple(draw.sample(COLOURS, number)))


def _bar(artist: Any, colour: str) -> Thing:
    return Thing(kind="bar", colour=colour, box=_flipped(artist.get_window_extent()))


def _line(artist: Any, colour: str) -> Thing:
    points = artist.get_transform().transform(artist.get_xydata()).tolist()
    length = math.fsum(math.dist(*pair) for pair in itertools.pairwise(points))
    across, down = [x for x, _ in points], [HEIGHT - y for _, y in points]
    box = Box(min(across), min(down), max(across), max(down)).grown(LINE * DPI / 72 / 2)
    return Thing(kind="line", colour=colour, box=box, fill=0, ink=length * LINE * DPI / 72)


def _flipped(extent: Any) -> Box:
    return Box(extent.x0, HEIGHT - extent.y1, extent.x1, HEIGHT - extent.y0)
