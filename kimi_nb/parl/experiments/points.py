"""Figures whose lines are conditions: their learning curves, and each seed's end as a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kimi_nb.parl.experiments.rows import Rows
from kimi_nb.parl.experiments.statistics import over
from kimi_nb.parl.experiments.summary import curves, seeds, values
from kimi_nb.parl.tasks import FAMILIES, PARALLELISABLE, Floats

__all__ = ["COLOURS", "USUAL", "Panel", "band", "draw_curves", "draw_points", "quiet"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, which colour-blind readers tell apart."""
PALE = 0.35


class Panel(NamedTuple):
    """What one drawing of a figure shows of every condition."""

    title: str
    measure: str
    families: tuple[str, ...] = FAMILIES


USUAL = (
    Panel("success·Q", "success_q"),
    Panel("critical steps,\nparallelisable families", "critical_steps", PARALLELISABLE),
    Panel("total steps", "total_steps"),
    Panel("sub-agents for each task\n(×: useless ones)", "sub_agents"),
)


def draw_points(axes: Sequence[Any], rows: Rows, names: Sequence[str]) -> None:
    """A panel on each of these axes: one line for a condition, a pale point for a seed."""
    shown = [name for name in names if seeds(rows, name)]

    for place, (panel, each) in enumerate(zip(USUAL, axes, strict=True)):
        for at, name in enumerate(shown):
            colour = COLOURS[at % len(COLOURS)]
            _spread(each, values(rows, name, panel.measure, families=panel.families), at, colour)

            if panel.measure == "sub_agents":
                useless = over(values(rows, name, "useless")).mean
                each.plot(useless, at, "x", color=colour, markersize=7)

        each.set_title(panel.title, fontsize=9)
        each.set_yticks(range(len(shown)), shown if place == 0 else [""] * len(shown), fontsize=9)
        each.set_ylim(len(shown) - 0.5, -0.5)
        quiet(each, "x")


def _spread(axes: Any, found: Floats, at: float, colour: str) -> None:
    """The seeds a little apart, and above them their mean with its interval."""
    apart = np.linspace(0.14, 0.34, len(found)) if len(found) > 1 else np.array([0.2])
    axes.plot(found, at + apart, "o", color=colour, alpha=PALE, markersize=4, markeredgewidth=0)
    mean, half = (sure := over(found)).mean, sure.half
    axes.errorbar(
        mean,
        at,
        xerr=None if math.isnan(half) else half,
        fmt="o",
        color=colour,
        capsize=3,
        markersize=6,
    )


def draw_curves(axes: Sequence[Any], rows: Rows, names: Sequence[str]) -> None:
    """r_perf and sub-agents as the trainings went, on two axes; the colours are the points'."""
    shown = [name for name in names if seeds(rows, name)]

    titles = {"r_perf": "r_perf of the rollouts (colours as below)", "sub_agents": "sub-agents"}

    for each, (measure, title) in zip(axes, titles.items(), strict=True):
        for at, name in enumerate(shown):
            found = curves(rows, name, measure)
            progress = 100 * (np.arange(found.shape[1], dtype=float) + 0.5) / found.shape[1]
            band(each, progress, found, COLOURS[at % len(COLOURS)], name)

        each.set_title(title, fontsize=9)
        each.set_xlabel("part of the training, %", fontsize=8)
        each.set_xlim(0, 100)
        quiet(each, "both")


def band(axes: Any, across: Floats, found: Floats, colour: str, label: str) -> None:
    """The mean over the seeds, which lie down, with its interval."""
    sure = [over(column) for column in found.T]
    mean, half = np.array([(each.mean, each.half) for each in sure]).T
    axes.plot(across, mean, color=colour, linewidth=1.6, label=label)
    axes.fill_between(across, mean - half, mean + half, color=colour, alpha=0.18, linewidth=0)


def quiet(axes: Any, grid: str) -> None:
    """A pale grid, and no more frame than needed."""
    axes.grid(axis=grid, color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
