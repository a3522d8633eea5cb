"""Tables of a run: their sums against the fold, by hand, and the same shape for every run."""

from __future__ import annotations

import pytest
from hypothesis import given
from traces import Script, staged, swarms

from kimi_nb import events as e
from kimi_nb.errors import UsageFault
from kimi_nb.trace import Record, Trace
from kimi_nb.views.calls import tool_calls
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.path import critical_path
from kimi_nb.views.rows import TABLES, rows
from kimi_nb.views.state import BUSY
from kimi_nb.views.steps import DELEGATES


def sample() -> Trace:
    """Every kind of fact, time and outcome."""
    script = Script()
    main = script.orchestrator()
    first, second = main.assign(["north", "south"])
    first.step(1.0, queued=0.5, tools=(("grep", {"q": "a"}, 2.0), ("read_file", {}, 0.5)))
    first.step(0.5, fails=((0.25, 1.0),), said="done").end("42")
    second.step(1.0, finish="failed").end("no answer", "failed")
    main.join([first, second])
    main.step(1.0).end("All done.")
    script.add(main.t, "", e.Judged(by="user", success=True, quality=1, why="right"))
    return script.end()


def test_agents_by_hand() -> None:
    main, first, second = rows(sample())
    assert first == {
        "agent": "a01",
        "name": "north",
        "role": "sub-agent",
        "parent": "a00",
        "stage": 1,
        "state": "finished",
        "worker": None,
        "moves": 0,
        "began": 1.0,
        "ended": 6.25,
        "seconds": 5.25,
        "busy_s": 3.75,
        "queued_s": 0.5,
        "steps": 2,
        "tool_calls": 2,
        "failed_tool_calls": 0,
        "retries": 1,
        "tokens_in": 200,
        "tokens_out": 40,
        "tokens_cached": 100,
        "cost_usd": pytest.approx((100 * 3 + 100 * 0.3 + 40 * 15) / 1e6),
        "slack_steps": 0.0,
        "slack_seconds": 0.0,
        "slack_tokens": 0.0,
        "critical_share": round(5.25 / 7.25, 6),
        "task": "Look into north.",
        "outcome": "42",
        "simulated": False,
    }
    assert (main["parent"], main["slack_steps"], main["critical_share"]) == (
        None,
        None,
        round(2 / 7.25, 6),
    )
    assert (second["state"], second["steps"], second["slack_steps"]) == ("failed", 0, 2.0)


def test_stages_by_hand() -> None:
    first, second = rows(staged((6, 9), ()), "stages")
    assert first == {
        "parent": "a00",
        "stage": 1,
        "began": 0.0,
        "ended": 10.0,
        "seconds": 10.0,
        "main_steps": 1,
        "main_tokens": 120,
        "sub_agents": 2,
        "sub_steps": 15,
        "max_sub_steps": 9,
        "critical_steps": 10,
        "sub_busy_s": 15.0,
        "sub_tokens": 15 * 120,
        "simulated": False,
    }
    assert (second["began"], second["ended"], second["sub_agents"]) == (10.0, 11.0, 0)


def test_a_stage_whose_sub_agents_still_work_has_no_end() -> None:
    script = Script()
    quick, slow = script.orchestrator().assign(["quick", "slow"])
    quick.step(1.0).end()
    slow.step(3.0).begin()
    (stage,) = rows(script.trace(), "stages")
    assert (stage["ended"], stage["seconds"]) == (None, 4.0)


def test_steps_by_hand() -> None:
    found = {(row["agent"], row["step"]): row for row in rows(sample(), "steps")}
    assert found["a01", 1] == {
        "agent": "a01",
        "name": "north",
        "step": 1,
        "began": 1.0,
        "ended": 2.5,
        "call_s": 1.0,
        "tool_s": 2.0,
        "queued_s": 0.5,
        "retry_s": 0.0,
        "failed_s": 0.0,
        "retries": 0,
        "finish": "tool_calls",
        "tokens_in": 100,
        "tokens_out": 20,
        "tokens_cached": 50,
        "simulated": False,
    }
    again = found["a01", 2]
    assert (again["failed_s"], again["retry_s"], again["call_s"]) == (0.25, 1.0, 0.5)
    assert found["a02", 1]["finish"] == "failed"
    assert len(found) == 5


def test_a_step_that_is_out_has_no_finish() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    main.t = 2.0
    script.add(2.0, main.id, e.ToolCalled(step=1, call=0, call_id="", tool="t", arguments=""))
    (row,) = rows(script.trace(), "steps")
    assert (row["ended"], row["finish"], row["call_s"]) == (None, None, 2.0)
    assert rows(script.trace(), "tools") == []  # not asked for before the turn is complete


def test_a_step_that_is_begun_again_is_one_row_with_all_that_it_took() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    retried = {"error": "Unreachable", "why": "cut", "wait": 0.5}
    broken = e.StepRetried(step=1, attempt=1, tokens_in=7, tokens_out=3, **retried)
    script.add(1.0, main.id, broken)
    failed = {"tokens_in": 0, "tokens_out": 0, "tokens_cached": 0}
    script.add(2.0, main.id, e.StepEnded(step=1, finish="failed", **failed))
    script.add(2.0, main.id, e.AgentEnded(outcome="cancelled", text=""))
    script.add(3.0, "", e.RunResumed(started=0.0, version="0.1.0"))
    script.add(3.0, main.id, e.StepBegan(step=1))
    (row,) = rows(script.trace(), "steps")
    assert (row["began"], row["ended"], row["finish"]) == (0.0, None, None)
    main.t = 4.0
    main._turn([], "", (100, 20, 50))
    (row,) = rows(script.trace(), "steps")
    assert (row["ended"], row["finish"], row["retries"]) == (4.0, "stop", 1)
    assert (row["tokens_in"], row["tokens_out"], row["tokens_cached"]) == (107, 23, 50)
    assert (row["call_s"], row["failed_s"], row["retry_s"]) == (1.0, 1.5, 0.5)


def test_tools_by_hand() -> None:
    tools = rows(sample(), "tools")
    assert [(row["tool"], row["began"], row["ended"]) for row in tools] == [
        ("assign_task", 1.0, 6.25),
        ("assign_task", 1.0, 6.25),
        ("grep", 2.5, 4.5),
        ("read_file", 2.5, 3.0),
    ]
    grep = tools[2]
    assert (grep["outcome"], grep["arguments"], grep["text"]) == ("ok", '{"q": "a"}', "ok")
    assert sample()[grep["record"]].fact.tool == "grep"


def test_calls_of_a_turn_that_was_tried_again_are_void() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    script.add(0.5, main.id, main.called(0, "void", "{}"))
    retried = e.StepRetried(step=1, attempt=1, error="Unreachable", why="cut", wait=0.0)
    script.add(0.5, main.id, retried)
    main.t = 1.0
    main._turn([("real", {})], "", (1, 1, 0))
    script.add(2.0, main.id, e.ToolReturned(step=1, call=0, ok=False, text="no such file"))
    (call,) = tool_calls(script.trace())
    assert (call.tool, call.outcome, call.text) == ("real", "failed", "no such file")


def test_a_tool_that_was_interrupted_is_asked_again() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    main.t = 1.0
    main._turn([("grep", {})], "", (1, 1, 0))
    stopped = e.ToolReturned(step=1, call=0, ok=False, text="", interrupted=True)
    script.add(2.0, main.id, stopped)
    script.add(2.0, main.id, e.AgentEnded(outcome="cancelled", text=""))
    script.add(2.5, "", e.RunResumed(started=0.0, version="0.1.0"))
    first, second = tool_calls(script.trace())
    assert (first.began, first.ended, first.outcome) == (1.0, 2.0, "interrupted")
    assert (second.began, second.ended, second.outcome) == (2.5, None, "running")
    assert first.record == second.record
    main.returned(0, 4.0)
    assert tool_calls(script.trace())[1].outcome == "ok"


def test_a_tool_whose_agent_ended_first_was_interrupted() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()
    main.t = 1.0
    main._turn([("grep", {})], "", (1, 1, 0))
    script.add(2.0, main.id, e.AgentEnded(outcome="cancelled", text=""))
    script.add(5.0, "", e.RunEnded(status="cancelled", answer=""))
    (call,) = tool_calls(script.trace())
    assert (call.ended, call.outcome) == (2.0, "interrupted")


def test_path_is_the_critical_path() -> None:
    trace = staged((1,))
    assert rows(trace, "path")[0] == {
        "agent": "a00",
        "name": "orchestrator",
        "kind": "call",
        "step": 1,
        "began": 0.0,
        "ended": 1.0,
        "seconds": 1.0,
        "share": 0.5,
        "record": 2,
        "simulated": False,
    }
    assert len(rows(trace, "path")) == len(critical_path(trace))


def test_facts_are_the_records() -> None:
    trace = sample()
    table = rows(trace, "facts")
    assert [row["seq"] for row in table] == list(range(len(trace)))

    assert [row["quality"] for row in table if row["fact"] == "Judged"] == [1.0]
    assert {type(row["quality"]) for row in table} == {float, type(None)}

    for row, record in zip(table, trace, strict=True):
        fields = {name: row[name] for name in type(record.fact).__dataclass_fields__}
        assert record == Record(row["seq"], row["t"], row["agent"], e.FACTS[row["fact"]](**fields))
        others = set(row) - set(fields) - {"seq", "t", "agent", "fact"}
        assert {row[name] for name in others} <= {None}


def test_an_unknown_table_names_those_that_exist() -> None:
    with pytest.raises(UsageFault, match="agents, stages, steps, tools, path, facts"):
        rows(sample(), "agent")


@pytest.mark.parametrize("of", TABLES)
def test_the_whole_table_is_there_in_the_sample(of: str) -> None:
    assert rows(sample(), of)
    assert rows(Trace(), of) == []


@given(swarms())
def test_a_column_has_one_type_and_every_row_the_same_columns(trace: Trace) -> None:
    for of in TABLES:
        shape = {c: type(v) for row in rows(sample(), of) for c, v in row.items() if v is not None}
        table = rows(trace, of)

        for row in table:
            assert list(row) == list(rows(sample(), of)[0])

        for column, one in shape.items():
            assert {type(row[column]) for row in table} <= {one, type(None)}, (of, column)


@given(swarms())
def test_the_tables_add_up_to_the_run(trace: Trace) -> None:
    state, found = fold(trace), metrics(trace)
    agents, steps = rows(trace), rows(trace, "steps")

    for agent in agents:
        own = [row for row in steps if row["agent"] == agent["agent"]]
        assert sum(row["finish"] not in {None, "failed"} for row in own) == agent["steps"]

        for column in ("retries", "tokens_in", "tokens_out", "tokens_cached"):
            assert sum(row[column] for row in own) == agent[column]

        busy = sum(row[f"{kind}_s"] for row in own for kind in BUSY)
        assert busy == pytest.approx(agent["busy_s"])
        assert sum(row["queued_s"] for row in own) == pytest.approx(agent["queued_s"])

    assert sum(row["busy_s"] for row in agents) == pytest.approx(found.work_s)
    assert sum(row["critical_share"] for row in agents) == pytest.approx(
        1.0 if state.now and agents else 0.0, abs=1e-4
    )
    assert sum(row["critical_steps"] for row in rows(trace, "stages")) == found.critical_steps
    assert len(rows(trace, "tools")) == found.tool_calls


@given(swarms())
def test_tools_run_while_the_fold_says_that_tools_run(trace: Trace) -> None:
    state = fold(trace)

    for agent in state.agents.values():
        own = [c for c in tool_calls(trace) if c.agent == agent.id and c.tool not in DELEGATES]
        ends: dict[int, tuple[float, float]] = {}

        for call in own:
            ended = state.now if call.ended is None else call.ended
            ends[call.step] = (call.began, max(ended, ends.get(call.step, (0, 0))[1]))

        spans = [(i.began, i.ended) for i in agent.timeline(state.now) if i.kind == "tool"]
        assert spans == [span for span in ends.values() if span[0] < span[1]]
