"""The table of each experiment, as a function of the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kimi_nb.parl.experiments.catalogue import (
    ANNEALED,
    EXPERIMENTS,
    LAMBDAS,
    PRIORS,
    phase,
    without,
)
from kimi_nb.parl.experiments.measure import BLURRED, SURE, WIDER
from kimi_nb.parl.experiments.rows import Rows
from kimi_nb.parl.experiments.rules import EXPECTED, LEAST, LOWER
from kimi_nb.parl.experiments.statistics import Interval, over
from kimi_nb.parl.experiments.summary import collapsed, difference, seeds, values
from kimi_nb.parl.tasks import FAMILIES, PARALLELISABLE

__all__ = ["Cell", "Table", "markdown", "tables"]

Cell = str | int | Interval | None


class Table(NamedTuple):
    """Rows of cells; None where there is nothing to say."""

    head: tuple[str, ...]
    decimals: tuple[int, ...]
    """Of the numbers of each column."""
    rows: list[tuple[Cell, ...]]


class Measure(NamedTuple):
    title: str
    name: str
    decimals: int
    families: tuple[str, ...] = FAMILIES


SUCCESS = Measure("success·Q", "success_q", 3)
STEPS = Measure("critical steps", "critical_steps", 1)
CRITICAL = Measure("critical steps, parallelisable", "critical_steps", 1, PARALLELISABLE)
TOTAL = Measure("total steps", "total_steps", 1)
SUBS = Measure("sub-agents", "sub_agents", 1)
USELESS = Measure("of these useless", "useless", 1)
TRAPS = Measure("success·Q, traps", "success_q", 3, ("trap",))
USUAL = (SUCCESS, CRITICAL, TOTAL, SUBS, USELESS)


def tables(name: str, rows: Rows) -> list[Table]:
    """Those of the experiment of that name; what has no rows yet is left out."""
    return _TABLES.get(name, lambda rows: [_usual(name, rows)])(rows)


def markdown(table: Table) -> str:
    """For a README, and legible as it stands."""
    lines = [
        tuple(_written(cell, places) for cell, places in zip(row, table.decimals, strict=True))
        for row in table.rows
    ]
    wide = [max(map(len, column)) for column in zip(table.head, *lines, strict=True)]
    rule = tuple("-" * (width - 1) + ":" if at else "-" * width for at, width in enumerate(wide))
    return "\n".join(
        "| " + " | ".join(_aligned(cell, wide[at], at) for at, cell in enumerate(line)) + " |"
        for line in (table.head, rule, *lines)
    )


def _aligned(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column else text.ljust(width)


def _written(cell: Cell, places: int) -> str:
    match cell:
        case None:
            return ""
        case Interval(mean=mean, half=half):
            shown = f"{mean:.{places}f}".replace("-", "−")
            return shown if math.isnan(half) else f"{shown} ± {half:.{places}f}"
        case _:
            return str(cell)


def _usual(name: str, rows: Rows, more: Sequence[Measure] = ()) -> Table:
    measures = (*USUAL, *more)
    found = [
        (
            each.name,
            *(_cell(rows, each.name, measure) for measure in measures),
            f"{collapsed(rows, each.name)} of {len(seeds(rows, each.name))}",
        )
        for each in EXPERIMENTS[name].conditions
        if seeds(rows, each.name)
    ]
    head = ("condition", *(measure.title for measure in measures), "collapsed seeds")
    return Table(head, (0, *(measure.decimals for measure in measures), 0), found)


def _cell(rows: Rows, name: str, measure: Measure, on: str = "held-out") -> Cell:
    found = values(rows, name, measure.name, on=on, families=measure.families)
    return over(found) if len(found) and not math.isnan(found[0]) else None


def _anneal(rows: Rows) -> list[Table]:
    """Beside the usual one, the differences seed by seed."""
    measures = (SUCCESS, CRITICAL, TOTAL, SUBS, USELESS)
    found: list[tuple[Cell, ...]] = []

    for each in EXPERIMENTS["anneal"].conditions:
        pairs = [
            difference(rows, ANNEALED.name, each.name, measure.name, measure.families)
            for measure in measures
        ]

        if each is not ANNEALED and len(pairs[0]):
            found.append((f"{ANNEALED.name} less {each.name}", *map(over, pairs)))

    head = ("paired over seeds", *(measure.title for measure in measures))
    paired = Table(head, (0, *(measure.decimals for measure in measures)), found)
    return [_usual("anneal", rows), paired]


def _phase(rows: Rows) -> list[Table]:
    """Priors down, λ₀ across: success·Q, and how many seeds collapsed."""
    found: list[tuple[Cell, ...]] = []

    for prior in PRIORS:
        names = [phase(start, prior).name for start in LAMBDAS]

        if any(seeds(rows, name) for name in names):
            told = f"SPAWN {prior[0]:+g}, RUN {prior[1]:+g}".replace("-", "−")
            found.append((told, *(_of_cell(rows, name) for name in names)))

    head = ("added to the prior's logits", *(f"λ₀ = {start:g}" for start in LAMBDAS))
    return [Table(head, (0,) * len(head), found)]


def _of_cell(rows: Rows, name: str) -> Cell:
    if not (number := len(seeds(rows, name))):
        return None

    mean = over(values(rows, name, "success_q"))
    return f"{_written(mean, 2)}; {collapsed(rows, name)} of {number}"


def _wider(rows: Rows) -> list[Table]:
    """Sets of larger tasks; then each family, seen in training or not."""
    larger: list[tuple[Cell, ...]] = []
    serial = "all-serial"

    for on in ("held-out", *WIDER):
        for of in (*EXPERIMENTS["wider"].conditions[:2], *EXPERIMENTS["wider"].rules):
            steps = values(rows, of.name, "critical_steps", on=on)
            alone = values(rows, serial, "critical_steps", on=on)

            if len(steps) and len(alone):
                cells = (_cell(rows, of.name, each, on) for each in (SUCCESS, STEPS, TOTAL))
                larger.append((f"{on}: {of.name}", *cells, over(alone[0] / steps)))

    head = ("tasks", "success·Q", "critical steps", "total steps", "times fewer critical steps")
    return [Table(head, (0, 3, 1, 1, 2), larger), _unseen(rows)]


def _unseen(rows: Rows) -> Table:
    found: list[tuple[Cell, ...]] = []

    for family in FAMILIES:
        seen, unseen = names = (ANNEALED.name, without(family).name)
        measures = [measure._replace(families=(family,)) for measure in (SUCCESS, STEPS, SUBS)]

        if all(seeds(rows, name) for name in names):
            cells = [_cell(rows, name, measure) for measure in measures for name in names]
            pairs = difference(rows, unseen, seen, "success_q", (family,))
            found.append((family, *cells, over(pairs)))

    titles = [
        f"{each}, {how}"
        for each in ("success·Q", "critical steps", "sub-agents")
        for how in ("seen", "not")
    ]
    head = ("family", *titles, "paired: success·Q, not seen less seen")
    return Table(head, (0, 3, 3, 1, 1, 1, 1, 3), found)


def _bounds(rows: Rows) -> list[Table]:
    """Everyone by the likeliest actions beside the least critical steps, of the same tasks."""
    found: list[tuple[Cell, ...]] = []
    least = {name: values(rows, name, "critical_steps") for name in (EXPECTED, LEAST, LOWER)}
    measures = (STEPS, CRITICAL, TOTAL, SUBS, USELESS)
    experiment = EXPERIMENTS["bounds"]

    for of in (*experiment.conditions, *experiment.rules):
        on = SURE if seeds(rows, of.name, SURE) else "held-out"

        if len(steps := values(rows, of.name, "critical_steps", on=on)):
            drawn = _cell(rows, of.name, SUCCESS) if on == SURE else None
            qualities = (_cell(rows, of.name, SUCCESS, on), drawn)
            cells = (_cell(rows, of.name, measure, on) for measure in measures)
            blurred = _cell(rows, of.name, SUCCESS, BLURRED)
            ratios = (over(steps / value[0]) if len(value) else None for value in least.values())
            found.append((of.name, *qualities, blurred, *cells, *ratios))

    head = ("who", "success·Q", "if actions are drawn", "if coupling is seen with noise")
    titles = (*(measure.title for measure in measures), *(f"× {name}" for name in least))
    return [Table((*head, *titles), (0, 3, 3, 3, 1, 1, 1, 1, 1, 2, 2, 2), found)]


_TABLES: Mapping[str, Callable[[Rows], list[Table]]] = {
    "finish": lambda rows: [_usual("finish", rows, (TRAPS,))],
    "anneal": _anneal,
    "phase": _phase,
    "wider": _wider,
    "bounds": _bounds,
}
"""Of those that have another than the usual one."""
