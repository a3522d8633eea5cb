"""Figures of larger graphs, of unseen families, and of the distance to the best."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kimi_nb.parl.experiments.catalogue import ANNEALED, EXPERIMENTS, NOTHING, without
from kimi_nb.parl.experiments.measure import FANS, SURE
from kimi_nb.parl.experiments.points import COLOURS, quiet
from kimi_nb.parl.experiments.rows import Rows
from kimi_nb.parl.experiments.rules import EXPECTED, LEAST, LOWER
from kimi_nb.parl.experiments.statistics import Interval, over
from kimi_nb.parl.experiments.summary import seeds, values
from kimi_nb.parl.tasks import FAMILIES

__all__ = ["draw_bounds", "draw_wider"]

ROUND = ("all-parallel", "greedy", "list scheduling")
SEEN, UNSEEN = COLOURS[0], COLOURS[1]


def draw_wider(figure: Any, name: str, rows: Rows) -> None:
    """How many times fewer critical steps by fan-out; and each family, trained on or not."""
    figure.set_size_inches(11.0, 4.0)
    left, right = figure.subplots(1, 2)
    _fans(left, rows)
    _unseen(right, rows)
    figure.suptitle(EXPERIMENTS[name].title, fontsize=11)


def _fans(axes: Any, rows: Rows) -> None:
    for at, who in enumerate((ANNEALED.name, NOTHING.name, *ROUND)):
        sure: list[tuple[int, Interval]] = []

        for fan in FANS:
            steps = values(rows, who, "critical_steps", on=f"fan-out {fan}")
            alone = values(rows, "all-serial", "critical_steps", on=f"fan-out {fan}")

            if len(steps) and len(alone):
                sure.append((fan, over(alone[0] / steps)))

        if sure:
            halves = [each.half for _, each in sure]
            axes.errorbar(
                [fan for fan, _ in sure],
                [each.mean for _, each in sure],
                yerr=None if math.isnan(halves[0]) else halves,
                fmt="o-" if who == ANNEALED.name else "s--",
                color=COLOURS[at],
                markersize=5,
                linewidth=1.4,
                capsize=3,
                label=who,
            )

    axes.set_xscale("log", base=2)
    axes.set_xticks(FANS, [str(fan) for fan in FANS])
    axes.set_xlabel("fan-out of a wide task (trained on 10 at most)", fontsize=9)
    axes.set_ylabel("times fewer critical steps than alone", fontsize=9)

    if axes.containers:
        axes.legend(fontsize=8, frameon=False)

    quiet(axes, "both")


def _unseen(axes: Any, rows: Rows) -> None:
    for at, family in enumerate(FAMILIES):
        for who, colour, aside in (
            (ANNEALED.name, SEEN, -0.14),
            (without(family).name, UNSEEN, 0.14),
        ):
            if seeds(rows, who):
                found = values(rows, who, "success_q", families=(family,))
                places = at + aside + np.linspace(-0.06, 0.06, len(found))
                axes.plot(places, found, "o", color=colour, alpha=0.35, markersize=4)
                sure = over(found)
                half = None if math.isnan(sure.half) else sure.half
                axes.errorbar(at + aside, sure.mean, yerr=half, fmt="D", color=colour, capsize=4)

    for label, colour in (("trained on it too", SEEN), ("never seen in training", UNSEEN)):
        axes.plot([], [], "D", color=colour, label=label)

    axes.set_xticks(range(len(FAMILIES)), FAMILIES)
    axes.set_ylabel("success·Q on that family", fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    quiet(axes, "y")


def draw_bounds(figure: Any, name: str, rows: Rows) -> None:
    """success·Q, and how many times the least expected critical steps everyone takes."""
    experiment = EXPERIMENTS[name]
    players = [*(each.name for each in experiment.conditions), *(r.name for r in experiment.rules)]
    shown = [who for who in players if who not in {EXPECTED, LEAST, LOWER} and seeds(rows, who)]
    least = values(rows, EXPECTED, "critical_steps")
    figure.set_size_inches(11.0, 1.4 + 0.36 * len(shown))
    left, right = figure.subplots(1, 2, sharey=True)
    learned = {each.name for each in experiment.conditions}

    for at, who in enumerate(shown):
        colour = SEEN if who in learned else "#555555"
        on = SURE if seeds(rows, who, SURE) else "held-out"
        _dots(left, values(rows, who, "success_q", on=on), at, colour)

        if len(least):
            _dots(right, values(rows, who, "critical_steps", on=on) / least[0], at, colour)

    left.set_yticks(range(len(shown)), shown, fontsize=9)
    left.set_ylim(len(shown) - 0.5, -0.5)
    left.set_title("success·Q by the likeliest actions (blue: learned, grey: rules)", fontsize=9)
    right.set_title("critical steps ÷ the fewest that can be expected (1)", fontsize=9)
    right.axvline(1, color="black", linewidth=0.8)
    quiet(left, "x")
    quiet(right, "x")
    figure.suptitle(experiment.title, fontsize=11)


def _dots(axes: Any, found: Any, at: float, colour: str) -> None:
    sure = over(found)
    axes.plot(found, [at + 0.25] * len(found), "o", color=colour, alpha=0.35, markersize=4)
    half = None if math.isnan(sure.half) else sure.half
    axes.errorbar(sure.mean, at, xerr=half, fmt="o", color=colour, capsize=3, markersize=6)
