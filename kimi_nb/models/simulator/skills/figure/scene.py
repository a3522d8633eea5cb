"""What was made out in a picture so far."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_nb.regions import Box

__all__ = ["Axes", "Point", "Scene", "Shape", "Text"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """Something of one colour. All in pixels from the upper left corner."""

    kind: str
    """"rectangle", "circle", "triangle", "line"."""
    colour: str
    points: tuple[Point, ...]
    """Corners; of a circle those of its box; of a line all places at which it bends."""
    extra: float = 0.0
    """The radius of a rectangle's corners, or the thickness of a line."""

    @property
    def box(self) -> Box:
        """What it covers, without the thickness of a line."""
        across = [x for x, _ in self.points]
        down = [y for _, y in self.points]
        return Box(min(across), min(down), max(across), max(down))


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text."""

    text: str
    colour: str
    left: float
    """The pen's first place."""
    baseline: float
    size: float
    """Pixels of the font."""
    ink: Box
    """What it covers in the target."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The frame of a chart and its scales: `value = zero + by · pixel`."""

    frame: Box
    across: tuple[float, float]
    down: tuple[float, float]
    across_ticks: tuple[tuple[float, str], ...]
    """The value and the label of each tick."""
    down_ticks: tuple[tuple[float, str], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture as far as it was made out."""

    size: tuple[int, int]
    paper: str
    """The colour of the background."""
    shapes: tuple[Shape, ...] = ()
    """The later ones on top."""
    texts: tuple[Text, ...] = ()
    axes: Axes | None = None
