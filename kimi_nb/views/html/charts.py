"""Charts with axes, as SVG that needs no script: lines stretch with the page, text does not."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import NamedTuple

from kimi_nb.views.text import escape

__all__ = [
    "HEIGHT",
    "Axis",
    "chart",
    "dot",
    "figure",
    "framed",
    "mark",
    "plot",
    "ruler",
    "table",
    "time_axis",
    "under",
]

HEIGHT = 190
"""Of the plot; labels lie around it."""
UNITS = 1000
"""Width of a plot in its own units, whatever its width on the page."""
NUMBER = ' class="n"'
LEFT = 0.04
"""Part of the width at either edge where a label would stick out if it were centred."""


class Axis(NamedTuple):
    """From 0 to `end`, with a label at each tick."""

    end: float
    title: str
    """What it measures, with its unit."""
    ticks: tuple[tuple[float, str], ...]


def ruler(end: float, title: str, *, most: int = 8, whole: bool = False) -> Axis:
    """An axis with at most so many round steps; only whole numbers if `whole`."""
    step = _step(end, most)
    step = max(step, 1.0) if whole else step
    numbers = [i * step for i in range(floor(end / step + 1e-9) + 1)] if step else [0.0]
    return Axis(end, title, tuple((number, f"{number:,.10g}") for number in numbers))


def time_axis(end: float) -> Axis:
    """Seconds since the beginning; in minutes or hours where that reads better."""
    size, unit = (1.0, "s") if end < 600 else (60.0, "min") if end < 36_000 else (3600.0, "h")
    axis = ruler(end / size, f"time since the beginning, in {unit}")
    return Axis(end, axis.title, tuple((t * size, f"{said} {unit}") for t, said in axis.ticks))


def _step(end: float, most: int) -> float:
    """The smallest of 1, 2, 5, 10, 20 … that needs no more than so many steps."""
    if end <= 0:
        return 0.0

    power = 10.0 ** floor(log10(end / most))
    return next(s for s in (power, 2 * power, 5 * power, 10 * power) if end / s <= most)


def chart(label: str, x: Axis, y: Axis, body: str) -> str:
    """The axes, and `body` between them: plots, dots and words. `label` says it all in words."""
    lines = "".join(_level(value / y.end if y.end else 0.0, said) for value, said in y.ticks)
    below = "".join(_tick(value / x.end if x.end else 0.0, said) for value, said in x.ticks)
    return (
        f'<svg class="chart" role="img" aria-label="{escape(label)}" height="{HEIGHT}">'
        f'<text class="start unit" x="0" y="-10">{escape(y.title)}</text>{lines}{body}{below}'
        f'<text class="end unit" x="100%" y="{HEIGHT + 34}">{escape(x.title)}</text></svg>'
    )


def _level(share: float, said: str) -> str:
    y = _y(share)
    return (
        f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        f'<text class="end" x="-7" y="{y}" dy="4">{said}</text>'
    )


def _tick(share: float, said: str) -> str:
    x = f"{share:.3%}"
    side = "start" if share < LEFT else "end" if share > 1 - LEFT else "middle"
    return (
        f'<line class="grid" x1="{x}" x2="{x}" y1="{HEIGHT}" y2="{HEIGHT + 4}"/>'
        f'<text class="{side}" x="{x}" y="{HEIGHT + 17}">{said}</text>'
    )


def _y(share: float) -> str:
    return f"{HEIGHT - HEIGHT * share:.4g}"


def plot(kind: str, points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> str:
    """A line through the points, or, where its kind is drawn so, the area that they enclose."""
    ends = x.end or 1.0, y.end or 1.0
    drawn = "L".join(
        f"{UNITS * a / ends[0]:.5g} {HEIGHT - HEIGHT * b / ends[1]:.5g}" for a, b in points
    )
    return framed(f'<path class="{kind}" d="M{drawn}"/>')


def framed(drawn: str) -> str:
    """What is drawn in units of the plot, stretched to its width on the page."""
    return (
        f'<svg width="100%" height="{HEIGHT}" viewBox="0 0 {UNITS} {HEIGHT}" '
        f'preserveAspectRatio="none">{drawn}</svg>'
    )


def dot(at: tuple[float, float], x: Axis, y: Axis) -> str:
    """A point of the plot."""
    left, top = at[0] / (x.end or 1.0), _y(at[1] / (y.end or 1.0))
    return f'<circle cx="{left:.3%}" cy="{top}" r="4.5"/>'


def mark(at: tuple[float, float], said: str, x: Axis, y: Axis) -> str:
    """Words over a point of the plot."""
    return _words(at[0] / (x.end or 1.0), float(_y(at[1] / (y.end or 1.0))) - 6, said)


def under(at: tuple[float, float], said: str, x: Axis, y: Axis) -> str:
    """Words under a point of the plot, or over it where there is no room."""
    left, top = at[0] / (x.end or 1.0), float(_y(at[1] / (y.end or 1.0)))
    return _words(left, top + 16 if top + 20 < HEIGHT else top - 6, said)


def _words(left: float, top: float, said: str) -> str:
    side = "end" if left > 0.5 else "start"
    return f'<text class="{side} halo" x="{left:.3%}" y="{top:.4g}">{escape(said)}</text>'


def figure(sentence: str, picture: str, summary: str, twin: str) -> str:
    """A picture under what one reads off it, and over the same figures as a table or in words."""
    details = f"<details><summary>{escape(summary)}</summary>{twin}</details>"
    return f'<div class="figure"><p>{escape(sentence)}</p>{picture}{details}</div>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table of texts, whose first cell in each row names the row.

    A head that begins with "n " is of a column of numbers. Without heads there is no first line.
    """
    kinds = [NUMBER if head.startswith("n ") else "" for head in heads]
    head = "".join(
        f'<th scope="col"{kind}>{escape(head.removeprefix("n "))}</th>'
        for head, kind in zip(heads, kinds, strict=True)
    )
    body = "".join(_row(row, kinds) for row in rows)
    name = f' class="{kind}"' if kind else ""
    first = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return f"<table{name}>{first}<tbody>{body}</tbody></table>"


def _row(row: Sequence[str], kinds: Sequence[str]) -> str:
    first, *cells = (escape(cell) for cell in row)
    rest = "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(cells, kinds[1:], strict=True))
    return f'<tr><th scope="row"{kinds[0]}>{first}</th>{rest}</tr>'
