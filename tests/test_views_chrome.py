"""Trace events against the published rules of their format, and against the run."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import orjson
import pytest
from hostile import HOSTILE, hostile_trace, unsafe_characters
from hypothesis import given
from traces import Script, staged, swarms

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.chrome import chrome_trace
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.fold import fold
from kimi_nb.views.graph import graph

Event = dict[str, Any]
METADATA = {"process_name": "name", "thread_name": "name", "thread_sort_index": "sort_index"}
SCALARS = (str, int, float, bool, type(None))


def check(trace: dict[str, Any]) -> None:
    """Every rule of the Trace Event Format for the phases that we use: X, M, C, s and f."""
    assert trace["displayTimeUnit"] in {"ms", "ns"}
    assert all(isinstance(value, SCALARS) for value in trace["otherData"].values())
    events = trace["traceEvents"]

    for event in events:
        check_fields(event)

    timed = [event for event in events if event["ph"] != "M"]
    assert [event["ts"] for event in timed] == sorted(event["ts"] for event in timed)
    check_names(events)
    check_flows(events)
    by_thread = defaultdict(list)

    for event in timed:
        if event["ph"] != "C":
            by_thread[event["pid"], event["tid"]].append(event)

    for thread in by_thread.values():
        check_nesting(thread)


def check_fields(event: Event) -> None:
    assert {"name", "ph", "ts", "pid", "tid"} <= set(event)
    assert event["ph"] in set("XMCsf")
    assert isinstance(event["name"], str)
    assert event["name"]
    assert all(type(event[name]) is int and event[name] >= 0 for name in ("ts", "pid", "tid"))
    assert event["tid"] > 0  # 0 is the idle thread to some readers
    args = event.get("args", {})
    assert all(isinstance(name, str) and isinstance(args[name], SCALARS) for name in args)

    match event["ph"]:
        case "X":
            assert type(event["dur"]) is int
            assert event["dur"] >= 0
            assert isinstance(event["cat"], str)
        case "M":
            assert set(args) == {METADATA[event["name"]]}
        case "C":
            assert args
            assert all(type(value) is int for value in args.values())
        case _:
            assert type(event["id"]) is int
            assert event["cat"]
            assert event["ph"] == "s" or event["bp"] == "e"


def check_names(events: list[Event]) -> None:
    """Each process and each thread has one name."""
    named = [(m["pid"], m["tid"]) for m in events if m["name"] == "thread_name"]
    assert len(named) == len(set(named))
    assert {(m["pid"], m["tid"]) for m in events} <= set(named)
    processes = [m["pid"] for m in events if m["name"] == "process_name"]
    assert set(processes) == {m["pid"] for m in events}
    assert len(processes) == len(set(processes))


def check_flows(events: list[Event]) -> None:
    """Flows come in pairs of the same name, category and id, and never go back in time."""
    flows = [event for event in events if event["ph"] in "sf"]
    pairs = defaultdict(list)

    for flow in flows:
        pairs[flow["name"], flow["cat"], flow["id"]].append(flow)

    for pair in pairs.values():
        assert [flow["ph"] for flow in pair] == ["s", "f"]
        assert pair[0]["ts"] <= pair[1]["ts"]


def check_nesting(thread: list[Event]) -> None:
    """Slices of a thread lie within one another or apart; a flow is tied to an open one."""
    open_until: list[int] = []

    for event in thread:
        while open_until and open_until[-1] <= event["ts"]:
            open_until.pop()

        if event["ph"] != "X":
            assert open_until, f"nothing is open at {event}"
            continue

        end = event["ts"] + event["dur"]
        assert not open_until or end <= open_until[-1], f"{event} overlaps"
        open_until.append(end)


def slices(trace: Trace, cat: str) -> list[Event]:
    return [event for event in chrome_trace(trace)["traceEvents"] if event.get("cat") == cat]


@given(swarms())
def test_every_run_obeys_the_rules(trace: Trace) -> None:
    found = chrome_trace(trace)
    check(found)
    assert json.loads(orjson.dumps(found)) == found


@given(swarms())
def test_every_interval_of_the_fold_is_a_slice(trace: Trace) -> None:
    state = fold(trace)

    for kind in ("call", "failed", "queued", "retry"):
        spans = [i for a in state.agents.values() for i in a.timeline(state.now) if i.kind == kind]
        drawn = slices(trace, kind)
        assert sorted((s["ts"], s["ts"] + s["dur"]) for s in drawn) == sorted(
            (round(i.began * 1e6), round(i.ended * 1e6)) for i in spans
        )

    assert sum(s["dur"] for s in slices(trace, "critical path")) == pytest.approx(
        state.now * 1e6 if state.agents else 0, abs=len(trace)
    )


@given(swarms())
def test_the_counter_is_the_concurrency(trace: Trace) -> None:
    told = [event for event in chrome_trace(trace)["traceEvents"] if event["ph"] == "C"]
    assert [event["args"]["at work"] for event in told] == list(concurrency(trace).counts)


@given(swarms())
def test_every_edge_between_agents_that_took_time_is_an_arrow(trace: Trace) -> None:
    state, found = fold(trace), graph(trace)

    def lies_in_a_slice(node: str) -> bool:
        agent = state.agents[found.nodes[node]["agent"]]
        return found.nodes[node]["began"] < (state.now if agent.ended is None else agent.ended)

    drawn = [
        kind
        for source, target, kind in found.edges(data="kind")
        if kind != "then" and lies_in_a_slice(source) and lies_in_a_slice(target)
    ]
    arrows = [event["name"] for event in chrome_trace(trace)["traceEvents"] if event["ph"] == "s"]
    assert sorted(arrows) == sorted(drawn)


def test_a_swarm_by_hand() -> None:
    script = Script(goal="Compare the museums.", simulated=True)
    main = script.orchestrator()
    (north,) = main.assign(["north"], lead=0.25)
    tools = (("grep", {"q": "a"}, 0.5), ("read_file", {"path": "b"}, 2.0))
    north.step(1.0, queued=0.5, fails=((0.25, 0.75),), tools=tools).end("42")
    main.join([north])
    main.step(1.0).end("All done.")
    found = chrome_trace(script.end())
    check(found)
    named = [m for m in found["traceEvents"] if m["ph"] == "M"]
    assert [m["args"]["name"] for m in named if m["name"].endswith("_name")] == [
        "SIMULATOR: Compare the museums.",
        "critical path",
        "a00 orchestrator",
        "a01 north",
    ]
    drawn = [x for x in found["traceEvents"] if x["ph"] == "X" and x["tid"] == 3]
    assert [(x["name"], x["ts"], x["dur"]) for x in drawn] == [
        ("Look into north.", 750_000, 4_500_000),
        ("queued", 750_000, 500_000),
        ("step 1: no answer", 1_250_000, 250_000),
        ("waiting to try again", 1_500_000, 750_000),
        ("step 1", 2_250_000, 1_000_000),
        ("read_file", 3_250_000, 2_000_000),
        ("grep", 3_250_000, 500_000),
    ]
    assert drawn[0]["args"]["outcome"] == "42"
    assert drawn[3]["args"]["error"] == "Overloaded"
    assert (drawn[4]["args"]["finish"], drawn[4]["args"]["tokens_out"]) == ("tool_calls", 20)
    assert drawn[5]["args"]["arguments"] == '{"path": "b"}'
    (wait,) = [x for x in found["traceEvents"] if x.get("cat") == "wait"]
    assert (wait["tid"], wait["ts"], wait["dur"]) == (2, 1_000_000, 4_250_000)
    flows = [x for x in found["traceEvents"] if x["ph"] in "sf"]
    assert [(x["name"], x["ph"], x["tid"], x["ts"]) for x in flows] == [
        ("assign", "s", 2, 749_999),
        ("assign", "f", 3, 750_000),
        ("join", "s", 3, 5_249_999),
        ("join", "f", 2, 5_250_000),
    ]


def test_an_arrow_for_each_sub_agent_there_and_back() -> None:
    trace = staged((3, 1, 2), (1, 1), ())
    flows = [x for x in chrome_trace(trace)["traceEvents"] if x["ph"] == "f"]
    assert sorted(flow["name"] for flow in flows) == ["assign"] * 5 + ["join"] * 5


def test_of_many_assignments_one_wait_is_drawn_until_the_last_came_back() -> None:
    script = Script()
    main = script.orchestrator()
    quick, slow = main.assign(["quick", "slow"])
    quick.step(1.0).end()
    main.returned(0, quick.t)
    slow.step(3.0).end()
    main.returned(1, slow.t)
    (wait,) = slices(script.trace(), "wait")
    assert (wait["ts"], wait["dur"], wait["args"]["assignments"]) == (1_000_000, 3_000_000, 2)


def test_a_tool_that_was_asked_again_is_drawn_twice() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    main.t = 1.0
    main._turn([("grep", {}), ("look", {})], "", (1, 1, 0))
    script.add(1.5, main.id, e.ToolReturned(step=1, call=1, ok=True, text=""))
    stopped = e.ToolReturned(step=1, call=0, ok=False, text="", interrupted=True)
    script.add(2.0, main.id, stopped)
    script.add(2.0, main.id, e.AgentEnded(outcome="cancelled", text=""))
    script.add(2.5, "", e.RunResumed(started=0.0, version="0.1.0"))
    main.returned(0, 4.0)
    check(chrome_trace(script.trace()))
    tools = slices(script.trace(), "tool")
    assert [(x["name"], x["ts"], x["dur"]) for x in tools] == [
        ("grep", 1_000_000, 1_000_000),
        ("look", 1_000_000, 500_000),
        ("grep", 2_500_000, 1_500_000),
    ]


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_model_breaks_the_file(evil: str) -> None:
    found = chrome_trace(hostile_trace(evil))
    check(found)
    data = orjson.dumps(found).decode()
    assert json.loads(data) == found
    texts = [t for event in found["traceEvents"] for t in event.get("args", {}).values()]
    assert unsafe_characters("".join(t for t in texts if isinstance(t, str))) == set()


def test_the_checker_finds_what_is_wrong() -> None:
    def broken(change: dict[str, Any], name: str = "step 1") -> dict[str, Any]:
        found = chrome_trace(staged((2,), ()))
        next(x for x in found["traceEvents"] if x["name"] == name).update(change)
        return found

    for change in ({"dur": 10**8}, {"dur": -1}, {"ts": 0.5}, {"tid": 99}, {"ph": "Q"}):
        with pytest.raises(AssertionError):
            check(broken(change))

    with pytest.raises(AssertionError):
        check(broken({"id": 77}, "assign"))
