"""Tables of a run for its page: what it measured, its critical path, its stages, its agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from kimi_nb.views.html.charts import table
from kimi_nb.views.measures import Measure, Measures
from kimi_nb.views.path import CriticalPath
from kimi_nb.views.state import BUSY, Agent, Run, Stage
from kimi_nb.views.text import escape, one_line
from kimi_nb.views.words import count, label, percent, seconds, state_word

__all__ = ["agents_html", "measures_html", "path_html", "path_sentence", "stages_html"]

SHOWN = 240
"""Characters of a task or an outcome in the table of agents."""
SEGMENTS = 200
"""Rows of the table of the critical path; the longest, if there are more."""
NAMED = 3
"""Agents that are named in the sentence about it."""
SOME = 0.05
"""Seconds of waiting from which they are worth a word."""
UNITS = 1000
MEANINGS = (
    ("work", "what all agents took together"),
    ("span", "the longest chain: no number of workers goes below it"),
    ("critical", "as if each stage waited for its slowest sub-agent; in steps, Critical Steps"),
    ("barriers", "what waiting for the slowest of each stage costs: slowest less mean"),
    ("overhead", "what the orchestrator itself took"),
    ("burden", "what the orchestrator adds to the span"),
)


def measures_html(found: Measures, average: float | None) -> str:
    """The measures in steps, in seconds and in tokens, each row with what it says.

    `average` is how many agents were at work.
    """
    every = (found.steps, found.seconds, found.tokens)
    rows = [
        (name, *(_amount(one, getattr(one, name)) for one in every), _said(found, name, meaning))
        for name, meaning in MEANINGS
    ]
    ratios = ["–" if one.parallelism is None else f"{one.parallelism:.2f}×" for one in every]
    were = "" if average is None else f"; {average:.2f} were at work on average"
    could = f"work / span: so many workers could have been kept busy{were}"
    rows.append(("parallelism", *ratios, could))
    return table(("measure", "n steps", "n seconds", "n tokens", "what it says"), rows, "measures")


def _amount(found: Measure, amount: float) -> str:
    if found.currency == "seconds":
        return f"{amount:,.1f} s"

    return f"{amount:,.1f}" if amount % 1 else f"{amount:,.0f}"


def _said(found: Measures, name: str, meaning: str) -> str:
    """The meaning, and how much of the work or the span it is."""
    whole = {"span": "work", "barriers": "critical", "overhead": "work", "burden": "span"}.get(name)
    total = getattr(found.seconds, whole) if whole else 0.0

    if not total:
        return meaning

    return f"{meaning} ({percent(getattr(found.seconds, name) / total)} of the seconds of {whole})"


def path_sentence(path: CriticalPath) -> str:
    """Who decided how long the run took, and how much of it was waiting; "" before any time."""
    took: dict[str, float] = {}

    for segment in path:
        took[segment.agent] = took.get(segment.agent, 0.0) + segment.share

    if not took:
        return ""

    first = sorted(took, key=lambda agent: took[agent], reverse=True)[:NAMED]
    names = [f"{path.names[agent]} ({percent(took[agent])})" for agent in first]
    names += [count(len(took) - NAMED, "other agent")] if len(took) > NAMED else []
    who = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    waited = sum(segment.seconds for segment in path if segment.kind not in BUSY)
    rest = f"; {seconds(waited)} of them went into waiting" if waited >= SOME else ""
    return f"The {seconds(path.wall_s)} were decided by {who}{rest}."


def path_html(path: CriticalPath) -> str:
    """The critical path, stretch by stretch, with the records that prove it."""
    longest = sorted(path, key=lambda segment: segment.seconds, reverse=True)[SEGMENTS:]
    left = set(longest)
    rows = [
        (
            f"{s.share:.1%}",
            f"{s.seconds:,.2f} s",
            path.names[s.agent],
            str(s.step) if s.step else "–",
            s.kind,
            f"{s.record:,}",
        )
        for s in path
        if s not in left
    ]
    took = seconds(sum(segment.seconds for segment in longest))
    more = f'<p class="note">… and {len(longest):,} shorter ones, {took} in all</p>'
    heads = ("n share", "n time", "agent", "n step", "kind", "n record")
    return table(heads, rows) + (more if longest else "")


def stages_html(run: Run) -> str:
    """Each stage as a bar: its sub-agents' mean, and up to its slowest what waiting cost."""
    if not any(stage.sub_agents for stage in run.stages.values()):
        return "<p>No turn launched a sub-agent, so nobody waited for anybody.</p>"

    most = max(stage.max_sub_steps for stage in run.stages.values())
    grouped = groupby(run.stages.values(), key=lambda stage: stage if stage.sub_agents else None)
    rows = "".join(_stage(run, list(group), most) for _, group in grouped)
    heads = (
        '<th scope="col">stage</th><th scope="col" class="bar"><span>0 steps</span>'
        f"<span>{count(most, 'step')}</span></th>"
    )
    names = ("sub-agents", "mean", "slowest", "barrier", "steps", "critical", "time")
    heads += "".join(f'<th scope="col" class="n">{name}</th>' for name in names)
    said = f"<p>{_read(run)}</p>"
    return (
        f'{said}<table class="lanes"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _read(run: Run) -> str:
    counted = [steps for stage in run.stages.values() if (steps := _steps(run, stage))]

    cost = sum(max(steps) - sum(steps) / len(steps) for steps in counted)
    slowest = sum(max(steps) for steps in counted)
    share = cost / slowest if slowest else 0.0
    return (
        "Filled is the mean of a stage’s sub-agents, outlined its slowest; the gap is what the "
        f"others wait: {mean_of(cost)} of the {count(slowest, 'step')} of the slowest, "
        f"{percent(share)}."
    )


def mean_of(steps: float) -> str:
    """A mean number of steps."""
    return f"{steps:,.1f}".removesuffix(".0")


def _steps(run: Run, stage: Stage) -> list[int]:
    return [run.agents[name].steps for name in stage.sub_agents]


def _stage(run: Run, stages: Sequence[Stage], most: int) -> str:
    """One stage, or several turns that follow each other and launched nobody."""
    first, last = stages[0], stages[-1]
    name = f"{first.number}" if first is last else f"{first.number} to {last.number}"
    steps = [n for stage in stages for n in _steps(run, stage)]
    mean = sum(steps) / len(steps) if steps else 0.0
    ended = run.now if last.ended is None else last.ended
    slowest = max(steps, default=0)
    known = (f"{len(steps):,}", mean_of(mean), f"{slowest:,}", mean_of(slowest - mean))
    cells = (
        *(known if steps else ("–",) * 4),
        f"{sum(stage.main_steps for stage in stages) + sum(steps):,}",
        f"{sum(stage.critical_steps for stage in stages):,}",
        seconds(ended - first.began),
    )
    numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
    bar = _bar(mean, slowest, most) if steps else ""
    return f'<tr><th scope="row">{name}</th><td class="bar">{bar}</td>{numbers}</tr>'


def _bar(mean: float, slowest: int, most: int) -> str:
    scale = UNITS / most if most else 0.0
    return (
        f'<svg viewBox="0 0 {UNITS} 14" preserveAspectRatio="none" width="100%" height="14" '
        f'role="img" aria-label="mean {mean_of(mean)}, slowest {count(slowest, "step")}">'
        f'<rect class="call" x="0" y="2" width="{mean * scale:.1f}" height="10"/>'
        f'<rect class="slowest" x="0" y="2" width="{slowest * scale:.1f}" height="10"/></svg>'
    )


def agents_html(run: Run, found: Measures) -> str:
    """What each agent was asked, what came of it, what it took, and what it could have taken."""
    slack = found.steps.slack, found.seconds.slack
    rows = "".join(_agent(agent, run.now, *slack) for agent in run.agents.values())
    heads = ("agent", "state", "task → outcome")
    numbers = ("steps", "tools", "tokens", "time", "slack, steps", "slack, time")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    head += "".join(f'<th scope="col" class="n">{name}</th>' for name in numbers)
    note = (
        "Slack is how much more a sub-agent could have taken without making the span longer; "
        "none means that it is critical."
    )
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<p class="note">{note}</p><div class="agents">{body}</div>'


def _agent(agent: Agent, now: float, steps: Mapping[str, float], time: Mapping[str, float]) -> str:
    state = agent.state_at(now)
    sub = agent.id in steps
    numbers = (
        f"{agent.steps:,}",
        f"{agent.tool_calls:,}",
        f"{agent.tokens_in + agent.tokens_out:,}",
        seconds(agent.seconds(now)),
        (mean_of(steps[agent.id]) if steps[agent.id] else "none") if sub else "–",
        (seconds(time[agent.id]) if time[agent.id] else "none") if sub else "–",
    )
    told = "the answer" if agent.role != "sub-agent" and agent.outcome else agent.outcome
    task, outcome = (escape(_short(text)) for text in (agent.task, told))
    cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
    return (
        f'<tr><th scope="row">{escape(label(agent))}</th>'
        f'<td class="state is-{escape(state)}">{escape(state_word(state))}</td>'
        f"<td>{task}{f'<br>→ {outcome}' if outcome else ''}</td>{cells}</tr>"
    )


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
