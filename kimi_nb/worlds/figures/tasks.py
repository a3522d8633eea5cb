"""The tasks of a seed: the first twenty of a large world are those of a small one."""

from __future__ import annotations

import random
from dataclasses import dataclass

from kimi_nb.worlds.figures.charts import Chart, chart
from kimi_nb.worlds.figures.mockups import Mockup, mockup
from kimi_nb.worlds.figures.shapes import Drawing, drawing
from kimi_nb.worlds.figures.wishes import Wish, wish

__all__ = ["Task", "tasks"]


@dataclass(frozen=True, slots=True)
class Task:
    """One target, and what it is in truth."""

    target: str
    """The file that the model is given."""
    wanted: str
    """The file that it is to write."""
    truth: Drawing | Chart | Mockup | Wish


def tasks(items: int, seed: int) -> list[Task]:
    """Of every three one is a drawing or chart, one a mock-up, and one a sentence."""
    found: list[Task] = []
    digits = max(2, len(str(items)))

    for number in range(items):
        trio = random.Random(f"figure {seed} {number // 3}")  # noqa: S311 - a play, no secret
        kind = trio.sample(("drawing", "page", "wish"), 3)[number % 3]
        draw = random.Random(f"figure {seed} {number}")  # noqa: S311
        found.append(_task(kind, f"{number + 1:0{digits}}", draw))

    return found


def _task(kind: str, number: str, draw: random.Random) -> Task:
    match kind:
        case "drawing":
            make = drawing if draw.random() < 0.5 else chart
            return Task(f"figure-{number}.png", f"figure-{number}.py", make(draw))
        case "page":
            return Task(f"page-{number}.png", f"page-{number}.html", mockup(draw))
        case _:
            return Task(f"page-{number}.txt", f"page-{number}.html", wish(draw))
