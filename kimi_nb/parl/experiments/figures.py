"""The figure of each experiment, as a function of the rows. They need matplotlib."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.parl.experiments.catalogue import EXPERIMENTS
from kimi_nb.parl.experiments.maps import draw_map
from kimi_nb.parl.experiments.points import draw_curves, draw_points
from kimi_nb.parl.experiments.rows import Rows
from kimi_nb.parl.experiments.sizes import draw_bounds, draw_wider

__all__ = ["can_draw", "draw"]

WITH_CURVES = frozenset({"collapse", "spurious", "anneal", "when"})
WIDTH = 11.0


def can_draw() -> None:
    """Raises UsageFault, which says what to type, where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageFault("the figures need matplotlib; type: pip install 'kimi-nb[images]'")


def draw(name: str, rows: Rows, path: Path) -> None:
    """Write the figure of that experiment as a PNG, the same bytes for the same rows."""
    can_draw()

    from matplotlib.figure import Figure  # without pyplot, which keeps every figure

    figure: Any = Figure(layout="constrained")  # its types are half unknown
    _DRAWN.get(name, _usual)(figure, name, rows)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _usual(figure: Any, name: str, rows: Rows) -> None:
    names = [each.name for each in EXPERIMENTS[name].conditions]
    height = 1.2 + 0.42 * len(names)
    curves = name in WITH_CURVES
    figure.set_size_inches(WIDTH, height + (2.7 if curves else 0.0))
    below = figure

    if curves:
        above, below = figure.subfigures(2, 1, height_ratios=[2.7, height])
        draw_curves(above.subplots(1, 2), rows, names)

    draw_points(below.subplots(1, 4), rows, names)
    figure.suptitle(EXPERIMENTS[name].title, fontsize=11)


_DRAWN: Mapping[str, Callable[[Any, str, Rows], None]] = {
    "phase": draw_map,
    "wider": draw_wider,
    "bounds": draw_bounds,
}
"""Of those that have another than the usual one."""
