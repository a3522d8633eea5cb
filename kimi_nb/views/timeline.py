"""A run as lanes of text, one for each agent: for terminals, diffs, GitHub and screen readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kimi_nb.trace import Record
from kimi_nb.views.concurrency import blocks, concurrency
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.path import CriticalPath, critical_path
from kimi_nb.views.state import Agent, Kind, Run
from kimi_nb.views.text import fit
from kimi_nb.views.text import width as columns_of
from kimi_nb.views.words import label, seconds, state_word

__all__ = ["choose", "others", "swimlane"]

MARKS: dict[Kind, str] = {"call": "█", "tool": "▒", "queued": "·", "retry": "·", "failed": "×"}
LEGEND = "█ model call  ▒ tool  · waiting  × no answer  ▶ on the critical path"
STATE = 13
STEPS = 5
NAMES = (12, 24)
NARROWEST = 60


def swimlane(run: Fold | Iterable[Record], width: int = 80, lanes: int = 24) -> str:
    """The timeline of a trace, or of a fold at its latest record, at most `width` columns wide.

    With more than `lanes` agents it shows the main agent, those on the critical path, those
    that failed and the slowest, and says what became of the others. Below, how many were at
    work at each time.
    """
    state = as_fold(run)

    if not state.agents:
        return "No agent has begun."

    path = critical_path(state)
    shown = choose(state, path, lanes)
    critical = set(path.agents)
    wide = max(width, NARROWEST)
    name = min(max(NAMES[0], *(columns_of(label(agent)) for agent in shown)), NAMES[1])
    bar = wide - 2 - name - 1 - STATE - 1 - 1 - STEPS - 1 - _time(state.now)
    lines = [_head(name, bar, state.now)]
    lines += [_lane(a, state.now, name, bar, critical=a.id in critical) for a in shown]
    rest = others(state, shown)
    lines += [f"  {rest}"] if rest else []
    return "\n".join([*lines, _at_work(state, name, bar), LEGEND])


def choose(run: Run, path: CriticalPath, lanes: int) -> list[Agent]:
    """The agents to show where there is room for that many, in the order of their begin."""
    agents = list(run.agents.values())

    if len(agents) <= lanes:
        return agents

    critical = set(path.agents)

    def rank(agent: Agent) -> tuple[bool, bool, bool, float]:
        return (
            agent.role == "sub-agent",
            agent.id not in critical,
            agent.state != "failed",
            -agent.seconds(run.now),
        )

    kept = {agent.id for agent in sorted(agents, key=rank)[: max(lanes, 1)]}
    return [agent for agent in agents if agent.id in kept]


def others(run: Run, shown: list[Agent]) -> str:
    """What became of the agents that are not shown; "" if all are."""
    seen = {agent.id for agent in shown}
    states = Counter(a.state_at(run.now) for a in run.agents.values() if a.id not in seen)

    if not states:
        return ""

    parts = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in states.most_common())
    return f"… and {states.total()} more: {parts}"


def _time(now: float) -> int:
    return max(len("time"), len(seconds(now)))


def _head(name: int, bar: int, now: float) -> str:
    end = seconds(now)
    axis = f"0 s{end:>{bar - 3}}"
    tail = f"{'steps':>{STEPS}} {'time':>{_time(now)}}"
    return f"  {fit('agent', name)} {fit('state', STATE)} {axis} {tail}"


def _lane(agent: Agent, now: float, name: int, bar: int, *, critical: bool) -> str:
    state = fit(state_word(agent.state_at(now)), STATE)
    took = f"{seconds(agent.seconds(now)):>{_time(now)}}"
    head = f"{'▶' if critical else ' '} {fit(label(agent), name)} {state}"
    return f"{head} {_bar(agent, now, bar)} {agent.steps:>{STEPS}} {took}"


def _at_work(run: Fold, name: int, bar: int) -> str:
    """How many were at work over time, under the lanes: a full block is the most."""
    found = concurrency(run)
    most = fit(f"{found.peak:,} at most", STATE)
    mean = "" if found.average is None else f"mean {found.average:.2f}"
    tail = fit(mean, STEPS + 1 + _time(run.now), right=True)
    return f"  {fit('at work', name)} {most} {blocks(found, bar)} {tail}"


def _bar(agent: Agent, now: float, columns: int) -> str:
    """Each column shows what took most of its time; a failed attempt always shows."""
    scale = columns / now if now else 0.0
    end = now if agent.ended is None else agent.ended
    first = min(int(agent.began * scale), columns - 1)
    last = max(first, min(round(end * scale), columns) - 1)
    cells = [{"·": 1e-9} if first <= i <= last else {} for i in range(columns)]

    for span in agent.timeline(now):
        _fill(cells, span.began * scale, span.ended * scale, MARKS[span.kind])

    return "".join(_mark(cell) for cell in cells)


def _fill(cells: list[dict[str, float]], began: float, ended: float, mark: str) -> None:
    first = min(int(began), len(cells) - 1)

    for i in range(first, min(int(ended), len(cells) - 1) + 1):
        overlap = min(ended, i + 1) - max(began, i)

        if overlap > 0:
            cells[i][mark] = cells[i].get(mark, 0.0) + overlap


def _mark(cell: dict[str, float]) -> str:
    if "×" in cell:
        return "×"

    return max(cell, key=lambda mark: cell[mark], default=" ")
