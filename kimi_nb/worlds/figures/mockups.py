"""Pages as a designer would hand them over: blocks, buttons, a heading, a list, a counter."""

from __future__ import annotations

import html
import random
from dataclasses import dataclass

from kimi_nb.regions import Box
from kimi_nb.worlds.figures.things import COLOURS, HEIGHT, WIDTH, WORDS, Thing

__all__ = ["Mockup", "mockup"]

PAGE = """<!doctype html>
<meta charset="utf-8">
<style>
body { margin: 0; background: white; font-family: sans-serif; }
div { position: absolute; box-sizing: border-box; white-space: nowrap; }
</style>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    box: Box
    colour: str = ""
    """"": text on the page's white."""
    round: int = 0
    """Pixels of the corners' radius."""
    text: str = ""
    size: int = 15
    """Pixels of the font."""
    centred: bool = False


@dataclass(frozen=True, slots=True)
class Mockup:
    """A page of so many parts."""

    parts: tuple[_Part, ...]

    def things(self) -> tuple[Thing, ...]:
        """The coloured blocks."""
        return tuple(
            Thing(kind="block", colour=part.colour, box=part.box)
            for part in self.parts
            if part.colour
        )

    def texts(self) -> tuple[str, ...]:
        """The words that can be read on it."""
        return tuple(part.text for part in self.parts if part.text)

    def page(self) -> str:
        """HTML that looks like it."""
        return PAGE + "\n".join(map(_element, self.parts)) + "\n"


def mockup(draw: random.Random) -> Mockup:
    """A header, a list, a counter and one to three buttons; half of them with a side panel."""
    colours = draw.sample(COLOURS, len(COLOURS))
    words = draw.sample(WORDS, len(WORDS))
    high = draw.randint(44, 64)
    header = Box(0, 0, WIDTH, high)
    parts = [_Part(box=header, colour=colours.pop(), text=words.pop(), size=22)]
    left = 16

    if draw.random() < 0.5:
        wide = draw.randint(90, 130)
        parts.append(_Part(box=Box(0, high, wide, HEIGHT), colour=colours.pop()))
        left += wide

    top = high + draw.randint(16, 32)

    for _ in range(draw.randint(2, 4)):
        parts.append(_Part(box=Box(left, top, left + 120, top + 24), text=words.pop()))
        top += 26

    parts.append(_counter(draw, high, colours.pop()))
    row = draw.randint(270, 300)

    for number in range(draw.randint(1, 3)):
        begin = left + number * 108
        box = Box(begin, row, begin + 96, row + 36)
        label, colour = words.pop(), colours.pop()
        parts.append(_Part(box=box, colour=colour, text=label, centred=True, round=6))

    return Mockup(tuple(parts))


def _counter(draw: random.Random, below: int, colour: str) -> _Part:
    wide, tall = draw.randint(72, 120), draw.randint(60, 100)
    left, top = draw.randint(290, WIDTH - wide - 16), below + draw.randint(16, 40)
    number = str(draw.randint(10, 999))
    box = Box(left, top, left + wide, top + tall)
    return _Part(box=box, colour=colour, text=number, size=30, centred=True)


def _element(part: _Part) -> str:
    box = part.box
    style = [
        f"left: {box.left}px; top: {box.top}px; width: {box.width}px; height: {box.height}px",
        f"line-height: {box.height}px; font-size: {part.size}px",
        f"color: {'white' if part.colour else '#222222'}",
        "text-align: center" if part.centred else f"padding-left: {16 if part.colour else 0}px",
    ]
    style += [f"background: {part.colour}"] if part.colour else []
    style += [f"border-radius: {part.round}px"] if part.round else []
    return f'<div style="{"; ".join(style)}">{html.escape(part.text)}</div>'
