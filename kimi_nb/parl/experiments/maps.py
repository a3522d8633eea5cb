"""The phase diagram: λ₀ across, the prior down."""

from __future__ import annotations

from typing import Any

import numpy as np

from kimi_nb.parl.experiments.catalogue import EXPERIMENTS, LAMBDAS, PRIORS, phase
from kimi_nb.parl.experiments.rows import Rows
from kimi_nb.parl.experiments.summary import collapsed, seeds, values
from kimi_nb.parl.tasks import Floats

__all__ = ["draw_map"]

PUBLISHED = 0.1


def draw_map(figure: Any, name: str, rows: Rows) -> None:
    """Two maps of the same cells: success·Q, and the part of the seeds that collapsed."""
    figure.set_size_inches(11.0, 1.6 + 0.5 * len(PRIORS))
    left, right = figure.subplots(1, 2, sharey=True)
    quality, part = _cells(rows)
    _map(left, quality, ("success·Q", "viridis", 0.5, 0.8))
    _map(right, part, ("part of the seeds that collapsed", "cividis_r", 0.0, 1.0))
    left.set_yticks(range(len(PRIORS)), [_told(prior) for prior in PRIORS], fontsize=8)
    left.set_ylabel("added to the prior's logits", fontsize=9)
    figure.suptitle(EXPERIMENTS[name].title, fontsize=11)


def _cells(rows: Rows) -> tuple[Floats, Floats]:
    """NaN where nothing was trained."""
    quality, part = np.full((2, len(PRIORS), len(LAMBDAS)), np.nan)

    for down, prior in enumerate(PRIORS):
        for across, start in enumerate(LAMBDAS):
            cell = phase(start, prior).name

            if number := len(seeds(rows, cell)):
                quality[down, across] = values(rows, cell, "success_q").mean()
                part[down, across] = collapsed(rows, cell) / number

    return quality, part


def _map(axes: Any, cells: Floats, how: tuple[str, str, float, float]) -> None:
    title, colours, low, high = how
    image = axes.imshow(cells, cmap=colours, vmin=low, vmax=high, aspect="auto")
    axes.set_title(title, fontsize=9)
    axes.set_xticks(range(len(LAMBDAS)), [f"{start:g}" for start in LAMBDAS], fontsize=8)
    axes.set_xlabel("λ₀, in a straight line to 0 at 70 % of the training", fontsize=9)
    at = LAMBDAS.index(PUBLISHED)
    frame = {"fill": False, "edgecolor": "#d55e00", "linewidth": 2.5, "clip_on": False}
    axes.add_patch(_box(at - 0.5, -0.5, len(cells), frame))
    axes.annotate(
        "published",
        (at, len(cells) - 0.53),
        color="#d55e00",
        fontsize=8,
        ha="center",
        va="bottom",
        fontweight="bold",
    )

    for (down, across), value in np.ndenumerate(cells):
        if np.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
            axes.text(
                across,
                down,
                f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )


def _box(left: float, top: float, height: float, frame: dict[str, Any]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), 1, height, **frame)


def _told(prior: tuple[float, float]) -> str:
    spawning, running = prior
    shifts = {"SPAWN": spawning, "RUN": running}
    told = [f"{kind} {shift:+g}".replace("-", "−") for kind, shift in shifts.items() if shift]
    return ", ".join(told) or "nothing"
