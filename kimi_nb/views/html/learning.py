"""A training as a picture without script: λ and the rewards over its iterations, and a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kimi_nb.events import IterationEnded
from kimi_nb.views.html.charts import chart, figure, plot, ruler, table
from kimi_nb.views.html.page import STYLE
from kimi_nb.views.learning import headline, milestones, schedules_line
from kimi_nb.views.rewards import Rewards
from kimi_nb.views.reweigh import as_number
from kimi_nb.views.text import escape, one_line

__all__ = ["training_html"]

POINTS = 300
"""Of a curve at most."""
CURVES = (
    ("total", "total", "total"),
    ("r_perf", "perf", "r_perf"),
    ("r_parallel", "parallel", "r_parallel"),
    ("lambda_parallel", "lambda", "λ_parallel"),
    ("lambda_finish", "lambda two", "λ_finish"),
)
"""(field, class, what it is called)."""
LOOK = """
.knb.knb .chart { display: block; overflow: visible; width: calc(100% - 4em);
  margin: 2.4em 0 3em 3em; }
.knb.knb .chart text { font-size: 11.5px; fill: currentColor; font-variant-numeric: tabular-nums; }
.knb.knb .middle { text-anchor: middle; }
.knb.knb .end { text-anchor: end; }
.knb.knb .grid { stroke: var(--line); }
.knb.knb .curve { fill: none; stroke-width: 1.6; vector-effect: non-scaling-stroke; }
.knb.knb .curve.total { stroke: currentColor; stroke-width: 3.2; }
.knb.knb .curve.perf { stroke: #3f9142; }
.knb.knb .curve.parallel { stroke: #4a8fd6; }
.knb.knb .curve.lambda { stroke: #cf7a10; stroke-dasharray: 2 3; }
.knb.knb .curve.two { stroke-dasharray: 7 3; }
.knb.knb .legend .curve { vector-effect: none; }
"""


def training_html(found: Rewards) -> str:
    """Headline, schedules, curves and a table of figures."""
    lines = [found.what, schedules_line(found.schedules)]
    said = "".join(f"<p>{escape(one_line(line))}</p>" for line in lines if line)
    picture = _picture(found) if found.rows else '<p class="note">No iteration has ended yet.</p>'
    return (
        f'<div class="knb"><style>{STYLE}{LOOK}</style>'
        f'<p class="status">{escape(headline(found))}</p>{said}{picture}</div>'
    )


def _picture(found: Rewards) -> str:
    rows = found.rows[:: max(1, math.ceil(len(found.rows) / POINTS))]
    drawn = [(kind, name, list(_pieces(rows, field))) for field, kind, name in CURVES]
    top = max((y for _, _, pieces in drawn for piece in pieces for _, y in piece), default=1.0)
    x = ruler(max(len(found.rows), found.iterations, 1), "iteration", whole=True)
    y = ruler(max(top, 1.0), "reward, and its weights λ", most=5)
    curves = "".join(
        plot(f"curve {kind}", piece, x, y) for kind, _, pieces in drawn for piece in pieces
    )
    figures = milestones(found)
    first, last = ({row[0]: row[at] for row in figures} for at in (1, -1))
    names = ("r_perf", "sub-agents", "critical steps")
    changes = ", ".join(f"{name} {first[name]} → {last[name]}" for name in names)
    sentence = f"From the first iteration to the last: {changes}."
    heads = (figures[0][0], *(f"n {head}" for head in figures[0][1:]))
    twin = table(heads, figures[1:])
    return _legend() + figure(sentence, chart(sentence, x, y, curves), "In figures", twin)


def _legend() -> str:
    keys = "".join(
        f'<span><svg width="26" height="10"><path class="curve {kind}" d="M0 5H26"/></svg> '
        f"{escape(name)}</span>"
        for _, kind, name in CURVES
    )
    return f'<p class="legend">{keys}</p>'


def _pieces(rows: Sequence[IterationEnded], field: str) -> Iterator[list[tuple[float, float]]]:
    """The points of a curve, apart where the log has no number."""
    piece: list[tuple[float, float]] = []

    for row in rows:
        point = as_number(row.iteration), as_number(getattr(row, field))

        if not any(map(math.isnan, point)):
            piece.append(point)
        elif piece:
            yield piece
            piece = []

    if piece:
        yield piece
