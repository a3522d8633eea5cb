"""A run as one page for a browser: no network, no script, light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from kimi_nb.trace import Trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.lanes import LEGEND, lanes_html, strip_html
from kimi_nb.views.page import STYLE, answer_html, failures_html, metrics_html, status_html
from kimi_nb.views.path import CriticalPath, critical_path
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.state import Agent, Run, Stage
from kimi_nb.views.text import escape, one_line
from kimi_nb.views.words import label, origin, seconds, state_word

__all__ = ["report_html"]

LANES = 40
"""Named lanes; with more agents a strip shows all of them above."""
SHOWN = 400
"""Characters of a task or an outcome in the table of agents."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
PAGE = """
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; color: #1f2328;
  font-family: system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main.knb { margin: 0 auto; padding: 1.5em 1.5em 4em; }
.knb.knb h1 { font-size: 1.35em; line-height: 1.3; margin: 0 0 .4em; overflow-wrap: anywhere; }
.knb.knb h2 { font-size: 1.12em; margin: 1.8em 0 .4em; padding-bottom: .15em;
  border-bottom: 1px solid var(--line); }
.knb.knb .answer, .knb.knb .agents { overflow-x: auto; }
.knb.knb .agents table { width: 100%; }
.knb.knb .agents td { overflow-wrap: anywhere; }
.knb.knb .agents th[scope=row], .knb.knb .agents td.state { white-space: nowrap; font-weight: 400; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e3e6ea; } }
@media print { main.knb { max-width: none; padding: 0; } }
"""


def report_html(trace: Trace, *, prices: Mapping[str, Price] = PRICES) -> str:
    """The whole page of a finished run, or of one that was cut off."""
    run = fold(trace)
    path = critical_path(run)
    title = one_line(run.goal)
    body = "".join(
        [
            f"<h1>{escape(title)}</h1>",
            status_html(run, trace.path),
            f"<h2>Answer</h2>{answer_html(run)}",
            f"<h2>Metrics</h2>{metrics_html(metrics(run, prices), run)}",
            _timeline(run, path),
            _stages(run),
            _agents(run),
            failures_html(run, most=50).replace("h3>", "h2>"),
            _made(trace, run),
        ]
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title[:120])}</title><style>{STYLE}{PAGE}</style></head>"
        f'<body><main class="knb">{body}</main></body></html>\n'
    )


def _timeline(run: Run, path: CriticalPath) -> str:
    strip = strip_html(run, path) if len(run.agents) > LANES else ""
    said = f"<summary>The critical path in words</summary><pre>{escape(repr(path))}</pre>"
    legs = f"<details>{said}</details>"
    return f"<h2>Timeline</h2>{strip}{lanes_html(run, path, LANES)}{LEGEND}{legs}"


def _stages(run: Run) -> str:
    rows = "".join(_stage(run, stage) for stage in run.stages.values())
    return "<h2>Stages</h2>" + _table(
        ("stage", "n sub-agents", "n steps", "n slowest", "n mean", "n critical steps", "n time"),
        rows,
    )


def _stage(run: Run, stage: Stage) -> str:
    steps = [run.agents[name].steps for name in stage.sub_agents]
    mean = f"{sum(steps) / len(steps):.1f}" if steps else "–"
    took = seconds((run.now if stage.ended is None else stage.ended) - stage.began)
    cells = (
        f"{len(steps):,}",
        f"{stage.main_steps + sum(steps):,}",
        f"{max(steps):,}" if steps else "–",
        mean,
        f"{stage.critical_steps:,}",
        took,
    )
    numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
    return f'<tr><th scope="row">{stage.number}</th>{numbers}</tr>'


def _agents(run: Run) -> str:
    rows = "".join(_agent(agent, run.now) for agent in run.agents.values())
    heads = ("agent", "state", "task", "outcome", "n steps", "n tools", "n tokens", "n time")
    return f'<h2>Agents</h2><div class="agents">{_table(heads, rows)}</div>'


def _agent(agent: Agent, now: float) -> str:
    state = agent.state_at(now)
    numbers = (
        f"{agent.steps:,}",
        f"{agent.tool_calls:,}",
        f"{agent.tokens_in + agent.tokens_out:,}",
        seconds(agent.seconds(now)),
    )
    told = "the answer" if agent.role != "sub-agent" and agent.outcome else agent.outcome
    task, outcome = (escape(_short(text)) for text in (agent.task, told))
    cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
    return (
        f'<tr><th scope="row">{escape(label(agent))}</th>'
        f'<td class="state is-{escape(state)}">{escape(state_word(state))}</td>'
        f"<td>{task}</td><td>{outcome}</td>{cells}</tr>"
    )


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _table(heads: tuple[str, ...], rows: str) -> str:
    """A table; a head that begins with "n " is of a column of numbers."""
    cells = "".join(
        f'<th scope="col" class="n">{head[2:]}</th>'
        if head.startswith("n ")
        else f'<th scope="col">{head}</th>'
        for head in heads
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"


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
    body = "".join(
        f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>' for name, value in rows
    )
    return f'<h2>How it was made</h2><table class="wrap"><tbody>{body}</tbody></table>'
