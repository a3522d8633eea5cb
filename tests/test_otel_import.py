"""Spans as a trace: our own there and back, those of other libraries, and hostile ones."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from otlp import Receiver, spans_of
from traces import Script, chains, staged, swarms

from kimi_nb import events as e
from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.trace import Record, Trace, read
from kimi_nb.views.critical import metrics
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.fold import fold
from kimi_nb.views.graph import graph
from kimi_nb.views.measures import measures
from kimi_nb.views.otel import export_spans, from_spans, to_spans
from kimi_nb.views.otel.read import SpansWarning
from kimi_nb.views.report import report_html

SPANS = Path(__file__).parent / "spans"
STARTED = 1_790_000_000 * 10**9
SECOND = 10**9


def check(trace: Trace) -> None:
    """The order that readers of a trace rely on, and that every view takes it."""
    assert [record.seq for record in trace] == list(range(len(trace)))
    times = [record.t for record in trace]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert isinstance(trace[0].fact, e.RunBegan)
    open_step: dict[str, int | None] = {}
    steps: dict[str, int] = {}

    for record in trace:
        fact, agent = record.fact, record.agent

        match fact:
            case e.AgentBegan():
                assert agent not in steps
                assert not fact.parent or fact.parent in steps
                steps[agent], open_step[agent] = 0, None
            case e.StepBegan():
                assert open_step[agent] is None
                assert fact.step > steps[agent]
                steps[agent] = open_step[agent] = fact.step
            case e.StepEnded():
                assert open_step[agent] == fact.step
                open_step[agent] = None
            case e.ToolCalled() | e.Said():
                assert open_step[agent] == fact.step
            case e.ToolReturned():
                assert open_step[agent] is None
                assert fact.step == steps[agent]
            case e.AgentEnded():
                del open_step[agent]  # nothing follows
            case _:
                pass

    report_html(trace)
    measures(trace)
    diagnose(trace)
    found = metrics(trace)
    assert found.critical_steps <= found.total_steps


# There and back.


def without_waits(trace: Trace) -> Trace:
    """The same without what spans cannot say: queues and retries."""
    waits = (e.StepQueued, e.StepSent, e.StepRetried)
    kept = [record for record in trace if not isinstance(record.fact, waits)]
    return Trace(Record(n, r.t, r.agent, r.fact) for n, r in enumerate(kept))


@given(swarms(prefixes=False), st.booleans())
def test_a_run_comes_back_from_its_spans(trace, content) -> None:
    trace = without_waits(trace)
    spans = to_spans(trace, content=content)

    if not any(span.name.startswith("chat") for span in spans):
        with pytest.raises(TraceError, match="no"):
            from_spans(spans)

        return

    again = from_spans(spans)
    check(again)
    before, after = metrics(trace), metrics(again)

    for name in ("agents", "stages", "total_steps", "critical_steps", "tool_calls"):
        assert getattr(after, name) == getattr(before, name), name

    for name in ("tokens_in", "tokens_out", "tokens_cached", "failed_agents"):
        assert getattr(after, name) == getattr(before, name), name

    for name in ("work_s", "span_s", "wall_s"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-5), name

    assert fold(again).status == fold(trace).status
    assert Counter(a.role for a in fold(again).agents.values()) == Counter(
        a.role for a in fold(trace).agents.values()
    )


@given(swarms())
def test_any_part_of_a_run_makes_a_valid_trace(trace) -> None:
    spans = to_spans(trace)

    if any(span.name.startswith("chat") for span in spans):
        again = from_spans(spans)
        check(again)
        over = isinstance(trace[-1].fact, e.RunEnded)
        assert (fold(again).status == "running") == (not over)
        assert isinstance(again[-1].fact, e.RunEnded) == over
        going = [
            sum(agent.ended is None for agent in fold(run).agents.values())
            for run in (trace, again)
        ]
        assert going[0] == going[1]


@given(swarms(prefixes=False), st.data())
def test_spans_that_got_lost_leave_a_valid_trace(trace, data) -> None:
    spans = to_spans(trace)
    kept = [span for span in spans if data.draw(st.integers(0, 3))]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpansWarning)

        if any(span.name.startswith("chat") for span in kept):
            check(from_spans(kept))


def test_the_graph_of_a_run_comes_back() -> None:
    for trace in (staged((), (6, 9, 4, 7), ()), chains((1, 2), (3,))):
        before, after = graph(trace), graph(from_spans(to_spans(trace)))
        assert sorted(d["kind"] for *_, d in after.edges(data=True)) == sorted(
            d["kind"] for *_, d in before.edges(data=True)
        )
        assert sorted(n["steps"] for _, n in after.nodes(data=True)) == sorted(
            n["steps"] for _, n in before.nodes(data=True)
        )


def test_what_was_said_comes_back_with_the_content() -> None:
    script = Script()
    main = script.orchestrator().step(tools=(("read_file", {"path": "a"}, 1.0),), said="First.")
    (sub,) = main.launch(1)
    main.step(said="Last.").end("All done.")
    again = from_spans(to_spans(script.end(), content=True))
    state = fold(again)
    assert (state.goal, state.answer) == ("Compare the museums.", "All done.")
    assert [r.fact.text for r in again if isinstance(r.fact, e.Said)] == ["First.", "Last."]
    worker = state.sub_agents()[0]
    assert (worker.task, worker.outcome) == ("Look into w0.", f"{sub.id} done")
    called = [r.fact for r in again if isinstance(r.fact, e.ToolCalled)]
    assert orjson.loads(called[0].arguments) == {"path": "a"}
    assert orjson.loads(called[1].arguments) == {"agent": "w0", "prompt": "Look into w0."}


def test_a_run_comes_back_over_the_wire_and_from_a_file(tmp_path) -> None:
    trace = staged((), (2, 3), ())

    with Receiver() as receiver:
        export_spans(trace, endpoint=receiver.url)

    (request,) = receiver.requests
    lines = tmp_path / "lines.jsonl"
    lines.write_text(json.dumps(request) + "\n\n", "utf-8")
    pretty = tmp_path / "pretty.json"
    pretty.write_text(json.dumps(request, indent=2), "utf-8")
    direct = metrics(from_spans(to_spans(trace)))
    assert direct == metrics(trace)

    for source in (request, lines, str(lines), pretty):
        assert metrics(from_spans(source)) == direct


def test_it_says_where_it_was_imported_from() -> None:
    trace = from_spans(to_spans(staged((2,))))
    options = orjson.loads(trace[0].fact.options)
    assert options["imported"]["from"] == ["kimi_nb"]
    assert len(options["imported"]["trace"]) == 32
    assert trace[0].fact.started == 1_790_000_000.0
    assert not trace[0].fact.simulated
    assert from_spans(to_spans(Script(simulated=True).orchestrator().step().script.end()))[
        0
    ].fact.simulated


# Spans as other libraries wrote them: see tests/spans/README.md.


def raw(name: str) -> list[dict[str, Any]]:
    lines = (SPANS / f"{name}.jsonl").read_text("utf-8").splitlines()
    return spans_of([json.loads(line) for line in lines])


def is_call(span: dict[str, Any]) -> bool:
    about = span["attributes"]
    return about.get("gen_ai.operation.name") == "chat" or (
        about.get("openinference.span.kind") == "LLM"
    )


def recorded(name: str) -> Trace:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if name == "langgraph-send-genai" else "error", SpansWarning)
        return from_spans(SPANS / f"{name}.jsonl")


SWARMS = [
    "openai-agents",
    "openai-agents-genai",
    "openai-agents-openllmetry",
    "langgraph",
    "langgraph-genai",
    "langgraph-openllmetry",
    "pydantic-ai",
]
GRAPHS = ["langgraph-send", "langgraph-send-genai"]


def test_every_recording_is_tested() -> None:
    assert {path.stem for path in SPANS.glob("*.jsonl")} == {*SWARMS, *GRAPHS}


@pytest.mark.parametrize("name", [*SWARMS, *GRAPHS])
def test_a_recorded_run_is_a_valid_trace_with_all_its_calls(name, tmp_path) -> None:
    trace = recorded(name)
    check(trace)
    spans = raw(name)
    found = metrics(trace)
    calls = [span for span in spans if is_call(span)]
    assert found.total_steps == len(calls)
    keys = ("gen_ai.usage.input_tokens", "llm.token_count.prompt")
    counted = [sum(span["attributes"].get(key, 0) for key in keys) for span in calls]
    assert found.tokens_in == sum(counted)
    assert fold(trace).estimated == (0 in counted)
    assert (sum(counted) == 0) == (name == "openai-agents-openllmetry")  # writes no usage
    assert trace[0].fact.simulated
    assert fold(trace).status == "finished"
    assert found.cost_usd == 0.0
    path = trace.save(tmp_path / "run.jsonl")
    assert read(path) == trace


@pytest.mark.parametrize("name", SWARMS)
def test_a_recorded_swarm_has_its_orchestrator_and_its_fan_out(name) -> None:
    """Three files, one sub-agent for each; each reads its file and answers: two calls. The
    orchestrator lists, creates, assigns and joins: four calls, the third launches."""
    trace = recorded(name)
    state, found = fold(trace), metrics(trace)
    main, subs = state.main(), state.sub_agents()
    assert (main.role, main.name, main.steps) == ("orchestrator", "orchestrator", 4)
    assert [(sub.name, sub.stage, sub.steps, sub.tool_calls) for sub in subs] == [
        ("file-reader", 3, 2, 1)
    ] * 3
    assert found.total_steps == 4 + 3 * 2
    assert found.critical_steps == 4 + 2
    assert found.stages == 4
    called = Counter(record.fact.tool for record in trace if isinstance(record.fact, e.ToolCalled))
    assert called == {"list_files": 1, "create_subagent": 1, "assign_task": 3, "read_file": 3}
    tools = [s for s in raw(name) if s["attributes"].get("gen_ai.tool.name", "") or is_tool(s)]
    assert found.tool_calls == len(tools)
    assert sorted(sub.call for sub in subs) == [0, 1, 2]
    latest, first = max(sub.began for sub in subs), min(sub.ended for sub in subs)
    assert latest < first  # they were all at work at once
    edges = Counter(data["kind"] for *_, data in graph(trace).edges(data=True))
    assert edges == {"then": 3, "assign": 3, "join": 3}


def is_tool(span: dict[str, Any]) -> bool:
    return "tool.name" in span["attributes"]


@pytest.mark.parametrize("name", SWARMS)
def test_the_times_of_a_recorded_swarm_are_those_of_its_spans(name) -> None:
    trace = recorded(name)
    calls = sorted(filter(is_call, raw(name)), key=lambda s: int(s["startTimeUnixNano"]))
    zero = trace[0].fact.started * 10**9
    began = sorted(r.t for r in trace if isinstance(r.fact, e.StepBegan))
    expected = [(int(span["startTimeUnixNano"]) - zero) / 10**9 for span in calls]
    assert began == pytest.approx(expected, abs=2e-6)
    busy = sum(int(s["endTimeUnixNano"]) - int(s["startTimeUnixNano"]) for s in calls) / 10**9
    found = metrics(trace)
    assert busy <= found.work_s <= busy + 0.1  # and a few milliseconds for tools
    assert found.span_s <= found.wall_s
    assert found.parallelism > 1.4


@pytest.mark.parametrize(
    "name", ["openai-agents", "langgraph", "langgraph-openllmetry", "pydantic-ai"]
)
def test_a_recording_with_content_has_goal_task_and_answer(name) -> None:
    state = fold(recorded(name))
    assert state.goal.startswith("For each file in museums")
    assert state.answer.startswith("The table has the results for 3 files.")
    assert "| museums/art.md | 10-12 | 12 euros |" in state.answer
    tasks = sorted(sub.task for sub in state.sub_agents())
    assert [f"museums/{m}.md" in t for m, t in zip(MUSEUMS, tasks, strict=True)] == [True] * 3
    assert all("opening hours" in sub.outcome for sub in state.sub_agents())


MUSEUMS = ("art", "history", "nature")


@pytest.mark.parametrize("name", GRAPHS)
def test_nodes_that_ran_side_by_side_are_sub_agents(name) -> None:
    """Three readers by `Send`, each two calls and a file; then one call that joins."""
    trace = recorded(name)
    state, found = fold(trace), metrics(trace)
    assert state.main().name == "prices"
    assert state.main().steps == 1
    assert [(sub.stage, sub.steps, sub.tool_calls) for sub in state.sub_agents()] == [(1, 2, 1)] * 3
    assert (found.stages, found.critical_steps, found.tool_calls) == (2, 2 + 1, 3)
    edges = Counter(data["kind"] for *_, data in graph(trace).edges(data=True))
    assert edges == {"then": 1, "assign": 3, "join": 3}


def test_branches_that_no_span_tells_apart_are_said_to_be_guessed() -> None:
    with pytest.warns(SpansWarning, match="3 sub-agents, as few as there can have been"):
        from_spans(SPANS / "langgraph-send-genai.jsonl")


# Spans made by hand.


class Maker:
    """OTLP JSON in the making; times in seconds."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    def add(self, name, began, ended, parent="", trace="t1", error="", **about) -> str:
        id = f"s{len(self.spans):03}"
        self.spans.append(
            {
                "traceId": trace,
                "spanId": id,
                "parentSpanId": parent,
                "name": name,
                "startTimeUnixNano": str(STARTED + round(began * SECOND)),
                "endTimeUnixNano": "" if ended is None else str(STARTED + round(ended * SECOND)),
                "attributes": [{"key": k, "value": v} for k, v in about.items()],
                "status": {"code": 2, "message": error} if error else {},
            }
        )

        if ended is None:
            del self.spans[-1]["endTimeUnixNano"]

        return id

    def agent(self, name, began, ended, parent="", **more) -> str:
        about = {"gen_ai.operation.name": text("invoke_agent"), "gen_ai.agent.name": text(name)}
        return self.add(f"invoke_agent {name}", began, ended, parent, **about, **more)

    def chat(self, began, ended, parent="", **more) -> str:
        about = {
            "gen_ai.operation.name": text("chat"),
            "gen_ai.request.model": text("gpt-5"),
            "gen_ai.usage.input_tokens": {"intValue": "10"},
            "gen_ai.usage.output_tokens": {"intValue": "5"},
        }
        return self.add("chat gpt-5", began, ended, parent, **(about | more))

    def tool(self, name, began, ended, parent="", **more) -> str:
        about = {"gen_ai.operation.name": text("execute_tool"), "gen_ai.tool.name": text(name)}
        return self.add(f"execute_tool {name}", began, ended, parent, **about, **more)

    def otlp(self) -> dict[str, Any]:
        return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "x"}, "spans": self.spans}]}]}

    def trace(self) -> Trace:
        trace = from_spans(self.otlp())
        check(trace)
        return trace


def text(value: str) -> dict[str, Any]:
    return {"stringValue": value}


def shape(trace: Trace) -> list[tuple]:
    return [(a.role, a.name, a.stage, a.steps) for a in fold(trace).agents.values()]


def test_an_agent_that_launches_nobody_is_single() -> None:
    make = Maker()
    top = make.agent("solo", 0, 5, make.add("http request", 0, 5))
    make.chat(0, 1, top)
    make.tool("grep", 1, 2, top, error="no such file")
    make.chat(2, 4, top)
    trace = make.trace()
    assert shape(trace) == [("single", "solo", 0, 2)]
    assert [r.fact.ok for r in trace if isinstance(r.fact, e.ToolReturned)] == [False]
    assert metrics(trace).work_s == 4.0


def test_calls_without_any_agent_are_one_agents() -> None:
    make = Maker()
    make.chat(0, 1)
    make.chat(1, 2)
    assert shape(make.trace()) == [("single", "run", 0, 2)]


def test_older_names_are_understood() -> None:
    make = Maker()
    top = make.add("run", 0, 2)
    old = {
        "gen_ai.system": text("openai"),
        "gen_ai.request.model": text("gpt-4"),
        "gen_ai.usage.prompt_tokens": {"intValue": "7"},
        "gen_ai.usage.completion_tokens": {"intValue": 3},
        "gen_ai.completion.0.content": text("Hello."),
    }
    make.add("openai.chat", 0, 1, top, **old)
    make.add("openai.chat", 1, 2, top, **old | {"llm.request.type": text("chat")})
    trace = make.trace()
    assert (metrics(trace).tokens_in, metrics(trace).tokens_out) == (14, 6)
    assert fold(trace).answer == "Hello."
    assert fold(trace).model == "gpt-4"


def test_agents_and_tools_before_there_were_names_of_operations_are_known() -> None:
    make = Maker()
    top = make.add("agent run", 0, 9, agent_name=text("boss"), model_name=text("m"))
    make.chat(0, 1, top)
    ask = make.add("running tool", 1, 4, top, **{"gen_ai.tool.name": text("ask")})
    sub = make.add("agent run", 1, 4, ask, agent_name=text("sub"))
    make.chat(1, 3, sub)
    make.add("chat m (pending)", 1, 1, sub, **{"logfire.span_type": text("pending_span")})
    make.spans[-1]["attributes"].append({"key": "gen_ai.operation.name", "value": text("chat")})
    assert shape(make.trace()) == [("orchestrator", "boss", 0, 1), ("sub-agent", "sub", 1, 1)]


def test_a_call_that_two_instrumentations_saw_is_one() -> None:
    make = Maker()
    top = make.agent("solo", 0, 2)
    outer = make.add(
        "ChatOpenAI", 0, 2, top, **{"openinference.span.kind": text("LLM"), "x": text("y")}
    )
    make.chat(0.1, 1.9, outer)
    trace = make.trace()
    assert metrics(trace).total_steps == 1
    assert metrics(trace).tokens_in == 10  # only the inner one has usage
    assert fold(trace).model == "gpt-5"


def test_a_failed_call_is_a_step_that_failed_and_the_next_is_its_own() -> None:
    make = Maker()
    top = make.agent("solo", 0, 4)
    make.chat(0, 1, top, error="503")
    make.chat(2, 4, top)
    trace = make.trace()
    assert [r.fact.finish for r in trace if isinstance(r.fact, e.StepEnded)] == ["failed", "stop"]
    assert (metrics(trace).total_steps, metrics(trace).retries) == (1, 0)
    assert fold(trace).status == "finished"


def test_an_agent_that_failed_has_failed_and_so_has_its_run() -> None:
    make = Maker()
    top = make.agent("solo", 0, 4, error="out of money")
    make.chat(0, 1, top)
    state = fold(make.trace())
    assert (state.status, state.why) == ("failed", "out of money")
    assert (state.main().state, state.main().outcome) == ("failed", "out of money")


def test_a_handoff_launches_the_agent_that_takes_over() -> None:
    make = Maker()
    top = make.add("Agent workflow", 0, 6, **{"openinference.span.kind": text("AGENT")})
    desk = make.agent("desk", 0, 2, top)
    make.chat(0, 1, desk)
    make.add("handoff to clerk", 1, 1.1, desk, **{"openinference.span.kind": text("TOOL")})
    by = {"graph.node.parent_id": text("desk")}
    clerk = make.agent("clerk", 2, 6, top, **by)
    make.chat(2, 4, clerk)
    make.chat(4, 6, clerk)
    trace = make.trace()
    assert shape(trace) == [("orchestrator", "desk", 0, 1), ("sub-agent", "clerk", 1, 2)]
    assert metrics(trace).critical_steps == 3
    assert metrics(trace).span_s == 5.0


def test_who_has_taken_over_hands_on_and_the_next_is_a_stage_later() -> None:
    make = Maker()
    top = make.add("Agent workflow", 0, 9)

    for place, (name, giver) in enumerate((("a", ""), ("b", "a"), ("c", "b"))):
        by = {"gen_ai.handoff.parent_agent": text(giver)} if giver else {}
        make.chat(3 * place, 3 * place + 2, make.agent(name, 3 * place, 3 * place + 3, top, **by))

    trace = make.trace()
    assert shape(trace) == [
        ("orchestrator", "a", 0, 1),
        ("sub-agent", "b", 1, 1),
        ("sub-agent", "c", 2, 1),
    ]
    assert metrics(trace).critical_steps == 3


def test_a_tool_and_a_sub_agent_after_a_call_that_failed_are_not_of_that_call() -> None:
    make = Maker()
    top = make.agent("boss", 0, 9)
    make.chat(0, 1, top)
    make.chat(1, 2, top, error="503")
    make.tool("grep", 2, 3, top)
    make.chat(4, 5, make.agent("sub", 3, 5, top))
    trace = make.trace()
    (called,) = [r.fact for r in trace if isinstance(r.fact, e.ToolCalled)]
    assert called.step == 1
    (sub,) = fold(trace).sub_agents()
    assert sub.stage == 3  # behind the failed one


def test_a_sub_agent_whose_clock_is_behind_begins_with_the_call_that_launched_it() -> None:
    make = Maker()
    top = make.agent("boss", 0, 9)
    make.chat(0, 1, top)
    make.chat(2, 3, top)
    make.chat(1.5, 4, make.agent("sub", 1.5, 4, make.tool("ask", 3, 5, top)))
    trace = make.trace()
    (sub,) = fold(trace).sub_agents()
    assert (sub.stage, sub.began) == (2, 2.0)


def test_a_sub_agent_does_not_begin_before_who_launched_it() -> None:
    make = Maker()
    boss = make.agent("boss", 1, 9)
    make.chat(0.5, 2, make.agent("sub", 0.5, 2, boss))
    make.chat(3, 4, boss)
    (sub,) = fold(make.trace()).sub_agents()
    assert sub.began == 0.5  # of the run, which began half a second before the boss


@pytest.mark.parametrize(
    "said",
    [
        '[{"role": "assistant", "parts": [{"type": "text", "content": "42"}]}]',
        '[{"role": "user", "content": "?"}, {"role": "assistant", "content": "42"}]',
        '{"messages": [["user", "?"], {"type": "ai", "data": {"content": "42"}}]}',
        '{"outputs": {"messages": [{"kwargs": {"type": "ai", "content": "42"}}]}}',
        '{"output": {"kwargs": {"type": "ai", "content": [{"type": "text", "text": "42"}]}}}',
        "42",
    ],
)
def test_an_answer_is_found_in_whatever_is_wrapped_around_it(said) -> None:
    make = Maker()
    make.chat(0, 1, make.agent("solo", 0, 2, **{"output.value": text(said)}))
    assert fold(make.trace()).answer == "42"


def test_a_branch_goes_on_with_what_follows_its_end_soonest() -> None:
    make = Maker()
    top = make.add("workflow", 0, 9)

    for began, ended in ((0, 3), (0, 5), (0, 7), (5.1, 8)):
        make.chat(began, ended, top)

    with pytest.warns(SpansWarning, match="3 sub-agents"):
        trace = from_spans(make.otlp())

    check(trace)
    assert [(a.steps, a.ended) for a in fold(trace).sub_agents()] == [(1, 3), (2, 8), (1, 7)]
    assert sorted(a.call for a in fold(trace).sub_agents()) == [0, 1, 2]


def test_agents_one_after_another_in_a_workflow_are_stages_of_it() -> None:
    make = Maker()
    top = make.add("pipeline", 0, 9)

    for began, names in ((0, "ab"), (4, "c")):
        for name in names:
            make.chat(began, began + 2, make.agent(name, began, began + 3, top))

    trace = make.trace()
    assert shape(trace) == [
        ("orchestrator", "pipeline", 0, 0),
        ("sub-agent", "a", 1, 1),
        ("sub-agent", "b", 1, 1),
        ("sub-agent", "c", 2, 1),
    ]
    assert metrics(trace).critical_steps == 2


def test_an_agent_within_another_ones_tool_was_launched_by_it_wherever_it_hangs() -> None:
    make = Maker()
    top = make.add("workflow", 0, 9)
    boss = make.agent("boss", 0, 9, top)
    make.chat(0, 1, boss)
    make.tool("ask", 1, 5, boss)
    make.tool("ask", 1, 4, boss)
    make.chat(5, 6, boss)

    for ended in (4, 5):
        make.chat(1.5, ended - 0.5, make.agent(f"until {ended}", 1.2, ended, top))

    trace = make.trace()
    state = fold(trace)
    assert [(a.name, a.stage, a.call) for a in state.sub_agents()] == [
        ("until 5", 1, 1),
        ("until 4", 1, 0),
    ]


def test_sub_agents_of_sub_agents_stand_beside_them_with_a_warning() -> None:
    make = Maker()
    parent = ""

    for depth in range(3):
        agent = make.agent(f"d{depth}", depth, 9 - depth, parent)
        make.chat(depth, depth + 0.5, agent)
        parent = make.tool("ask", depth + 0.6, 9 - depth - 0.1, agent)

    with pytest.warns(SpansWarning, match="1 sub-agent"):
        trace = from_spans(make.otlp())

    check(trace)
    assert shape(trace) == [
        ("orchestrator", "d0", 0, 1),
        ("sub-agent", "d1", 1, 1),
        ("sub-agent", "d2", 1, 1),
    ]


def test_a_tool_that_is_still_out_when_the_next_call_begins_has_answered_by_then() -> None:
    make = Maker()
    top = make.agent("solo", 0, 9)
    make.chat(0, 1, top)
    make.tool("slow", 1, 8, top)
    make.chat(2, 3, top)
    trace = make.trace()
    assert [r.t for r in trace if isinstance(r.fact, e.ToolReturned)] == [2.0]


def test_what_has_not_ended_is_still_running() -> None:
    make = Maker()
    top = make.agent("solo", 0, None)
    make.chat(0, 1, top)
    make.chat(1, None, top)
    trace = make.trace()
    state = fold(trace)
    assert (state.status, state.main().state, state.steps) == ("running", "thinking", 1)


def test_parents_that_nobody_wrote_are_done_without() -> None:
    make = Maker()
    make.chat(0, 1, "gone")
    ask = make.tool("ask", 1, 4, "gone")
    make.chat(1, 3, make.agent("sub", 1, 4, ask))
    make.chat(4, 5, "gone")
    assert shape(make.trace()) == [("orchestrator", "run", 0, 2), ("sub-agent", "sub", 1, 1)]


def test_spans_in_a_ring_are_all_there() -> None:
    make = Maker()
    make.agent("a", 0, 5, "s001")
    make.agent("b", 0, 5, "s000")
    make.chat(0, 1, "s001")
    make.spans += [dict(span) for span in make.spans]  # and written twice
    assert metrics(make.trace()).total_steps == 1


def test_a_tool_before_any_call_is_left_out_with_a_warning() -> None:
    make = Maker()
    top = make.agent("solo", 0, 5)
    make.tool("prepare", 0, 1, top)
    make.chat(1, 2, top)

    with pytest.warns(SpansWarning, match="1 tool call"):
        trace = from_spans(make.otlp())

    check(trace)
    assert metrics(trace).tool_calls == 0


def two_traces() -> dict[str, Any]:
    make = Maker()

    for trace, calls in (("aa11", 1), ("bb22", 2)):
        for n in range(calls):
            make.chat(n, n + 1, trace=trace)

    make.add("nothing to do with it", 0, 9, trace="cc33")
    return make.otlp()


def test_of_several_traces_the_largest_is_taken_or_the_one_that_was_asked_for() -> None:
    with pytest.warns(
        SpansWarning, match=r"2 traces: took bb22; give trace_id=.*aa11 \(1 model call\)"
    ):
        assert metrics(from_spans(two_traces())).total_steps == 2

    assert metrics(from_spans(two_traces(), trace_id="AA")).total_steps == 1

    with pytest.raises(UsageFault, match=r"no trace begins with 'dd'.*aa11"):
        from_spans(two_traces(), trace_id="dd")


def test_spans_of_the_sdk_by_anybody_are_taken() -> None:
    kept: list[Any] = []
    provider = TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("theirs")

    with tracer.start_as_current_span("invoke_agent x") as agent:
        agent.set_attribute("gen_ai.operation.name", "invoke_agent")

        with tracer.start_as_current_span("chat") as call:
            call.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})

    kept += [agent, call]
    trace = from_spans(kept)
    check(trace)
    assert orjson.loads(trace[0].fact.options)["imported"]["from"] == ["theirs"]
    assert fold(trace).estimated  # no usage was written


# What is no span, and what means harm.


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no model call in 0 spans"),
        ("{", "line 1: not JSON"),
        ("[]", "no list resourceSpans"),
        ('{"resourceSpans": {}}', "no list resourceSpans"),
        ('{"resourceSpans": [7]}', "7 is not an object"),
        ('{"resourceSpans": [{"scopeSpans": 7}]}', "7 is not a list"),
        ('{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}', "span 0: startTimeUnixNano"),
        ('{"resourceSpans": []}\n{"resourceSpans": []}\nx\n', "line 3: not JSON"),
        ('{"resourceSpans": []}', "no model call in 0 spans"),
        ("[" * 5000, "not JSON"),
    ],
)
def test_what_is_no_span_is_refused_with_its_place(tmp_path, content, why) -> None:
    path = tmp_path / "spans.json"
    path.write_text(content, "utf-8")

    with pytest.raises(TraceError, match=why):
        from_spans(path)


@pytest.mark.parametrize("source", [7, None, [7], ["spans.json"], [None]])
def test_what_is_no_source_is_refused(source) -> None:
    with pytest.raises(UsageFault, match=r"from_spans takes|not a span of the SDK"):
        from_spans(source)


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(TraceError, match=r"none\.json"):
        from_spans(tmp_path / "none.json")

    with pytest.raises(TraceError, match="cannot read"):
        from_spans("nul\0.json")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(HOSTILE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ANY_VALUE = ODD | st.builds(
    lambda kind, value: {kind: value},
    st.sampled_from(
        ["stringValue", "intValue", "boolValue", "doubleValue", "arrayValue", "kvlistValue"]
    ),
    ODD | st.builds(lambda v: {"values": v}, ODD),
)
NAMES = st.sampled_from(
    [
        "gen_ai.operation.name",
        "openinference.span.kind",
        "gen_ai.usage.input_tokens",
        "gen_ai.response.finish_reasons",
        "gen_ai.agent.name",
        "gen_ai.output.messages",
        "gen_ai.tool.call.arguments",
        "kimi_nb.step",
        "kimi_nb.stage",
        "kimi_nb.call",
        "kimi_nb.role",
        "kimi_nb.status",
        "graph.node.parent_id",
    ]
)
KINDS = st.sampled_from(["chat", "chat", "execute_tool", "invoke_agent", "invoke_workflow", "x"])


@st.composite
def odd_spans(draw: st.DrawFn) -> dict[str, Any]:
    """Spans of any kinds under any parents at any times, with odd attributes."""
    make = Maker()
    count = draw(st.integers(1, 12))

    for _ in range(count):
        parent = draw(st.sampled_from(["", "gone", *(f"s{n:03}" for n in range(count))]))
        began = draw(st.integers(0, 8))
        ended = draw(st.none() | st.integers(0, 8))
        make.add("x", began, ended, parent, **{"gen_ai.operation.name": text(draw(KINDS))})
        odd = draw(st.lists(st.tuples(NAMES, ANY_VALUE), max_size=3))
        make.spans[-1]["attributes"] += [{"key": name, "value": value} for name, value in odd]
        make.spans[-1]["status"] = draw(st.just({}) | st.just({"code": 2}) | ODD)
        make.spans[-1]["links"] = draw(st.just([{"spanId": "s000"}]) | ODD)

    make.chat(0, 1)
    return make.otlp()


@given(odd_spans())
def test_any_spans_make_a_valid_trace(otlp) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpansWarning)
        check(from_spans(otlp))


@given(ODD)
def test_anything_else_is_refused_in_words(source) -> None:
    with pytest.raises((TraceError, UsageFault)):
        from_spans({"resourceSpans": source} if source else source)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_words(words, tmp_path) -> None:
    make = Maker()
    about = {"gen_ai.output.messages": text(words), "gen_ai.input.messages": text(words)}
    top = make.agent(words, 0, 9, error=words, **about)
    make.chat(0, 1, top, **about, **{"gen_ai.request.model": text(words)})
    make.tool(words, 1, 2, top, **{"gen_ai.tool.call.arguments": text(words)})
    trace = make.trace()
    assert read(trace.save(tmp_path / "run.jsonl")) == trace


def test_absurd_counts_are_bounded() -> None:
    make = Maker()
    make.chat(0, 1, **{"gen_ai.usage.input_tokens": {"intValue": "9" * 30}})
    make.chat(1, 2, **{"gen_ai.usage.input_tokens": {"intValue": "-5"}})
    assert metrics(make.trace()).tokens_in == 10**12


def test_many_spans_deep_and_wide_cost_no_more_than_their_number() -> None:
    make = Maker()
    parent = ""

    for _ in range(3000):
        parent = make.agent("deep", 0, 9, parent)

    for n in range(3000):
        make.chat(n, n + 2, parent)  # each overlaps the next

    with pytest.warns(SpansWarning, match="2 sub-agents"):
        trace = from_spans(make.otlp())

    assert metrics(trace).total_steps == 3000


def test_a_trace_of_our_own_needs_no_import(tmp_path: Path) -> None:
    path = staged((1,)).save(tmp_path / "run.jsonl")

    with pytest.raises(UsageFault, match="it is a trace already"):
        from_spans(path)
