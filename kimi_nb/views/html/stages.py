"""What a picture of a run's graph shows: its stages, and of each the agents that tell most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from kimi_nb.views.measures import Measures
from kimi_nb.views.state import BUSY, Agent, Run, Stage
from kimi_nb.views.words import count, label, seconds, state_word

__all__ = ["Box", "Column", "columns"]

COLUMNS = 20
"""Stages that are drawn each by itself; the longest, if there are more."""
BOXES = 8
"""Sub-agents that are drawn each by itself in a stage."""


class Box(NamedTuple):
    """An agent, a turn, or a stack of those that are not drawn by themselves."""

    ids: tuple[str, ...]
    """Nodes of the graph that it stands for."""
    lines: tuple[str, ...]
    critical: bool = False
    stack: bool = False
    about: str = ""


class Column(NamedTuple):
    """A stage, or several that follow each other and are drawn as one."""

    stages: tuple[Stage, ...]
    head: Box | None
    """The turn of the main agent; None in a plan."""
    boxes: tuple[Box, ...]


def columns(run: Run, found: Measures) -> list[Column]:
    """What to draw: all stages, or the longest where there are many.

    Of each stage: the critical sub-agents, those that failed, and the slowest.
    """
    critical = {link.node for link in found.seconds.chain}
    stages = list(run.stages.values())
    shown = {id(stage) for stage in _longest(stages, run)}
    drawn: list[Column] = []

    for alone, group in groupby(stages, key=lambda stage: id(stage) in shown):
        together = tuple(group)
        parts = [(stage,) for stage in together] if alone else [together]
        drawn += [_column(run, part, critical) for part in parts]

    return drawn


def _longest(stages: Sequence[Stage], run: Run) -> list[Stage]:
    """Those that launched somebody; if they are too many, those that took longest."""
    busy = [stage for stage in stages if stage.sub_agents]

    def took(stage: Stage) -> float:
        return (run.now if stage.ended is None else stage.ended) - stage.began

    return sorted(busy, key=took, reverse=True)[:COLUMNS]


def _column(run: Run, stages: tuple[Stage, ...], critical: set[str]) -> Column:
    names = [name for stage in stages for name in stage.sub_agents]
    agents = [run.agents[name] for name in names]
    kept = agents

    if len(stages) > 1:
        kept = []
    elif len(agents) > BOXES + 1:
        kept = sorted(agents, key=lambda a: _rank(a, run.now, critical))[:BOXES]

    ids = {agent.id for agent in kept}
    boxes = [_box(agent, run.now, critical) for agent in agents if agent.id in ids]
    rest = [agent for agent in agents if agent.id not in ids]

    if rest:
        boxes.append(_stack(rest, run.now, critical, more=bool(kept)))

    return Column(stages, _head(run, stages, critical), tuple(boxes))


def _rank(agent: Agent, now: float, critical: set[str]) -> tuple[bool, bool, float]:
    return agent.id not in critical, agent.state != "failed", -agent.busy(now)


def _head(run: Run, stages: tuple[Stage, ...], critical: set[str]) -> Box | None:
    """The turn of the main agent, or several that follow each other."""
    first, last = stages[0], stages[-1]

    if not first.parent:
        return None

    ids = tuple(f"{stage.parent}/{stage.number}" for stage in stages)
    turn = f"turn {first.number}" if first is last else f"turns {first.number} to {last.number}"
    steps = sum(stage.main_steps for stage in stages)
    agent = run.agents[first.parent]
    numbers = {stage.number for stage in stages}
    spans = (span for span in agent.timeline(run.now) if span.step in numbers)
    took = sum(span.ended - span.began for span in spans if span.kind in BUSY)
    lines = (f"{first.parent} {turn}", f"{count(steps, 'step')}, {seconds(took)}")
    marked = any(name in critical for name in ids)
    return Box(ids, lines + (("critical",) if marked else ()), marked, about=agent.task)


def _box(agent: Agent, now: float, critical: set[str]) -> Box:
    state = agent.state_at(now)
    marked = agent.id in critical
    notes = (["critical"] if marked else []) + ([state_word(state)] if state != "finished" else [])
    work = f"{count(agent.steps, 'step')}, {seconds(agent.busy(now))}"
    lines = (label(agent), work, *([", ".join(notes)] if notes else []))
    return Box((agent.id,), lines, marked, about=agent.task)


def _stack(agents: list[Agent], now: float, critical: set[str], *, more: bool) -> Box:
    states = Counter(agent.state_at(now) for agent in agents)
    said = ", ".join(f"{n:,} {state.replace('_', ' ')}" for state, n in states.most_common())
    marked = any(agent.id in critical for agent in agents)
    first = f"… and {len(agents):,} more" if more else count(len(agents), "sub-agent")
    most = seconds(max(agent.busy(now) for agent in agents))
    lines = (first, f"up to {most} each", said if len(states) > 1 or not more else "")
    notes = ("critical among them",) if marked else ()
    ids = tuple(agent.id for agent in agents)
    return Box(ids, tuple(line for line in lines if line) + notes, marked, stack=True)
