"""A run's timeline as HTML: a real table whose bars are small pictures without any text.

Where a page drops the pictures, names, states, steps and seconds are still a readable table.
"""

from __future__ import annotations

from collections.abc import Iterable

from kimi_nb.views.concurrency import Concurrency, concurrency
from kimi_nb.views.fold import Fold
from kimi_nb.views.path import CriticalPath, Segment
from kimi_nb.views.state import Agent, Interval, Run
from kimi_nb.views.text import escape
from kimi_nb.views.timeline import choose, others
from kimi_nb.views.words import label, seconds, state_word

__all__ = ["LEGEND", "UNITS", "area", "lanes_html", "strip_html"]

UNITS = 1000
LANE = 14
AREA = 28
TALLEST = 480
"""Pixels of a strip of very many agents."""
COLUMNS = 500
SHAPES: dict[str, tuple[float, float]] = {
    "call": (1, 10),
    "failed": (1, 10),
    "tool": (4, 7),
    "queued": (5.5, 1.5),
    "retry": (5.5, 1.5),
}
"""Top and height of a bar in a lane of 14: kinds differ by shape as well as by colour."""


def _key(kind: str, said: str) -> str:
    top, height = SHAPES.get(kind, (12, 2))
    rect = f'<rect class="{kind}" x="0" y="{top}" width="22" height="{height}"/>'
    svg = f'<svg viewBox="0 0 22 {LANE}" width="22" height="{LANE}" aria-hidden="true">{rect}</svg>'
    return f"<span>{svg} {said}</span>"


LEGEND = f"""<p class="legend">{
    " ".join(
        [
            _key("call", "model call"),
            _key("tool", "tool"),
            _key("queued", "waiting for a slot or a retry"),
            _key("failed", "no answer: failed or stopped"),
            _key("critical", "critical path: what decided the time"),
        ]
    )
}</p>"""


def lanes_html(run: Fold, path: CriticalPath, lanes: int) -> str:
    """A table with a lane for each of at most `lanes` agents, and what became of the others."""
    shown = choose(run, path, lanes)
    own = path.by_agent()
    rows = "".join(_row(agent, run, own.get(agent.id, [])) for agent in shown)
    rest = others(run, shown)
    note = f'<p class="note">{escape(rest)}</p>' if rest else ""
    return (
        '<table class="lanes"><thead><tr><th scope="col">agent</th><th scope="col">state</th>'
        f'<th scope="col" class="bar"><span>0 s</span><span>{seconds(run.now)}</span></th>'
        '<th scope="col" class="n">steps</th><th scope="col" class="n">time</th></tr></thead>'
        f"<tbody>{rows}</tbody><tfoot>{_at_work(run)}</tfoot></table>{note}"
    )


def _at_work(run: Fold) -> str:
    """How many were at work over time, under the lanes."""
    found = concurrency(run)
    drawn = f'<path class="area" d="{area(found, AREA, max(found.peak, 1))}"/>'
    svg = (
        f'<svg viewBox="0 0 {UNITS} {AREA}" preserveAspectRatio="none" width="100%" '
        f'height="{AREA}" aria-hidden="true">{drawn}</svg>'
    )
    mean = "–" if found.average is None else f"mean {found.average:.2f}"
    return (
        f'<tr><th scope="row">at work</th><td>{found.peak:,} at most</td>'
        f'<td class="bar">{svg}</td><td class="n" colspan="2">{mean}</td></tr>'
    )


def area(found: Concurrency, height: float, top: float) -> str:
    """A path of `UNITS` wide, so high where `top` agents are at work at that time.

    Of more changes than can be seen, the mean in each of `COLUMNS` equal parts of the time.
    """
    scale = UNITS / found.wall_s if found.wall_s else 0.0
    steps: Iterable[tuple[float, float]] = ((ended * scale, number) for _, ended, number in found)

    if len(found.times) > COLUMNS:
        means = found.means(COLUMNS)
        steps = (((i + 1) * UNITS / COLUMNS, mean) for i, mean in enumerate(means))

    drawn = (f"V{height - height * number / top:.4g}H{x:.4g}" for x, number in steps)
    return f"M0 {height:g}{''.join(drawn)}V{height:g}Z"


def _row(agent: Agent, run: Run, own: list[Segment]) -> str:
    state = agent.state_at(run.now)
    name = escape(label(agent))
    mark = "▶ " if own else ""
    bars = _bars(agent, run.now, own)
    svg = (
        f'<svg viewBox="0 0 {UNITS} {LANE}" preserveAspectRatio="none" width="100%" '
        f'height="{LANE}" aria-hidden="true">{bars}</svg>'
    )
    about = escape(agent.task[:300])
    return (
        f'<tr><th scope="row" title="{about}">{mark}{name}</th>'
        f'<td class="state is-{escape(state)}">{escape(state_word(state))}</td>'
        f'<td class="bar">{svg}</td><td class="n">{agent.steps:,}</td>'
        f'<td class="n">{seconds(agent.seconds(run.now))}</td></tr>'
    )


def _bars(agent: Agent, now: float, own: list[Segment]) -> str:
    end = now if agent.ended is None else agent.ended
    life = _rect("life", agent.began, end, now, 6, 0.6)
    spans = "".join(
        _rect(s.kind, s.began, s.ended, now, *SHAPES[s.kind]) for s in _joined(agent, now)
    )
    return life + spans + "".join(_rect("critical", *s, now, 12, 2) for s in _stretches(own))


def _stretches(own: list[Segment]) -> list[tuple[float, float]]:
    """Segments that touch, as one."""
    found: list[tuple[float, float]] = []

    for segment in own:
        touches = found and found[-1][1] == segment.began
        began = found.pop()[0] if touches else segment.began
        found.append((began, segment.ended))

    return found


def _joined(agent: Agent, now: float) -> Iterable[Interval]:
    """The intervals, without those too short to see beside a longer one of the same kind."""
    spans = agent.timeline(now)
    least = now / UNITS / 2
    return spans if len(spans) < UNITS // 2 else (s for s in spans if s.ended - s.began > least)


def _rect(kind: str, began: float, ended: float, now: float, y: float, height: float) -> str:
    scale = UNITS / now if now else 0.0
    x, wide = began * scale, max(1.0, (ended - began) * scale)
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:g}" width="{wide:.1f}" height="{height:g}"/>'


def strip_html(run: Run, path: CriticalPath) -> str:
    """All agents on a few hundred pixels, a thin lane each, without names."""
    agents = list(run.agents.values())
    step = 4
    height = step * len(agents)
    own = path.by_agent()
    lanes = "".join(
        _thin(agent, run.now, own.get(agent.id, []), index * step, step - 1)
        for index, agent in enumerate(agents)
    )
    said = f"All {len(agents)} agents, from 0 s to {seconds(run.now)}, in the order of their begin"
    return (
        f'<p class="note">{said}:</p>'
        f'<svg class="strip" role="img" aria-label="{said}" viewBox="0 0 {UNITS} {height}" '
        f'preserveAspectRatio="none" width="100%" height="{min(height, TALLEST)}">{lanes}</svg>'
        '<p class="note">By name: the critical ones, those that failed, and the slowest.</p>'
    )


def _thin(agent: Agent, now: float, own: list[Segment], y: int, height: int) -> str:
    """Where it decided the time, a lane has the colour of the critical path."""
    quiet = {"queued", "retry"}
    bars: list[str] = []

    for span in _joined(agent, now):
        top, tall = (y + 1, height - 2) if span.kind in quiet else (y, height)
        bars.append(_rect(span.kind, span.began, span.ended, now, top, tall))

    bars += [_rect("critical", *s, now, y, height) for s in _stretches(own)]
    return "".join(bars)
