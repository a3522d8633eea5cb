"""A run as one page for a browser: no network, no script, light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from kimi_nb.trace import Trace
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.critical import Metrics, metrics
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.fold import Fold, fold
from kimi_nb.views.html.advice import advice_html
from kimi_nb.views.html.charts import table
from kimi_nb.views.html.flowchart import flowchart_html
from kimi_nb.views.html.images import images_html
from kimi_nb.views.html.lanes import LEGEND, lanes_html, strip_html
from kimi_nb.views.html.page import STYLE, answer_html, failures_html, metrics_html, status_html
from kimi_nb.views.html.pictures import bounds_html, concurrency_html
from kimi_nb.views.html.sheet import SHEET
from kimi_nb.views.html.tables import (
    agents_html,
    measures_html,
    path_html,
    path_sentence,
    stages_html,
)
from kimi_nb.views.measures import measures
from kimi_nb.views.path import CriticalPath, critical_path
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.state import Run
from kimi_nb.views.text import escape, one_line
from kimi_nb.views.words import figures, origin

__all__ = ["report_html"]

LANES = 40
"""Named lanes; with more agents a strip shows all of them above."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def report_html(trace: Trace, *, prices: Mapping[str, Price] = PRICES) -> str:
    """The whole page of a finished run, or of one that was cut off."""
    run = fold(trace)
    measured = measures(run)
    busy = concurrency(run)
    counted = metrics(run, prices)
    title = one_line(run.goal)
    sections = {
        "Answer": answer_html(run),
        "What did not finish": failures_html(run, most=50),
        "Diagnosis": advice_html(diagnose(trace)),
        "Timeline": _timeline(run, critical_path(run)),
        "Concurrency": concurrency_html(busy),
        "Graph": flowchart_html(run, measured),
        "Measures": measures_html(measured, busy.average) + _metrics(counted, run),
        "Speed-up by workers": bounds_html(measured.seconds, busy),
        "Stages": stages_html(run),
        "Agents": agents_html(run, measured),
        "Images": images_html(trace),
        "How it was made": _made(trace, run),
    }
    parts = (f"<section><h2>{name}</h2>{part}</section>" for name, part in sections.items() if part)
    body = f"{_head(trace, run, counted)}{''.join(parts)}"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title[:120])}</title><style>{STYLE}{SHEET}</style></head>"
        f'<body><main class="knb">{body}</main></body></html>\n'
    )


def _head(trace: Trace, run: Run, counted: Metrics) -> str:
    said = escape(figures(counted, run)).replace("\n", "<br>")
    return f"<h1>{escape(one_line(run.goal))}</h1>{status_html(run, trace.path)}<p>{said}</p>"


def _metrics(counted: Metrics, run: Run) -> str:
    table = metrics_html(counted, run)
    return f"<details><summary>All that is counted, one by one</summary>{table}</details>"


def _timeline(run: Fold, path: CriticalPath) -> str:
    strip = strip_html(run, path) if len(run.agents) > LANES else ""
    said = "<summary>The critical path, step by step</summary>"
    legs = f"<pre>{escape(repr(path))}</pre><details>{said}{path_html(path)}</details>"
    read = f"<p>{escape(path_sentence(path))}</p>"
    return f"{read}{strip}{lanes_html(run, path, LANES)}{LEGEND}{legs}"


def _made(trace: Trace, run: Run) -> str:
    day = datetime.fromtimestamp(run.started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    rows = [
        ("model", run.model + (", no language model" if run.simulated else "")),
        ("begun", day),
        ("kimi_nb", run.version),
        ("options", run.options),
        ("taken up again", f"{run.resumed}×" if run.resumed else "never"),
        *([("forked from", origin(run))] if run.forked_from else []),
        ("records", f"{len(trace):,}"),
        ("trace", str(trace.path) if trace.path else "not saved"),
    ]
    return table(("", ""), rows, "wrap")
