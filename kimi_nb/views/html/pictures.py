"""Pictures of a run for its page, each with a sentence that reads it and a table of its figures."""

from __future__ import annotations

from math import ceil

from kimi_nb.views.concurrency import Concurrency
from kimi_nb.views.html.charts import (
    HEIGHT,
    Axis,
    chart,
    dot,
    figure,
    framed,
    mark,
    plot,
    ruler,
    table,
    time_axis,
    under,
)
from kimi_nb.views.html.lanes import area
from kimi_nb.views.measures import Measure
from kimi_nb.views.words import count, percent, seconds

__all__ = ["bounds_html", "concurrency_html"]

GROUPS = 12
"""Rows of the table of concurrency at most."""
ROOM = 1.12
"""Above the highest point, for its words."""
SIDE_BY_SIDE = 1.005
"""Parallelism from which there is something to draw."""
LOW = 8.0
"""Speed-ups up to which 1 is well above the axis."""
WORKERS = (8, 400)
"""Fewest and most workers that the bounds are drawn for."""


def concurrency_html(found: Concurrency) -> str:
    """How many agents were at work over time, with the average as a line."""
    if found.average is None:
        return '<p class="note">No time has passed.</p>'

    sentence = _read(found)
    x = time_axis(found.wall_s)
    y = ruler(max(found.peak, 1) * ROOM, "agents at work", most=5, whole=True)
    drawn = framed(f'<path class="area" d="{area(found, HEIGHT, y.end)}"/>')
    level = found.average
    line = plot("mean", ((0.0, level), (found.wall_s, level)), x, y)
    top = found.times[found.counts.index(found.peak)]
    words = mark((top, found.peak), f"{found.peak:,} at most", x, y)
    words += under((found.wall_s, level), f"average {level:.2f}", x, y)
    picture = chart(f"Agents at work over time. {sentence}", x, y, drawn + line + words)
    heads = ("agents at work", "n time", "n share of the time")
    return figure(
        sentence, picture, "For how long so many were at work", table(heads, _rows(found))
    )


def _read(found: Concurrency) -> str:
    most, average = count(found.peak, "agent"), found.average or 0.0
    shares = found.shares
    idle, alone = shares.get(0, 0.0), shares.get(1, 0.0)
    parts = [f"At most {most} worked at once, {average:.2f} on average"]

    if found.peak > 1:
        parts.append(f"one alone for {percent(alone)} of the time")

    parts.append(f"nobody for {percent(idle)} of it" if idle else "always somebody")
    return f"{parts[0]}; {', '.join(parts[1:])}."


def _rows(found: Concurrency) -> list[tuple[str, str, str]]:
    """By the number at work; neighbouring numbers together where there are many."""
    shares = found.shares
    size = ceil((found.peak + 1) / GROUPS)
    rows: list[tuple[str, str, str]] = []

    for first in range(0, found.peak + 1, size):
        last = min(first + size - 1, found.peak)
        share = sum(shares.get(n, 0.0) for n in range(first, last + 1))

        if share:
            name = f"{first:,}" if first == last else f"{first:,} to {last:,}"
            rows.append((name, seconds(share * found.wall_s), f"{share:.1%}"))

    return rows


def bounds_html(found: Measure, reached: Concurrency) -> str:
    """Speed-up against workers: what any greedy schedule reaches, and what this run did."""
    limit = found.parallelism

    if limit is None or reached.average is None:
        return '<p class="note">No work has been done.</p>'

    if limit < SIDE_BY_SIDE:
        said = f"Work and span are the same {seconds(found.work)}: a second worker cannot help."
        return f"<p>{said}</p>"

    last = min(max(WORKERS[0], ceil(2 * limit), reached.peak), WORKERS[1])
    x = ruler(last, "workers", most=10, whole=True)
    y = ruler(max(limit, reached.average) * ROOM, "times as fast as one worker", most=6)
    sentence = _read_bounds(found, limit, reached)
    picture = chart(f"Speed-up by workers. {sentence}", x, y, _curves(found, limit, reached, x, y))
    heads = ("workers", "n least time", "n most time", "n speed-up at least", "n at most")
    rows = [_bound(found, workers) for workers in _picked(last)]
    return figure(sentence, picture, "Brent’s bounds in figures", table(heads, rows))


def _read_bounds(found: Measure, limit: float, reached: Concurrency) -> str:
    peak = max(reached.peak, 1)
    least = found.work / found.bounds(peak)[1]
    return (
        f"Work of {seconds(found.work)} over a span of {seconds(found.span)}: no number of workers "
        f"makes this run more than {limit:.2f} times as fast as one. It was {reached.average:.2f} "
        f"times as fast, with {count(peak, 'agent')} at once at most; so many workers that never "
        f"idle while there is work reach at least {least:.2f}."
    )


def _curves(found: Measure, limit: float, reached: Concurrency, x: Axis, y: Axis) -> str:
    workers = [1 + (x.end - 1) * i / 200 for i in range(201)]
    best = [(p, min(p, limit)) for p in workers]
    worst = [(p, found.work / ((found.work - found.span) / p + found.span)) for p in workers]
    spot = float(max(reached.peak, 1)), reached.average or 0.0
    return "".join(
        [
            plot("band", [*best, *reversed(worst)], x, y),
            plot("edge", best, x, y),
            plot("edge", worst, x, y),
            _one_worker(f"1 worker: work {seconds(found.work)}", x, y),
            mark((x.end, limit), f"span {seconds(found.span)}: parallelism {limit:.2f}", x, y),
            dot(spot, x, y),
            under(spot, f"this run {spot[1]:.2f}", x, y),
        ]
    )


def _one_worker(said: str, x: Axis, y: Axis) -> str:
    """Under the point where the curves begin, or beside it where they begin on the axis."""
    return under((1.0, 1.0), said, x, y) if y.end < LOW else mark((1 + x.end / 16, 0.0), said, x, y)


def _picked(last: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, 16 … up to the last one."""
    steps = sorted({2**i for i in range(10)} | {3 * 2**i for i in range(8)})
    return [*(step for step in steps if step < last), last]


def _bound(found: Measure, workers: int) -> tuple[str, ...]:
    least, most = found.bounds(workers)
    fast = (found.work / most, found.work / least)
    return (f"{workers:,}", seconds(least), seconds(most), *(f"{times:.2f}×" for times in fast))
