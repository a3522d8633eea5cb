"""The benchmark as a picture: what a swarm saves and costs, and what a target quality takes."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kimi_nb.worlds.targets import Gain
from kimi_nb.worlds.trials import Summary

__all__ = ["drawn", "plain"]

SWARM, SINGLE = "#0072b2", "#d55e00"
"""Two of Okabe and Ito's colours, which colour-blind readers tell apart."""


def drawn(found: Sequence[Summary], gained: Sequence[Gain], path: Path, *, simulated: bool) -> bool:
    """Whether the picture could be written: False without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return False

    from matplotlib.figure import Figure  # without pyplot, which keeps every figure

    figure: Any = Figure(
        figsize=(12, 1.6 + 0.36 * max(len(found), 7)), layout="constrained"
    )  # its types are half unknown
    axes = figure.subplots(1, 3 if gained else 2)
    _ratios(axes[0], found)
    _quality(axes[1], found)

    if gained:
        _targets(axes[2], gained)

    mark = "  (SIMULATOR: no language model took part)" if simulated else ""
    figure.suptitle(f"A swarm against one agent{mark}", fontsize=11)
    figure.savefig(path, dpi=120)
    return True


def _ratios(axes: Any, found: Sequence[Summary]) -> None:
    places = list(range(len(found)))
    axes.plot(
        [each.fewer_critical_steps for each in found],
        places,
        "o",
        color=SWARM,
        label="critical steps: single ÷ swarm",
    )
    axes.hlines(places, 1, [each.fewer_critical_steps for each in found], color=SWARM, linewidth=1)
    axes.plot(
        [each.more_steps for each in found],
        places,
        "s",
        color="#666666",
        fillstyle="none",
        label="total steps: swarm ÷ single",
    )
    axes.axvline(1, color="black", linewidth=0.8)
    _named(axes, found)
    axes.set_xscale("log")
    plain(axes.xaxis, axes.get_xlim())
    axes.set_xlabel("times (logarithmic)")
    _legend(axes)


def _quality(axes: Any, found: Sequence[Summary]) -> None:
    places = range(len(found))
    axes.plot(
        [each.quality_swarm for each in found],
        places,
        "o",
        color=SWARM,
        markersize=9,
        fillstyle="none",
        label="swarm",
    )
    axes.plot(
        [each.quality_single for each in found], places, "x", color=SINGLE, label="single agent"
    )
    _named(axes, found)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel("quality")
    _legend(axes)


def _targets(axes: Any, gained: Sequence[Gain]) -> None:
    items = max(gain.items for gain in gained)
    shown = [gain for gain in gained if gain.items == items]
    targets = [100 * gain.target for gain in shown]
    single, swarm = (
        [gain.critical_steps_single for gain in shown],
        [gain.critical_steps_swarm for gain in shown],
    )
    axes.plot(targets, single, "x-", color=SINGLE, label="single agent")
    axes.plot(targets, swarm, "o-", color=SWARM, label="swarm")
    axes.set_yscale("log")
    plain(axes.yaxis, axes.get_ylim())
    axes.set_xticks(targets)
    axes.set_xlabel(f"target item-F1, % (wide, {items} items)")
    axes.set_ylabel("critical steps to reach it (logarithmic)")
    _legend(axes)


def _named(axes: Any, found: Sequence[Summary]) -> None:
    names = [f"{each.family}({each.items})" for each in found]
    axes.set_yticks(range(len(found)), names, fontsize=8)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.grid(axis="x", color="#e0e0e0", linewidth=0.6)


def plain(axis: Any, limits: tuple[float, float]) -> None:
    """20 rather than 2 × 10¹, and several numbers on a short axis, too."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    short = limits[1] / limits[0] < 4
    axis.set_major_locator(LogLocator(subs=(1, 1.2, 1.5, 2, 3, 4, 6, 8) if short else (1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend(axes: Any) -> None:
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=2, frameon=False)
