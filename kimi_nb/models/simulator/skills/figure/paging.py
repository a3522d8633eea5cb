"""The HTML of a page as it was made out."""

from __future__ import annotations

import html

from kimi_nb.models.simulator.skills.figure.scene import Scene, Shape, Text

__all__ = ["html_of"]

HEAD = """\
<!doctype html>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ margin: 0; background: {paper}; font-family: sans-serif; }}
body > * {{ position: absolute; border: 0; padding: 0; margin: 0; }}
span {{ position: absolute; white-space: pre; line-height: 1; }}
</style>
"""
ABOVE = 0.928
BELOW = 0.236
"""Parts of its size that the font has above and below the line."""
BUTTON = 60
"""Pixels: a block with round corners that is no higher is a button."""


def html_of(scene: Scene) -> str:
    """A page. What stands on a block is written into it; round small ones are buttons."""
    inside: dict[Shape, list[Text]] = {}
    outside: list[Text] = []

    for text in scene.texts:
        blocks = [
            s for s in scene.shapes if s.kind == "rectangle" and s.box.grown(1).holds(text.ink)
        ]

        if blocks:
            inside.setdefault(min(blocks, key=lambda s: s.box.area), []).append(text)
        else:
            outside.append(text)

    title = next((text.text for text in scene.texts), "Page")
    lines = [_block(shape, inside.get(shape, [])) for shape in scene.shapes]
    lines += [_span(text, 0, 0) for text in outside]
    head = HEAD.format(title=html.escape(title), paper=scene.paper)
    return head + "".join(f"{line}\n" for line in lines)


def _block(shape: Shape, texts: list[Text]) -> str:
    box = shape.box
    tag = "button" if shape.extra and box.height <= BUTTON and texts else "div"
    style = [
        f"left:{_n(box.left)}px;top:{_n(box.top)}px",
        f"width:{_n(box.width)}px;height:{_n(box.height)}px;background:{shape.colour}",
    ]

    if shape.kind == "circle" or shape.extra:
        style.append("border-radius:" + ("50%" if shape.kind == "circle" else f"{shape.extra:g}px"))

    if shape.kind == "triangle":
        corners = (f"{_n(x - box.left)}px {_n(y - box.top)}px" for x, y in shape.points)
        style.append(f"clip-path:polygon({','.join(corners)})")

    inner = "".join(_span(text, box.left, box.top) for text in texts)
    return f'<{tag} style="{";".join(style)}">{inner}</{tag}>'


def _span(text: Text, left: float, top: float) -> str:
    """With a line as high as the font is large, half of what the font has too much is cut above."""
    above = text.size * (ABOVE - (ABOVE + BELOW - 1) / 2)
    style = (
        f"left:{_n(text.left - left)}px;top:{_n(text.baseline - above - top)}px;"
        f"font-size:{_n(text.size)}px;color:{text.colour}"
    )
    return f'<span style="{style}">{html.escape(text.text)}</span>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
