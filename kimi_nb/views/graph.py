"""A run as a directed graph: who waited for whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.state import BUSY, Agent, Run

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["graph"]


def graph(run: Fold | Iterable[Record]) -> nx.DiGraph[str]:
    """The graph of a trace, or of a fold at its latest record. It has no cycles.

    Nodes: a sub-agent by its id; a main agent once for each of its steps, as "a00/3". Each has
    `agent`, `role`, `name`, `task`, `stage`, `outcome` (its state while it has none), `steps`,
    and `seconds` of work. Edges have a `kind`: "then" (one step after another), "assign",
    "join" (a result that went back) and, in a plan, "after".
    """
    import networkx as nx

    state = as_fold(run)
    found: nx.DiGraph[str] = nx.DiGraph()

    for agent in state.agents.values():
        if agent.role == "sub-agent":
            found.add_node(
                agent.id, **_about(agent, agent.stage, agent.steps, agent.busy(state.now))
            )
        else:
            _add_steps(found, state, agent)

    for agent in state.agents.values():
        if agent.role == "sub-agent":
            _tie(found, state, agent)

    return found


def _about(agent: Agent, stage: int, steps: int, seconds: float) -> dict[str, Any]:
    return {
        "agent": agent.id,
        "role": agent.role,
        "name": agent.name,
        "task": agent.task,
        "stage": stage,
        "outcome": agent.state,
        "steps": steps,
        "seconds": round(seconds, 6),
    }


def _add_steps(found: nx.DiGraph[str], run: Run, agent: Agent) -> None:
    spent: dict[int, float] = {}

    for span in agent.timeline(run.now):
        if span.kind in BUSY:
            spent[span.step] = spent.get(span.step, 0.0) + span.ended - span.began

    last = ""

    for (parent, step), stage in run.stages.items():
        if parent != agent.id:
            continue

        node = f"{agent.id}/{step}"
        found.add_node(node, **_about(agent, step, stage.main_steps, spent.get(step, 0.0)))

        if last:
            found.add_edge(last, node, kind="then")

        last = node


def _tie(found: nx.DiGraph[str], run: Run, agent: Agent) -> None:
    if agent.parent in run.agents:
        found.add_edge(f"{agent.parent}/{agent.stage}", agent.id, kind="assign")
        back = f"{agent.parent}/{agent.stage + 1}"

        if back in found:  # it began, so all of the stage before it had come back
            found.add_edge(agent.id, back, kind="join")

    for other in agent.after:
        if other in run.agents:
            found.add_edge(other, agent.id, kind="after")
