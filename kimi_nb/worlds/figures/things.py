"""What a target picture shows, as its truth has it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from kimi_nb.regions import Box

__all__ = ["COLOURS", "HEIGHT", "WIDTH", "WORDS", "Thing", "free_box"]

WIDTH, HEIGHT = 480, 360
"""Pixels of every picture."""
COLOURS = (
    *("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4"),
    *("#008b8b", "#d02090", "#8a5a14", "#4b7f00", "#00a0e0"),
)
"""All far from grey and from each other: coloured regions are the things, grey is paper and ink."""
WORDS = (
    *("Amber", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Garnet", "Harbour", "Indigo"),
    *("Jasper", "Kelp", "Lagoon", "Meadow", "North", "Opal", "Pebble", "Quartz", "River"),
    *("Slate", "Tundra", "Umber", "Valley", "Willow", "Yarrow", "Zinc"),
)
GAP = 10
"""Pixels between things that lie side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One object of a picture."""

    kind: str
    """"rectangle", "circle", "triangle", "line", "bar" or "block"."""
    colour: str
    """#rrggbb"""
    box: Box
    fill: float = 1.0
    """The share of the box between the ends of its rows; 0 for a line."""
    ink: float = 0.0
    """Pixels that a line covers; 0 for anything else."""


def free_box(draw: random.Random, taken: list[Box], width: int, height: int) -> Box | None:
    """A place of that size that touches none of the others; None if it was not found."""
    for _ in range(60):
        left = draw.randrange(GAP, WIDTH - width - GAP)
        top = draw.randrange(GAP, HEIGHT - height - GAP)
        box = Box(left, top, left + width, top + height)

        if all(box.grown(GAP).overlap(other) == 0 for other in taken):
            return box

    return None
