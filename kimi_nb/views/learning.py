"""A training put into words: under which schedules it learned, and what became of its rewards."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean as mean

from kimi_nb.errors import UsageFault
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.rewards import Rewards
from kimi_nb.views.rewards import Schedule as Row
from kimi_nb.views.reweigh import as_number
from kimi_nb.views.text import one_line
from kimi_nb.views.words import count, state_word

__all__ = [
    "LAMBDAS",
    "came_to",
    "headline",
    "milestones",
    "schedule_of",
    "schedules_line",
    "training_text",
]

LAMBDAS = {"parallel": "λ_parallel", "finish": "λ_finish"}
"""The weights of r_parallel and r_finish, as the pictures call them."""
MILESTONES = 5
"""Iterations that a table shows."""
PART = 20
"""What a training came to is the mean of its last iterations, of one in so many."""
CAME_TO = ("r_perf", "sub_agents", "critical_steps", "total_steps", "success")
COLUMNS = (
    ("λ_parallel", "lambda_parallel", 2),
    ("λ_finish", "lambda_finish", 2),
    ("total", "total", 2),
    ("r_parallel", "r_parallel", 2),
    ("r_finish", "r_finish", 2),
    ("r_perf", "r_perf", 2),
    ("sub-agents", "sub_agents", 1),
    ("critical steps", "critical_steps", 1),
    ("total steps", "total_steps", 1),
    ("success", "success", 2),
)
"""(what it is called, its field, decimals); steps and sub-agents are for each task."""


def schedule_of(row: Row) -> Schedule | None:
    """The schedule that a log has there; None if what it has is none."""
    try:
        return Schedule(row.start, row.end, row.shape, row.until)  # pyright: ignore[reportArgumentType] -- it is checked there
    except UsageFault:
        return None


def schedules_line(rows: Iterable[Row]) -> str:
    """As "λ_parallel 0.3 → 0, linear until 70 %; λ_finish 0.5 constant from iteration 41 on"."""
    parts: list[str] = []

    for row in rows:
        name = LAMBDAS.get(row.reward, one_line(str(row.reward)))
        since = f" from iteration {row.since:,} on" if row.since > 1 else ""
        parts.append(f"{name} {schedule_of(row) or 'by no known schedule'}{since}")

    return "; ".join(parts)


def headline(found: Rewards) -> str:
    """How far it is, as "✓ finished · 200 of 200 iterations · seed 0"."""
    status = "partial" if found.status == "" else found.status
    done = f"{len(found.rows):,} of {count(found.iterations, 'iteration')}"
    why = f" · {one_line(found.why)}" if found.why else ""
    return f"{state_word(status)}{why} · {done} · seed {found.seed}"


def milestones(found: Rewards) -> list[list[str]]:
    """A table: heads, and the figures at a few iterations from the first to the last."""
    last = len(found.rows) - 1
    places = (
        sorted({round(last * i / (MILESTONES - 1)) for i in range(MILESTONES)}) if last else [0]
    )
    picked = [found.rows[place] for place in places] if found.rows else []
    rows = [["iteration", *(f"{as_number(row.iteration):,.0f}" for row in picked)]]

    for name, field, decimals in COLUMNS:
        rows.append([name, *(_figure(getattr(row, field), decimals) for row in picked)])

    return rows


def _figure(value: object, decimals: int) -> str:
    number = as_number(value)
    return "–" if math.isnan(number) else f"{number:,.{decimals}f}"


def came_to(found: Rewards) -> dict[str, float]:
    """What it came to: means over its last iterations, "over" so many; {} without any."""
    if not found.rows:
        return {}

    last = found.rows[-max(1, round(len(found.rows) / PART)) :]
    means = {name: mean(as_number(getattr(row, name)) for row in last) for name in CAME_TO}
    return {"over": len(last), **means}


def training_text(found: Rewards) -> str:
    """All of it for a terminal, in some fifteen lines."""
    head = [headline(found), one_line(found.what), schedules_line(found.schedules)]
    return "\n".join([*filter(None, head), *(_lines(milestones(found)) if found.rows else ())])


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
