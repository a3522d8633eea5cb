"""A trace as OpenTelemetry GenAI spans: their shape by the SDK, and over the wire."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from hostile import HOSTILE, hostile_trace
from hypothesis import given
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from otlp import Receiver, spans_of
from traces import Script, chains, staged, swarms

from kimi_nb import events as e
from kimi_nb.errors import KimiNbError, TraceError, UsageFault
from kimi_nb.trace import Record, Trace
from kimi_nb.views.otel import export_spans, to_spans

STARTED = 1_790_000_000 * 10**9
"""When the traces of `Script` began, in nanoseconds."""


def swarm(**more) -> Trace:
    """An orchestrator that reads a file, launches two, and joins."""
    script = Script(**more)
    main = script.orchestrator()
    main.step(1.0, tools=(("read_file", {"path": "secret.txt"}, 0.5),), said="I look first.")
    main.launch(2, 3)
    main.step(1.0, said="Joined.").end("All is well.")
    return script.end()


def named(spans, name: str):
    found = [span for span in spans if span.name == name]
    assert found, f"no span {name!r} in {sorted({span.name for span in spans})}"
    return found


def attribute(spans, name: str) -> list:
    return [span.attributes.get(name) for span in spans]


def parent_name(spans, span) -> str:
    return next(s.name for s in spans if s.context.span_id == span.parent.span_id)


def test_agents_steps_and_tools_are_spans_by_the_conventions() -> None:
    spans = to_spans(swarm())
    assert Counter(span.name for span in spans) == {
        "invoke_workflow kimi_nb": 1,
        "invoke_agent orchestrator": 1,
        "invoke_agent w0": 1,
        "invoke_agent w1": 1,
        "chat kimi-k3": 3 + 2 + 3,
        "execute_tool read_file": 1,
        "execute_tool assign_task": 2,
    }
    assert {span.kind for span in named(spans, "chat kimi-k3")} == {SpanKind.CLIENT}
    assert {span.kind for span in spans if not span.name.startswith("chat")} == {SpanKind.INTERNAL}

    for span in spans:
        assert span.name.startswith(f"{span.attributes['gen_ai.operation.name']} ")
        assert span.attributes["gen_ai.provider.name"] == "moonshot_ai"
        assert span.attributes["gen_ai.conversation.id"] == f"{span.context.trace_id:032x}"

    first = named(spans, "chat kimi-k3")[0].attributes
    assert first["gen_ai.request.model"] == "kimi-k3"
    assert first["gen_ai.usage.input_tokens"] == 100
    assert first["gen_ai.usage.output_tokens"] == 20
    assert first["gen_ai.usage.cache_read.input_tokens"] == 50
    assert first["gen_ai.response.finish_reasons"] == ("tool_calls",)
    tool = named(spans, "execute_tool read_file")[0].attributes
    assert tool["gen_ai.tool.name"] == "read_file"
    assert tool["gen_ai.tool.type"] == "function"
    assert tool["gen_ai.tool.call.id"] == "read_file:0"
    assert attribute(named(spans, "invoke_agent w1"), "gen_ai.agent.name") == ["w1"]
    assert attribute(named(spans, "invoke_agent w1"), "kimi_nb.stage") == [2]


def test_a_sub_agent_hangs_under_the_call_that_launched_it() -> None:
    spans = to_spans(swarm())
    subs = [named(spans, f"invoke_agent w{i}")[0] for i in (0, 1)]
    launchers = {sub.parent.span_id for sub in subs}
    assert launchers == {s.context.span_id for s in named(spans, "execute_tool assign_task")}
    assert len(launchers) == 2
    assert parent_name(spans, named(spans, "execute_tool assign_task")[0]) == (
        "invoke_agent orchestrator"
    )
    assert parent_name(spans, named(spans, "invoke_agent orchestrator")[0]) == (
        "invoke_workflow kimi_nb"
    )


def test_a_call_has_begun_when_the_sub_agent_that_it_launches_has() -> None:
    script = Script()
    script.orchestrator().launch(1, lead=0.5)
    spans = to_spans(script.end())
    sub, call = named(spans, "invoke_agent w0")[0], named(spans, "execute_tool assign_task")[0]
    assert call.start_time == sub.start_time == STARTED + 5 * 10**8


def test_spans_have_the_true_times() -> None:
    spans = to_spans(swarm())
    chat, *_ = named(spans, "chat kimi-k3")
    assert (chat.start_time, chat.end_time) == (STARTED, STARTED + 10**9)
    tool = named(spans, "execute_tool read_file")[0]
    assert (tool.start_time, tool.end_time) == (chat.end_time, chat.end_time + 5 * 10**8)
    root = named(spans, "invoke_workflow kimi_nb")[0]
    assert (root.start_time, root.end_time) == (STARTED, STARTED + 6_500_000_000)


def test_the_time_in_the_queue_is_no_part_of_the_call() -> None:
    script = Script()
    script.orchestrator().step(1.0, queued=2.0).end()
    chat = named(to_spans(script.end()), "chat kimi-k3")[0]
    assert chat.start_time == STARTED + 2 * 10**9
    assert chat.attributes["kimi_nb.queued_s"] == 2.0


def test_a_call_that_never_went_out_is_no_span() -> None:
    script = Script()
    main = script.orchestrator().step(1.0)
    main.begin()
    main._add(e.StepQueued(step=2))
    main.t += 3.0
    main.end("out of budget", "over_budget")
    spans = to_spans(script.end(status="over_budget"))
    assert len(named(spans, "chat kimi-k3")) == 1
    assert named(spans, "invoke_agent orchestrator")[0].attributes["error.type"] == "over_budget"


def test_retries_are_events_and_a_step_that_failed_is_an_error() -> None:
    script = Script()
    main = script.orchestrator()
    main.step(1.0, fails=((0.5, 0.2), (0.1, 0.4)), finish="failed").end("it broke", "failed")
    spans = to_spans(script.end(status="failed", why="it broke"))
    chat = named(spans, "chat kimi-k3")[0]
    assert [event.name for event in chat.events] == ["kimi_nb.retry"] * 2
    assert [event.timestamp for event in chat.events] == [STARTED + 5 * 10**8, STARTED + 8 * 10**8]
    assert chat.events[0].attributes["error.type"] == "Overloaded"
    assert chat.events[1].attributes["kimi_nb.wait_s"] == 0.4
    assert chat.status.status_code is StatusCode.ERROR
    assert chat.attributes["error.type"] == "_OTHER"
    assert "gen_ai.response.finish_reasons" not in chat.attributes
    agent = named(spans, "invoke_agent orchestrator")[0]
    assert agent.status.status_code is StatusCode.ERROR
    assert agent.status.description == "it broke"
    assert named(spans, "invoke_workflow kimi_nb")[0].attributes["error.type"] == "failed"


def test_calls_of_a_turn_that_was_repeated_are_no_spans() -> None:
    script = Script()
    main = script.orchestrator().begin()
    main._add(main.called(0, "grep", "{}"))
    main.t += 1.0
    main._add(e.StepRetried(step=1, attempt=1, error="Unreachable", why="cut", wait=0.0))
    main.t += 1.0
    main._turn([("read_file", {})], "", (1, 1, 0))
    main.returned(0, main.t + 1.0, ok=False)
    main.end()
    spans = to_spans(script.end())
    assert [span.name for span in spans if "execute_tool" in span.name] == [
        "execute_tool read_file"
    ]
    failed = named(spans, "execute_tool read_file")[0]
    assert (failed.status.status_code, failed.attributes["error.type"]) == (
        StatusCode.ERROR,
        "tool_error",
    )


def test_what_was_said_goes_out_only_if_asked_for() -> None:
    words = ("Compare the museums", "secret.txt", "I look first", "All is well", "Look into w0")
    plain = repr([dict(span.attributes) for span in to_spans(swarm())])
    assert not [word for word in words if word in plain]
    spans = to_spans(swarm(), content=True)
    told = repr([dict(span.attributes) for span in spans])
    assert [word for word in words if word in told] == list(words)
    chat = named(spans, "chat kimi-k3")[0].attributes
    message = json.loads(chat["gen_ai.output.messages"])[0]
    assert (message["role"], message["finish_reason"]) == ("assistant", "tool_calls")
    assert [part["type"] for part in message["parts"]] == ["text", "tool_call"]
    script = Script()
    main = script.orchestrator().begin()
    main._add(e.Said(step=1, text="Yes.", thinking="Hm."))
    main._turn([], "", (1, 1, 0))
    thought = named(to_spans(script.end(), content=True), "chat kimi-k3")[0].attributes
    parts = json.loads(thought["gen_ai.output.messages"])[0]["parts"]
    assert [(part["type"], part["content"]) for part in parts] == [
        ("reasoning", "Hm."),
        ("text", "Yes."),
    ]
    tool = named(spans, "execute_tool read_file")[0].attributes
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"path": "secret.txt"}
    assert tool["gen_ai.tool.call.result"] == "ok"


def test_a_simulated_run_is_marked_on_every_span() -> None:
    spans = to_spans(swarm(simulated=True, model="simulator"))
    assert set(attribute(spans, "kimi_nb.simulated")) == {True}
    assert set(attribute(spans, "gen_ai.provider.name")) == {"kimi_nb.simulator"}
    assert set(attribute(to_spans(swarm()), "kimi_nb.simulated")) == {False}


def test_exporting_twice_gives_the_same_ids() -> None:
    def ids(trace: Trace) -> list[tuple[int, int]]:
        return [(span.context.trace_id, span.context.span_id) for span in to_spans(trace)]

    once = ids(swarm())
    assert ids(swarm()) == once
    assert len(set(once)) == len(once)
    assert set(ids(swarm()[:-4])) <= set(once)  # a run that is still going
    assert not set(once) & set(ids(swarm(goal="Another goal.")))


def test_a_run_that_is_going_on_ends_at_its_latest_record() -> None:
    script = Script()
    main = script.orchestrator()
    subs = main.assign(["w0"])
    subs[0].step(2.0).begin()
    spans = to_spans(script.trace())
    root = named(spans, "invoke_workflow kimi_nb")[0]
    assert root.attributes["kimi_nb.status"] == "running"
    assert root.end_time == STARTED + 3 * 10**9
    assert {span.status.status_code for span in spans} == {StatusCode.UNSET}


def test_a_resumed_run_is_where_its_second_process_was() -> None:
    script = Script()
    main = script.orchestrator().begin()
    main.t += 2.0
    main.script.add(
        main.t, "", e.RunResumed(started=1_790_000_100.0, version="0.1.0", model="kimi-k2.6")
    )
    main.n = 0
    main.step(1.0).end()
    spans = to_spans(script.end())
    lost = named(spans, "chat kimi-k3")[0]
    assert (lost.end_time, lost.attributes["error.type"]) == (STARTED + 2 * 10**9, "interrupted")
    again = named(spans, "chat kimi-k2.6")[0]
    assert again.start_time == STARTED + 100 * 10**9
    root = named(spans, "invoke_workflow kimi_nb")[0]
    assert [event.name for event in root.events] == ["kimi_nb.resumed"]
    assert root.end_time == STARTED + 101 * 10**9


def test_a_fork_is_another_run_than_the_one_that_it_parts_from() -> None:
    forked = e.RunForked(source="a.jsonl", copied=3, started=1_790_000_100.0, version="0.1.0")
    whole = staged(())
    other = Trace([*whole[:3], Record(3, whole[2].t, "", forked)])
    assert to_spans(other)[0].context.trace_id != to_spans(whole)[0].context.trace_id


def test_an_agent_of_a_plan_links_to_those_it_came_after() -> None:
    spans = to_spans(chains((1, 2)))
    first, second = named(spans, "invoke_agent t0.0")[0], named(spans, "invoke_agent t0.1")[0]
    assert [link.context.span_id for link in second.links] == [first.context.span_id]
    assert parent_name(spans, second) == "invoke_workflow kimi_nb"


def test_a_judgement_is_an_evaluation_event() -> None:
    script = Script()
    script.orchestrator().step().end()
    script.add(1.0, "", e.Judged(by="grader", success=True, quality=0.5, why="half"))
    (event,) = named(to_spans(script.end()), "invoke_workflow kimi_nb")[0].events
    assert event.name == "gen_ai.evaluation.result"
    assert event.attributes["gen_ai.evaluation.score.value"] == 0.5


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_travels_as_text(text) -> None:
    with Receiver() as receiver:
        sent = export_spans(hostile_trace(text), endpoint=receiver.url, content=True)

    assert len(spans_of(receiver.requests)) == sent
    spans = spans_of(receiver.requests)
    assert all("\n" not in span["name"] for span in spans)
    agents = [s for s in spans if s["attributes"]["gen_ai.operation.name"] == "invoke_agent"]
    assert all(span["attributes"]["gen_ai.agent.name"] for span in agents)


@given(swarms())
def test_any_trace_has_spans_that_fit_into_their_run(trace) -> None:
    spans = to_spans(trace)
    steps = [r for r in trace if isinstance(r.fact, e.StepEnded)]
    assert bool(spans) == bool(len(trace))
    assert sum(span.name.startswith("chat") for span in spans) >= len(steps)
    began = {r.agent for r in trace if isinstance(r.fact, e.AgentBegan)}
    assert sum(span.name.startswith("invoke_agent") for span in spans) == len(began)
    ids = {span.context.span_id for span in spans}
    assert len(ids) == len(spans)

    for span in spans:
        last = STARTED + round(trace[-1].t * 10**9)
        assert STARTED <= span.start_time <= span.end_time <= last
        assert span.parent is None or span.parent.span_id in ids


def test_an_exporter_of_the_sdk_gets_them_all() -> None:
    exporter = InMemorySpanExporter()
    assert export_spans(swarm(), exporter) == len(exporter.get_finished_spans()) == 15


def test_a_receiver_on_this_machine_decodes_what_was_sent() -> None:
    with Receiver() as receiver:
        assert export_spans(swarm(), endpoint=receiver.url) == 15

    assert receiver.paths == ["/v1/traces"]
    (resource,) = receiver.requests[0]["resourceSpans"]
    about = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
    assert about["service.name"] == "kimi_nb"
    spans = spans_of(receiver.requests)
    chats = [span for span in spans if span["attributes"]["gen_ai.operation.name"] == "chat"]
    assert sum(span["attributes"]["gen_ai.usage.input_tokens"] for span in chats) == 8 * 100
    assert chats[0]["kind"] == "SPAN_KIND_CLIENT"
    assert int(chats[0]["startTimeUnixNano"]) == STARTED
    assert int(chats[0]["endTimeUnixNano"]) == STARTED + 10**9
    assert len(chats[0]["traceId"]) == 32


def test_many_spans_go_in_several_requests() -> None:
    with Receiver() as receiver:
        sent = export_spans(staged((300, 300)), endpoint=f"{receiver.url}/v1/traces")

    assert len(receiver.requests) == 2
    assert len(spans_of(receiver.requests)) == sent == 1 + 3 + 601 + 2


def test_the_variables_of_the_standard_say_where(monkeypatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "my-swarm")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")  # what was asked for is sent
        assert export_spans(swarm()) == len(spans_of(receiver.requests))

    attributes = receiver.requests[0]["resourceSpans"][0]["resource"]["attributes"]
    assert {"key": "service.name", "value": {"stringValue": "my-swarm"}} in attributes


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_an_error_that_says_what_to_do(status) -> None:
    with (
        Receiver(status) as receiver,
        pytest.raises(KimiNbError, match=f"15 of 15 spans.*endpoint=.*{status}"),
    ):
        export_spans(swarm(), endpoint=receiver.url)


def test_a_collector_that_is_not_there_is_an_error(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")

    with Receiver() as receiver:
        gone = receiver.url

    with pytest.raises(KimiNbError, match=r"did not arrive.*Is a collector listening"):
        export_spans(swarm(), endpoint=gone)


class Breaking(SpanExporter):
    def export(self, _spans):
        raise OSError("the disk is full")


class Refusing(SpanExporter):
    def export(self, _spans):
        return SpanExportResult.FAILURE


@pytest.mark.parametrize(
    ("exporter", "why"), [(Breaking(), "the disk is full"), (Refusing(), "did not arrive")]
)
def test_an_exporter_that_fails_is_never_silent(exporter, why) -> None:
    with pytest.raises(KimiNbError, match=why):
        export_spans(swarm(), exporter)


@pytest.mark.parametrize("endpoint", ["localhost:4318", "ftp://x", "", "http://"])
def test_an_endpoint_that_is_none_is_named(endpoint) -> None:
    with pytest.raises(UsageFault, match="type a URL"):
        export_spans(swarm(), endpoint=endpoint)


def test_an_exporter_and_an_endpoint_are_one_too_many() -> None:
    with pytest.raises(UsageFault, match="not both"):
        export_spans(swarm(), InMemorySpanExporter(), endpoint="http://localhost:4318")


def test_a_sdk_that_is_switched_off_is_named(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    with pytest.raises(UsageFault, match="unset OTEL_SDK_DISABLED"):
        to_spans(swarm())


def test_a_trace_without_a_begin_is_refused() -> None:
    with pytest.raises(TraceError, match="RunBegan"):
        to_spans([Record(0, 0.0, "a0", e.StepBegan(step=1))])


def test_without_the_extra_one_reads_how_to_install_it(monkeypatch) -> None:
    for name in [n for n in sys.modules if n.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)

    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[otel\]'"):
        to_spans(swarm())


def test_importing_the_view_imports_no_telemetry() -> None:
    code = "import sys, kimi_nb, kimi_nb.views.otel; print('opentelemetry' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("typed", "more", "said"),
    [
        ("run.jsonl", {}, "type kn.read('run.jsonl')"),
        (None, {}, "NoneType is no run"),
        ([1], {}, "is no run"),
        (staged((1,)), {"endpoint": 5}, "5 is no endpoint: type a URL"),
        (staged((1,)), {"endpoint": "http://[::1"}, "is no endpoint: type a URL"),
        (staged((1,)), {"endpoint": "http://:4318"}, "is no endpoint: type a URL"),
        (staged((1,)), {"exporter": "http://a"}, "type endpoint='http://a'"),
    ],
)
def test_what_cannot_be_sent_is_said_in_one_sentence(typed, more, said: str) -> None:
    with pytest.raises(UsageFault, match=re.escape(said)):
        export_spans(typed, **more)
