"""The chain of events that decided how long a run took, found backwards from its end."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.state import Agent, Interval, Kind, Run
from kimi_nb.views.text import fit, width
from kimi_nb.views.words import SIMULATOR, count, label, seconds

__all__ = ["CriticalPath", "Leg", "Segment", "critical_path"]

SHOWN = 0.05
"""Seconds from which a kind of time is worth a word."""
LEGS = 24
"""Legs that are listed where one looks at a path; the longest, if there are more."""
NAME = 40
"""Columns of an agent's name: models write long ones, and lines are to stay lines."""


class Segment(NamedTuple):
    """One stretch of the critical path. Times are seconds since the run began."""

    agent: str
    kind: Kind | Literal["other"]
    """As of `state.Interval`; "other" is what the facts do not explain: hand-over, the engine."""
    step: int
    began: float
    ended: float
    share: float
    """Of the wall time, from 0 to 1."""
    record: int
    """Number of the record with which it began, or, of "other", of the latest before it."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.ended - self.began


class Leg(NamedTuple):
    """Segments of the critical path that follow each other in one agent."""

    agent: str
    segments: tuple[Segment, ...]

    @property
    def seconds(self) -> float:
        """All of them together."""
        return sum(segment.seconds for segment in self.segments)

    @property
    def share(self) -> float:
        """Of the wall time, from 0 to 1."""
        return sum(segment.share for segment in self.segments)

    def said(self) -> str:
        """What it went into, as "call 2.0 s, tool 0.5 s"."""
        parts: dict[str, float] = {}

        for segment in self.segments:
            parts[segment.kind] = parts.get(segment.kind, 0.0) + segment.seconds

        seen = {kind: t for kind, t in parts.items() if t >= SHOWN} or parts
        return ", ".join(f"{kind} {seconds(t)}" for kind, t in seen.items())


@dataclass(frozen=True, slots=True, repr=False)
class CriticalPath:
    """Segments that follow each other without a gap from the run's begin to its end."""

    segments: tuple[Segment, ...]
    wall_s: float
    names: dict[str, str]
    """How to call each agent, by id."""
    simulated: bool = False
    """No language model took part: its times are no model's."""

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def agents(self) -> list[str]:
        """Ids of the agents on it, in the order in which they come."""
        return list(dict.fromkeys(segment.agent for segment in self.segments))

    def by_agent(self) -> dict[str, list[Segment]]:
        """The segments of each agent on it."""
        found: dict[str, list[Segment]] = {}

        for segment in self.segments:
            found.setdefault(segment.agent, []).append(segment)

        return found

    def legs(self) -> list[Leg]:
        """The segments that follow each other in one agent, together, in their order."""
        grouped = groupby(self.segments, key=lambda segment: segment.agent)
        return [Leg(agent, tuple(segments)) for agent, segments in grouped]

    def __repr__(self) -> str:
        legs = self.legs()
        longest = sorted(range(len(legs)), key=lambda i: legs[i].seconds, reverse=True)
        shown = sorted(longest[:LEGS])
        head = f"Critical path: {seconds(self.wall_s)} through {count(len(self.agents), 'agent')}"
        lines = [head, *(self._leg(legs[i]) for i in shown)]

        if len(legs) > len(shown):
            took = seconds(self.wall_s - sum(legs[i].seconds for i in shown))
            more = count(len(legs) - len(shown), "shorter leg")
            lines.append(f"  … and {more}, {took} in all: .table() has every step")

        return "\n".join([*lines, *self._marks()])

    def _leg(self, leg: Leg) -> str:
        name = fit(self.names[leg.agent], NAME).rstrip()
        return f"  {leg.share:4.0%} {seconds(leg.seconds):>9}  {name}: {leg.said()}"

    def table(self) -> str:
        """Every segment as a line of text: where its evidence is, and what it took."""
        wide = min(max(map(width, self.names.values()), default=0), NAME)
        head = f"{'share':>6} {'seconds':>9}  {fit('agent', wide)}  {'step':>4}  {'kind':<6}"
        lines = [
            f"{s.share:6.1%} {s.seconds:9,.2f}  {fit(self.names[s.agent], wide)}"
            f"  {s.step:>4}  {s.kind:<6} {s.record:>7}"
            for s in self.segments
        ]
        return "\n".join([f"{head} {'record':>7}", *lines, *self._marks()])

    def _marks(self) -> list[str]:
        return [SIMULATOR] if self.simulated else []


def critical_path(run: Fold | Iterable[Record]) -> CriticalPath:
    """What decided the wall time of a trace, or of a fold at its latest record.

    From the end it goes back along the agent that ended last. Where that agent waited for
    sub-agents, it goes on along the one that came back last; at an agent's begin, along who
    launched it, or in a plan along the last of those that it came after.
    """
    state = as_fold(run)
    found = _walk(state)
    names = {name: label(agent) for name, agent in state.agents.items()}
    wall = state.now or 1.0
    segments = tuple(s._replace(share=round((s.ended - s.began) / wall, 6)) for s in found)
    return CriticalPath(segments, state.now, names, state.simulated)


def _walk(run: Run) -> list[Segment]:
    agent, t = _last(run), run.now
    seen: set[str] = set()
    back: list[Segment] = []
    lanes: dict[str, tuple[list[Interval], list[float]]] = {}

    def push(
        kind: Kind | Literal["other"], step: int, began: float, ended: float, record: int
    ) -> None:
        if agent is not None and ended > began:
            back.append(Segment(agent.id, kind, step, began, ended, 0.0, record))

    while agent is not None:
        seen.add(agent.id)

        if agent.id not in lanes:
            spans = agent.timeline(run.now)
            lanes[agent.id] = spans, [span.began for span in spans]

        spans, begins = lanes[agent.id]
        index = bisect_left(begins, t) - 1
        span = spans[index] if index >= 0 else None
        floor = min(t, agent.began if span is None else span.ended)
        blocker = _blocker(run, agent, span, floor, t, seen) if floor < t else None

        if blocker is not None:
            end = _end(blocker, run.now)
            push("other", agent.step, end, t, blocker.last_record)
            agent, t = blocker, end
            continue

        push("other", span.step if span else 0, floor, t, span.record if span else agent.record)

        if span is not None:
            push(span.kind, span.step, span.began, floor, span.record)
            t = span.began
            continue

        launcher = _launcher(run, agent)

        if launcher is None:
            push("other", 0, 0.0, floor, agent.record)

        agent, t = launcher, floor

    return back[::-1]


def _end(agent: Agent, now: float) -> float:
    return now if agent.ended is None else agent.ended


def _last(run: Run) -> Agent | None:
    """The agent with which the run ends."""
    latest = max(run.agents.values(), key=lambda a: _end(a, run.now), default=None)
    return run.main() or latest


def _blocker(
    run: Run, agent: Agent, span: Interval | None, floor: float, t: float, seen: set[str]
) -> Agent | None:
    """The sub-agent for which `agent` waited from `floor` to `t`: the last that came back."""
    stage = run.stages.get((agent.id, span.step if span else 0))
    subs = [run.agents[name] for name in stage.sub_agents if name not in seen] if stage else []
    came = [sub for sub in subs if floor < _end(sub, run.now) <= t]
    return max(
        came, key=lambda sub: (_end(sub, run.now), sub.ended is None, sub.chain), default=None
    )


def _launcher(run: Run, agent: Agent) -> Agent | None:
    before = [run.agents[name] for name in agent.after if name in run.agents]
    last = max(before, key=lambda a: _end(a, run.now), default=None)
    return last or run.agents.get(agent.parent)
