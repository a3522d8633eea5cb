"""The code of a chart: its values, read off its scales."""

from __future__ import annotations

from dataclasses import replace

from kimi_nb.models.simulator.skills.figure.scene import Axes, Scene, Shape
from kimi_nb.regions import Box

__all__ = ["chart_code"]

NAMES = 4
"""Pixels by which the middle of a bar may be off its tick."""
DEFAULT = (0.125, 0.11, 0.9, 0.88)
"""Where matplotlib puts axes if it is not told: left, bottom, right, top."""


def chart_code(scene: Scene, axes: Axes) -> str:
    """A file that makes one figure with axes."""
    across, down = scene.size
    lines = [
        "import matplotlib.pyplot as plt",
        "",
        f"fig = plt.figure(figsize=({across / 100}, {down / 100}), dpi=100)",
        f"ax = {_placed(scene, axes)}",
    ]
    inner = [shape for shape in scene.shapes if axes.frame.grown(4).holds(shape.box)]
    bars = sorted((s for s in inner if s.kind == "rectangle"), key=lambda shape: shape.box.left)

    axes = _adjusted(axes, bars, [shape for shape in inner if shape.kind == "line"])

    if bars:
        lines.append(_bars(bars, axes))

    lines += [_line(shape, axes) for shape in inner if shape.kind == "line"]
    lines += [*_scale("x", axes), *_scale("y", axes)]

    if axes.title:
        lines.append(f"ax.set_title({axes.title!r})")

    return "\n".join(lines) + "\n"


def _adjusted(axes: Axes, bars: list[Shape], drawn: list[Shape]) -> Axes:
    """The scale across by the bars or bends: ticks are told to a pixel only, these to less."""
    zero, by = axes.across
    places = [(bar.box.left + bar.box.right) / 2 for bar in bars]
    places = places or [x for shape in drawn for x, _ in shape.points]
    values = [zero + by * place for place in places]
    whole = [float(round(value)) for value in values]

    if (
        len(set(whole)) < 2
        or max(abs(a - b) for a, b in zip(values, whole, strict=True)) > abs(by) * NAMES
    ):
        return axes

    middle_x, middle = sum(places) / len(places), sum(whole) / len(whole)
    spread = sum((x - middle_x) ** 2 for x in places)
    slope = sum((x - middle_x) * (v - middle) for x, v in zip(places, whole, strict=True)) / spread
    return replace(axes, across=(middle - slope * middle_x, slope))


def _placed(scene: Scene, axes: Axes) -> str:
    """The default axes if the frame is theirs: it is told to the pixel, and they to less."""
    across, down = scene.size
    left, top, right, bottom = (each + 0.5 for each in axes.frame)
    shares = (left / across, 1 - bottom / down, right / across, 1 - top / down)

    if max(abs(a - b) for a, b in zip(shares, DEFAULT, strict=True)) < 1.2 / down:
        return "fig.add_subplot()"

    wide, tall = shares[2] - shares[0], shares[3] - shares[1]
    return f"fig.add_axes(({shares[0]:.4f}, {shares[1]:.4f}, {wide:.4f}, {tall:.4f}))"


def _bars(bars: list[Shape], axes: Axes) -> str:
    zero, by = axes.across
    places = [(bar.box.left + bar.box.right) / 2 for bar in bars]
    width = sum(bar.box.width for bar in bars) / len(bars) * abs(by)
    heights = ", ".join(_value(axes.down, bar.box.top) for bar in bars)
    colours = ", ".join(f'"{bar.colour}"' for bar in bars)
    middles = ", ".join(_short(zero + by * place, abs(by) * NAMES) for place in places)
    return f"ax.bar([{middles}], [{heights}], width={width:.3f}, color=[{colours}])"


def _line(shape: Shape, axes: Axes) -> str:
    zero, by = axes.across
    across = ", ".join(_short(zero + by * x, abs(by) * 3) for x, _ in shape.points)
    heights = ", ".join(_value(axes.down, y) for _, y in shape.points)
    width = round(shape.extra * 72 / 100 * 2) / 2
    return f'ax.plot([{across}], [{heights}], color="{shape.colour}", linewidth={width})'


def _scale(axis: str, axes: Axes) -> list[str]:
    """The ticks with their labels, and the values at both ends."""
    frame: Box = axes.frame
    (zero, by), ticks, ends = (
        (axes.across, axes.across_ticks, (frame.left, frame.right))
        if axis == "x"
        else (axes.down, axes.down_ticks, (frame.bottom, frame.top))
    )
    low, high = (_short(zero + by * (end + 0.5), abs(by) * 0.6) for end in ends)
    values = ", ".join(f"{value:g}" for value, _ in ticks)
    labels = ", ".join(repr(label) for _, label in ticks)
    return [
        f"ax.set_{axis}ticks([{values}], [{labels}])",
        f"ax.set_{axis}lim({low}, {high})",
    ]


def _value(scale: tuple[float, float], pixel: float) -> str:
    zero, by = scale
    return _short(zero + by * pixel, abs(by) * 1.2)


def _short(value: float, slack: float) -> str:
    """The roundest number within the slack."""
    for digits in range(-3, 6):
        near = round(value, digits) + 0.0

        if abs(near - value) <= slack:
            return f"{near:g}"

    return f"{value:g}"
