"""What the rules of a diagnosis look at: a run read once, with what the fold does not keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from kimi_nb import events
from kimi_nb.trace import Record
from kimi_nb.views.diagnosis.findings import Cost
from kimi_nb.views.diagnosis.flow import Flow, Flows
from kimi_nb.views.fold import Fold, records_of
from kimi_nb.views.path import CriticalPath, critical_path
from kimi_nb.views.state import Agent, Stage

__all__ = ["MATTERS_S", "MATTERS_SHARE", "Case", "CutStep", "read_case", "took"]

MATTERS_S = 1.0
"""Seconds below which nobody notices a wait. A model's turns take seconds, the simulator's less."""
MATTERS_SHARE = 0.1
"""Share of the wall time below which a finding about time changes little."""
LIMITS = frozenset({"Overloaded", "RateLimited"})
"""Refusals, as classes of `errors`, that say: fewer at once, or slower."""
CREATES = "create_subagent"
DELEGATES_AND_CREATES = frozenset({"assign_task", "map_task", CREATES})


class CutStep(NamedTuple):
    """A turn that reached the most tokens that it might have."""

    record: int
    agent: str
    step: int
    tokens: int


@dataclass(slots=True)
class Case:
    """A run so far."""

    run: Fold
    flow: Flow
    path: CriticalPath
    turns: dict[tuple[str, int], float] = field(default_factory=dict[tuple[str, int], float])
    """Seconds of each turn of an orchestrator, by (agent, step): with its waiting, no tools."""
    cut: list[CutStep] = field(default_factory=list[CutStep])
    refusals: dict[str, int] = field(default_factory=dict[str, int])
    """By class of `errors`, how often a limit was the answer."""
    own_tools: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    """Steps of main agents that called ordinary tools, as (agent, step)."""

    @property
    def over(self) -> bool:
        """The run came to its own end, so that what is missing will not come any more."""
        return self.run.status in {"finished", "partial"}

    def stages(self) -> list[Stage]:
        """Those in which an orchestrator launched sub-agents, in their order."""
        return [s for s in self.run.stages.values() if s.sub_agents and s.parent]

    def team(self, stage: Stage) -> list[Agent]:
        """The sub-agents of a stage."""
        return [self.run.agents[name] for name in stage.sub_agents]

    def matters(self, seconds: float) -> bool:
        """Whether so much time is worth a finding."""
        return seconds >= MATTERS_S and seconds >= MATTERS_SHARE * self.run.now


def read_case(run: Iterable[Record]) -> Case:
    """The records read once. Raises CorruptTrace as the fold does."""
    state, flows = Fold(), Flows()
    cut: list[CutStep] = []
    refusals: dict[str, int] = {}
    own_tools: set[tuple[str, int]] = set()

    for record in records_of(run):
        state.add(record)
        flows.add(record)

        match fact := record.fact:
            case events.StepEnded(finish="length"):
                tokens = fact.tokens_in + fact.tokens_out
                cut.append(CutStep(record.seq, record.agent, fact.step, tokens))
            case events.StepRetried() if fact.error in LIMITS:
                refusals[fact.error] = refusals.get(fact.error, 0) + 1
            case events.ToolCalled() if fact.tool not in DELEGATES_AND_CREATES:
                if state.agents[record.agent].role != "sub-agent":
                    own_tools.add((record.agent, fact.step))
            case _:
                pass

    path = critical_path(state)
    return Case(state, flows.so_far(), path, _turns(state), cut, refusals, own_tools)


def _turns(run: Fold) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}

    for agent in run.agents.values():
        for span in agent.timeline(run.now) if agent.role == "orchestrator" else ():
            if span.kind != "tool":
                key = agent.id, span.step
                found[key] = found.get(key, 0.0) + span.ended - span.began

    return found


def took(agents: Iterable[Agent], now: float) -> Cost:
    """What these agents took together: their steps, their seconds of work, their tokens."""
    every = list(agents)
    steps = sum(agent.steps for agent in every)
    work = round(sum(agent.busy(now) for agent in every), 6)
    tokens = sum(agent.tokens_in + agent.tokens_out for agent in every)
    return Cost(steps or None, work or None, tokens or None)
