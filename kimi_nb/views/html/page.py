"""Parts that the summary in a notebook and the report in a browser have in common."""

from __future__ import annotations

from pathlib import Path

from kimi_nb.views.critical import Metrics
from kimi_nb.views.markdown import markdown_html
from kimi_nb.views.state import Run
from kimi_nb.views.text import escape
from kimi_nb.views.words import (
    count,
    label,
    metric_rows,
    next_step,
    origin,
    places,
    simulated_by,
    state_word,
    status_line,
    verdicts,
)

__all__ = ["STYLE", "answer_html", "failures", "failures_html", "metrics_html", "status_html"]

STYLE = """
.knb { --line: var(--jp-border-color2, rgba(128, 128, 128, .35)); --call: #4a8fd6;
  --tool: #2f9e8f; --wait: #8c939c; --bad: #d6513f; --crit: #cf7a10; line-height: 1.45;
  font-size: var(--jp-ui-font-size1, 14px); max-width: 1100px; }
.knb.knb h2, .knb.knb h3, .knb.knb h4, .knb.knb h5, .knb.knb h6 {
  font-size: 1.05em; font-weight: 600; margin: 1em 0 .35em; }
.knb.knb p { margin: .35em 0; }
.knb.knb .answer { overflow-x: auto; font-variant-numeric: tabular-nums; }
.jp-NotebookPanel .knb.knb .answer { max-height: 30em; overflow-y: auto; padding: 2px 0;
  border: solid var(--line); border-width: 1px 0; }
@media print { .jp-NotebookPanel .knb.knb .answer { max-height: none; } }
.knb.knb table { border-collapse: collapse; margin: .4em 0; font-size: inherit; table-layout: auto;
  border: 0; }
.knb.knb th, .knb.knb td { padding: .15em .7em .15em 0; text-align: left; vertical-align: top;
  border: 0; border-bottom: 1px solid var(--line); max-width: none; white-space: normal;
  background: none; }
.knb.knb th { font-weight: 600; }
.knb.knb .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.knb.knb .note, .knb.knb .legend, .knb.knb .unit { opacity: .75; font-size: .92em; }
.knb.knb .legend span { white-space: nowrap; margin-right: 1em; }
.knb.knb .legend svg { vertical-align: -3px; }
.knb.knb .status { font-weight: 600; }
.knb.knb .simulator { border: 1px solid var(--crit); border-left-width: 4px; padding: .2em .6em;
  display: inline-block; margin: .2em 0; }
.knb.knb pre, .knb.knb code { font-family: var(--jp-code-font-family, ui-monospace, monospace);
  font-size: .93em; white-space: pre-wrap; overflow-wrap: anywhere; }
.knb.knb .lanes { width: 100%; }
.knb.knb .lanes th, .knb.knb .lanes td { padding: 0 .7em 0 0; border: 0; line-height: 1.3;
  white-space: nowrap; vertical-align: middle; font-size: .93em; }
.knb.knb .lanes tbody th { font-weight: 400; max-width: 15em; overflow: hidden;
  text-overflow: ellipsis; }
.knb.knb .lanes .bar { width: 70%; border-left: 1px solid var(--line);
  border-right: 1px solid var(--line); padding: 0; }
.knb.knb .lanes th.bar span + span { float: right; }
.knb.knb .lanes th.bar { padding: 0 .3em; border: 0; font-weight: 400; }
.knb.knb .lanes .n { padding: 0 0 0 .7em; }
.knb.knb .lanes svg, .knb.knb .strip { display: block; }
.knb.knb .lanes svg, .knb.knb .legend svg { height: 14px; }
.knb.knb .lanes thead tr, .knb.knb .lanes tbody tr { background: none; }
.knb.knb .strip { border-left: 1px solid var(--line); border-right: 1px solid var(--line); }
.knb.knb rect { fill: var(--wait); }
.knb.knb .call { fill: var(--call); }
.knb.knb .tool { fill: var(--tool); }
.knb.knb .failed { fill: none; stroke: var(--bad); stroke-width: 1.6;
  vector-effect: non-scaling-stroke; }
.knb.knb .strip .failed { fill: var(--bad); stroke: none; }
.knb.knb .critical { fill: var(--crit); }
.knb.knb .life { opacity: .45; }
.knb.knb .area { fill: var(--call); opacity: .55; }
.knb.knb .lanes tfoot th, .knb.knb .lanes tfoot td { padding-top: .5em; font-weight: 400; }
.knb.knb .is-failed, .knb.knb .is-over_budget { color: var(--bad); font-weight: 600; }
.knb.knb ul, .knb.knb ol { margin: .35em 0; padding-left: 1.4em; }
.knb.knb .wrap th, .knb.knb .wrap td { overflow-wrap: anywhere; }
.knb.knb .wrap th { min-width: 8em; }
.knb.knb .wrap .state { white-space: nowrap; }
.knb.knb .metrics td { padding-right: 1.4em; }
"""
"""Scoped to .knb, twice so that a host's own table rules lose. Text has the colour of the page
around it, so that dark themes just work. In JupyterLab a long answer scrolls by itself, so that the
timeline stays near; exported and printed notebooks show all of it."""


STOPPED = {"cancelled", "over_budget"}
"""Statuses of runs whose agents were ended with them."""


def status_html(run: Run, path: Path | None) -> str:
    """How the run ended, how it was judged, who answered, and what to type to go on."""
    status = "unfinished" if run.status == "running" else run.status
    parts = [f'<p class="status is-{escape(status)}">{escape(status_line(run))}</p>']

    parts += [f"<p>{escape(line)}</p>" for line in verdicts(run)]

    if mark := simulated_by(run):
        parts.append(f'<p class="simulator">{escape(mark)}</p>')

    lines = [line for line in (origin(run), places(run), next_step(run, path)) if line]
    return "".join([*parts, *(f"<p>{escape(line)}</p>" for line in lines)])


def answer_html(run: Run) -> str:
    """The answer, its tables as tables."""
    if run.answer.strip():
        return f'<div class="answer">{markdown_html(run.answer)}</div>'

    return '<p class="note">There is no answer.</p>'


def metrics_html(found: Metrics, run: Run) -> str:
    """The metrics with their units and what they mean."""
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td class="n">{escape(value)}</td>'
        f'<td class="unit">{escape(meaning)}</td></tr>'
        for name, value, meaning in metric_rows(found, run)
    )
    return f'<table class="metrics"><tbody>{rows}</tbody></table>'


def failures(run: Run, most: int = 20) -> list[tuple[str, str, str]]:
    """Agents that ended otherwise than finished, as (label, state, why), and how many more.

    Those with no more to say than that they were stopped, with the run, are one row.
    """
    ended = [a for a in run.agents.values() if a.ended is not None and a.state != "finished"]
    stopped = [a for a in ended if run.status in STOPPED and a.state in STOPPED]
    quiet = [a for a in stopped if (a.outcome or a.why) in {a.state, run.why}]
    bad = [a for a in ended if a not in quiet]
    rows = [(label(a), state_word(a.state), a.outcome or a.why) for a in bad[:most]]

    if len(bad) > most:
        rows.append((f"… and {count(len(bad) - most, 'agent')} more", "", ""))

    if quiet:
        who = label(quiet[0]) if len(quiet) == 1 else count(len(quiet), "agent")
        rows.append((who, state_word(quiet[0].state), "with the run"))

    return rows


def failures_html(run: Run, most: int = 20) -> str:
    """The same as a table; "" where all finished."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="state">{escape(state)}</td>'
        f"<td>{escape(why[:500])}</td></tr>"
        for name, state, why in failures(run, most)
    )
    return f'<table class="wrap"><tbody>{rows}</tbody></table>' if rows else ""
