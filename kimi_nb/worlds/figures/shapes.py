"""Pictures made of shapes: rectangles, circles, triangles and lines."""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass
from typing import Any

from kimi_nb.regions import Box
from kimi_nb.worlds.figures.things import COLOURS, HEIGHT, WIDTH, Thing, free_box

__all__ = ["DPI", "Drawing", "drawing", "png_of"]

DPI = 100
KINDS = ("rectangle", "circle", "triangle", "line")
SMALL, LARGE = (18, 34), (44, 140)
"""Pixels of a side."""
THICK = 6
"""Pixels across a line."""


@dataclass(frozen=True, slots=True)
class _Shape:
    kind: str
    colour: str
    points: tuple[tuple[float, float], ...]
    """Corners or ends; of a circle the upper left and lower right corner of its box."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on white paper, the later ones on top."""

    shapes: tuple[_Shape, ...]

    def things(self) -> tuple[Thing, ...]:
        """The objects, in the order in which they are drawn."""
        return tuple(map(_thing, self.shapes))

    def paint(self) -> bytes:
        """A PNG."""
        from matplotlib.figure import Figure

        figure: Any = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(HEIGHT, 0)
        axes.axis("off")

        for shape in self.shapes:
            axes.add_artist(_artist(shape))

        return png_of(figure)


def drawing(draw: random.Random) -> Drawing:
    """Three to seven shapes, none touching another except one that lies within a rectangle."""
    colours = draw.sample(COLOURS, len(COLOURS))
    shapes: list[_Shape] = []
    taken: list[Box] = []

    for number in range(draw.randint(3, 7)):
        kind = KINDS[number] if number < 3 else draw.choice(KINDS)
        box = free_box(draw, taken, *_size(draw, kind))

        if box is not None:
            taken.append(box)
            shapes.append(_placed(draw, kind, colours.pop(), box))

    outer = next((s for s in shapes if s.kind == "rectangle" and _bounds(s).area > 8_000), None)

    if outer is not None and draw.random() < 0.6:
        box = _bounds(outer)
        middle_x, middle_y = (box.left + box.right) // 2, (box.top + box.bottom) // 2
        radius = min(box.width, box.height) // 4
        inner = Box(middle_x - radius, middle_y - radius, middle_x + radius, middle_y + radius)
        shapes.append(_placed(draw, draw.choice(("circle", "triangle")), colours.pop(), inner))

    return Drawing(tuple(shapes))


def png_of(figure: Any) -> bytes:
    """A matplotlib figure as a PNG, at its own size."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def _size(draw: random.Random, kind: str) -> tuple[int, int]:
    least, most = SMALL if draw.random() < 0.25 and kind != "line" else LARGE
    width, height = draw.randint(least, most), draw.randint(least, most)
    return (width, width) if kind == "circle" else (width, height)


def _placed(draw: random.Random, kind: str, colour: str, box: Box) -> _Shape:
    left, top, right, bottom = box

    match kind:
        case "triangle":
            tip = draw.randint(int(left), int(right))
            foot, head = draw.choice(((bottom, top), (top, bottom)))
            return _Shape(kind, colour, ((left, foot), (right, foot), (tip, head)))
        case "line":
            ends = ((left, top), (right, bottom)), ((left, bottom), (right, top))
            return _Shape(kind, colour, draw.choice(ends))
        case _:
            return _Shape(kind, colour, ((left, top), (right, bottom)))


def _bounds(shape: _Shape) -> Box:
    across = [x for x, _ in shape.points]
    down = [y for _, y in shape.points]
    return Box(min(across), min(down), max(across), max(down))


def _thing(shape: _Shape) -> Thing:
    box = _bounds(shape)

    if shape.kind == "line":
        ink = math.hypot(box.width, box.height) * THICK
        return Thing(kind="line", colour=shape.colour, box=box.grown(THICK / 3), fill=0, ink=ink)

    fill = {"circle": math.pi / 4, "triangle": 0.5}.get(shape.kind, 1.0)
    return Thing(kind=shape.kind, colour=shape.colour, box=box, fill=fill)


def _artist(shape: _Shape) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Ellipse, Polygon, Rectangle

    box = _bounds(shape)
    style: dict[str, Any] = {"facecolor": shape.colour, "linewidth": 0}

    match shape.kind:
        case "line":
            across, down = zip(*shape.points, strict=True)
            width = THICK * 72 / DPI
            return Line2D(across, down, linewidth=width, color=shape.colour, solid_capstyle="butt")
        case "triangle":
            return Polygon(shape.points, **style)
        case "circle":
            centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
            return Ellipse(centre, box.width, box.height, **style)
        case _:
            return Rectangle((box.left, box.top), box.width, box.height, **style)
