"""The code that draws what was made out: matplotlib."""

from __future__ import annotations

from kimi_nb.models.simulator.skills.figure.scene import Scene, Shape, Text

__all__ = ["python_of"]

HEAD = """\
import matplotlib.pyplot as plt
from matplotlib.patches import Ellipse, Polygon, Rectangle

fig = plt.figure(figsize=({width}, {height}), dpi=100, facecolor="{paper}")
ax = fig.add_axes((0, 0, 1, 1))
ax.set_xlim(0, {across})
ax.set_ylim({down}, 0)
ax.axis("off")
"""


def python_of(scene: Scene) -> str:
    """A file that makes one figure."""
    across, down = scene.size
    head = HEAD.format(
        width=across / 100, height=down / 100, paper=scene.paper, across=across, down=down
    )
    lines = [*map(_shape, scene.shapes), *map(_text, scene.texts)]
    return head + "".join(f"{line}\n" for line in lines)


def _shape(shape: Shape) -> str:
    box = shape.box
    style = f'color="{shape.colour}", linewidth=0'

    match shape.kind:
        case "line":
            across, down = ([_n(p[axis]) for p in shape.points] for axis in (0, 1))
            width = _n(max(0.5, shape.extra) * 72 / 100)
            return (
                f"ax.plot([{', '.join(across)}], [{', '.join(down)}], "
                f'color="{shape.colour}", linewidth={width}, solid_capstyle="butt")'
            )
        case "triangle":
            points = ", ".join(f"({_n(x)}, {_n(y)})" for x, y in shape.points)
            return f"ax.add_patch(Polygon([{points}], {style}))"
        case "circle":
            middle = f"({_n((box.left + box.right) / 2)}, {_n((box.top + box.bottom) / 2)})"
            return f"ax.add_patch(Ellipse({middle}, {_n(box.width)}, {_n(box.height)}, {style}))"
        case _:
            corner = f"({_n(box.left)}, {_n(box.top)})"
            return f"ax.add_patch(Rectangle({corner}, {_n(box.width)}, {_n(box.height)}, {style}))"


def _text(text: Text) -> str:
    return (
        f"ax.text({_n(text.left)}, {_n(text.baseline)}, {text.text!r}, "
        f'color="{text.colour}", fontsize={_n(text.size * 72 / 100)})'
    )


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
