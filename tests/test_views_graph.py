"""The graph of a run."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from traces import Script, staged, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.graph import graph


def test_the_orchestrator_is_one_node_a_step() -> None:
    found = graph(staged((), (6, 9), ()))
    assert set(found.nodes) == {"a00/1", "a00/2", "a00/3", "a01", "a02"}
    assert {(a, b, kind) for a, b, kind in found.edges(data="kind")} == {
        ("a00/1", "a00/2", "then"),
        ("a00/2", "a00/3", "then"),
        ("a00/2", "a01", "assign"),
        ("a00/2", "a02", "assign"),
        ("a01", "a00/3", "join"),
        ("a02", "a00/3", "join"),
    }
    assert found.nodes["a02"] == {
        "agent": "a02",
        "role": "sub-agent",
        "name": "w1",
        "task": "Look into w1.",
        "stage": 2,
        "outcome": "finished",
        "began": 2.0,
        "steps": 9,
        "seconds": 9.0,
        "tokens": 1080,
    }


def test_a_plan_is_its_arrows() -> None:
    script = Script()
    first, other = script.plan("first", 1), script.plan("other", 1)
    last = script.plan("last", 1, first, other)
    found = graph(script.end())
    assert set(found.edges) == {(first.id, last.id), (other.id, last.id)}


@given(swarms())
def test_it_has_no_cycle_and_all_the_work(trace: Trace) -> None:
    found = graph(trace)
    state = fold(trace)
    assert nx.is_directed_acyclic_graph(found)
    assert {data for _, data in found.nodes(data="agent")} <= set(state.agents)
    assert sum(n for _, n in found.nodes(data="steps")) == state.steps
    work = sum(agent.busy(state.now) for agent in state.agents.values())
    assert sum(s for _, s in found.nodes(data="seconds")) == pytest.approx(work, abs=1e-4)
