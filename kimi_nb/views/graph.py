"""A run as a directed graph: who waited for whom, and what each of them weighed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.state import BUSY, Agent, Interval, Run

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["graph"]


def graph(run: Fold | Iterable[Record]) -> nx.DiGraph[str]:
    """The graph of a trace, or of a fold at its latest record. It has no cycles.

    Nodes: a sub-agent by its id; a main agent once for each of its steps, as "a00/3". Each has
    `agent`, `role`, `name`, `task`, `stage`, `outcome` (its state while it has none), `began` in
    seconds of the run, and what it weighs: `steps`, `seconds` of work, `tokens` in and out.

    Edges have a `kind`: "then" (one step after another), "assign", "join" (a result that went
    back) and, in a plan, "after"; and a `lead`: seconds of work by which the second began before
    the first was through, as a sub-agent that starts while its orchestrator still writes.

    The graph itself says whether it is `simulated`: no language model took part.
    """
    import networkx as nx

    state = as_fold(run)
    found: nx.DiGraph[str] = nx.DiGraph(simulated=state.simulated)
    busy: dict[str, list[Interval]] = {}

    for agent in state.agents.values():
        if agent.role == "sub-agent":
            worked = agent.busy(state.now)
            tokens = agent.tokens_in + agent.tokens_out
            weights = {"steps": agent.steps, "seconds": round(worked, 6), "tokens": tokens}
            found.add_node(agent.id, **_about(agent, agent.stage, agent.began), **weights)
        else:
            busy |= _add_steps(found, state, agent)

    for agent in state.agents.values():
        if agent.role == "sub-agent":
            _tie(found, state, agent, busy)

    return found


def _about(agent: Agent, stage: int, began: float) -> dict[str, Any]:
    return {
        "agent": agent.id,
        "role": agent.role,
        "name": agent.name,
        "task": agent.task,
        "stage": stage,
        "outcome": agent.state,
        "began": began,
    }


def _add_steps(found: nx.DiGraph[str], run: Run, agent: Agent) -> dict[str, list[Interval]]:
    """A node for each step of a main agent; returns the work of each."""
    busy: dict[str, list[Interval]] = {}

    for span in agent.timeline(run.now):
        if span.kind in BUSY:
            busy.setdefault(f"{agent.id}/{span.step}", []).append(span)

    last = ""

    for (parent, step), stage in run.stages.items():
        if parent != agent.id:
            continue

        node = f"{agent.id}/{step}"
        spent = round(sum(span.ended - span.began for span in busy.get(node, ())), 6)
        weights = {"steps": stage.main_steps, "seconds": spent, "tokens": stage.main_tokens}
        found.add_node(node, **_about(agent, step, stage.began), **weights)

        if last:
            found.add_edge(last, node, kind="then", lead=0.0)

        last = node

    return busy


def _tie(found: nx.DiGraph[str], run: Run, agent: Agent, busy: dict[str, list[Interval]]) -> None:
    launcher = f"{agent.parent}/{agent.stage}"

    if launcher in found:
        spans = busy.get(launcher, ())
        lead = sum(_not_waited_for(span, agent.began) for span in spans)
        found.add_edge(launcher, agent.id, kind="assign", lead=round(lead, 6))

        if agent.joined:
            back = f"{agent.parent}/{agent.stage + 1}"
            found.add_edge(agent.id, back, kind="join", lead=0.0)

    for other in agent.after:
        if other in run.agents:
            found.add_edge(other, agent.id, kind="after", lead=0.0)


def _not_waited_for(span: Interval, began: float) -> float:
    """Seconds of a turn's work that a sub-agent begun then did not wait for: all of its tools."""
    since = span.began if span.kind == "tool" else max(span.began, began)
    return max(0.0, span.ended - since)
