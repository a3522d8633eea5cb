"""A finished run, or one that was cut off, as static output of a notebook cell."""

from __future__ import annotations

from collections.abc import Mapping

from kimi_nb.trace import Trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.fold import fold
from kimi_nb.views.html.advice import advice_lines
from kimi_nb.views.html.lanes import LEGEND, lanes_html
from kimi_nb.views.html.page import (
    STYLE,
    answer_html,
    failures,
    failures_html,
    metrics_html,
    status_html,
)
from kimi_nb.views.path import critical_path
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.state import Run
from kimi_nb.views.text import clean, escape, fit, one_line
from kimi_nb.views.timeline import swimlane
from kimi_nb.views.words import (
    figures,
    next_step,
    origin,
    places,
    simulated_by,
    status_line,
    verdicts,
)

__all__ = ["summary_html", "summary_text"]

WHY = 300
FINDING = 160
"""Columns of a finding."""


def summary_text(
    trace: Trace,
    *,
    width: int = 80,
    lanes: int = 24,
    prices: Mapping[str, Price] = PRICES,
) -> str:
    """Status, answer, metrics, timeline, failures and findings as text; says how to go on."""
    run = fold(trace)
    parts = [_head(trace, run), clean(run.answer).strip() or "There is no answer."]
    parts += [figures(metrics(run, prices), run), swimlane(run, width=width, lanes=lanes)]
    bad = "\n".join(f"  {name} {state} {one_line(why)[:WHY]}" for name, state, why in failures(run))

    if bad:
        parts.append(f"What did not finish:\n{bad}")

    if told := "\n".join(f"  {_cut(line)}" for line in advice_lines(diagnose(trace))):
        parts.append(f"Diagnosis:\n{told}")

    if trace.path is not None:
        parts.append(f"trace: {one_line(str(trace.path))}")

    return "\n\n".join(parts)


def _cut(line: str) -> str:
    return fit(line, FINDING).rstrip()


def _head(trace: Trace, run: Run) -> str:
    mark = simulated_by(run)
    lines = [
        status_line(run),
        *verdicts(run),
        mark,
        origin(run),
        places(run),
        next_step(run, trace.path),
    ]
    return "\n".join(line for line in lines if line)


def summary_html(trace: Trace, *, lanes: int = 24, prices: Mapping[str, Price] = PRICES) -> str:
    """The same as a fragment of HTML for a notebook's output: no script, everything escaped."""
    run = fold(trace)
    path = critical_path(run)
    found = metrics(run, prices)
    measures = escape(figures(found, run)).replace("\n", "<br>")
    bad = failures_html(run, most=8)
    bad = bad and f"<h3>What did not finish</h3>{bad}"
    told = "".join(f"<li>{escape(line)}</li>" for line in advice_lines(diagnose(trace)))
    told = told and f"<h3>Diagnosis</h3><ul>{told}</ul>"
    where = f'<p class="note">trace: {escape(str(trace.path))}</p>' if trace.path else ""
    return (
        f'<div class="knb"><style>{STYLE}</style>{status_html(run, trace.path)}'
        f"{answer_html(run)}<h3>Timeline</h3>{lanes_html(run, path, lanes)}{LEGEND}"
        f"{bad}{told}<h3>Metrics</h3><p>{measures}</p>"
        f"<details><summary>One by one</summary>{metrics_html(found, run)}</details>{where}</div>"
    )
