"""Spans that are sent while a run goes on, over the wire and to a receiver of OTLP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from otlp import Receiver, spans_of
from scripted import Scripted, call, calls, is_orchestrator, results
from traces import Script

import kimi_nb as kn
from kimi_nb import events as e
from kimi_nb.errors import RateLimited, UsageFault
from kimi_nb.models.base import Reply, Request, Sink
from kimi_nb.redact import hide
from kimi_nb.swarm.start import runs
from kimi_nb.swarm.telemetry.server import _servers
from kimi_nb.trace import Trace
from kimi_nb.views.otel import live, to_spans
from kimi_nb.views.otel.live import check_otlp

VARIABLES = ("ENDPOINT", "TRACES_ENDPOINT", "HEADERS", "TRACES_HEADERS", "TIMEOUT")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    monkeypatch.setattr(live, "SEND_S", 0.1)

    for name in VARIABLES:
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)


def until(true: Callable[[], object]) -> None:
    """Return when it is so; the test's own timeout ends a wait for nothing."""
    while not true():
        time.sleep(0.01)


def essence(span: dict[str, Any]) -> tuple[Any, ...]:
    """All of a span that somebody may look at."""
    keys = ("traceId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano")
    rest = ("status", "events", "links")
    attributes = sorted((name, repr(value)) for name, value in span["attributes"].items())
    return (*(span.get(key) for key in keys), *(repr(span.get(key)) for key in rest), attributes)


def by_id(spans: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    found = {span["spanId"]: essence(span) for span in spans}
    assert len(found) == len(spans), "a span was sent twice"
    return found


def afterwards(run: kn.Replay | Trace, **more: bool) -> dict[str, tuple[Any, ...]]:
    """What `export_spans` sends of it once it has ended."""
    with Receiver() as receiver:
        kn.export_spans(run, endpoint=receiver.url, **more)

    return by_id(spans_of(receiver.requests))


def team(messages: list[Any]) -> Reply | BaseException | str:
    """Three sub-agents that run a tool each; one call is refused once."""
    if is_orchestrator(messages):
        if results(messages):
            return "All is well."

        names = [f"w{i}" for i in range(3)]
        made = [call("create_subagent", name=name, system_prompt="You count.") for name in names]
        return calls(*made, *(call("assign_task", agent=name, prompt="count") for name in names))

    if results(messages):
        return "counted"

    return calls(call("python", code="1 + 1"), text="I count.")


ALL = 1 + 4 + (2 + 6) + (6 + 3)
"""Spans of a run of this team: the run, agents, the orchestrator's calls, the others'."""


class Held(Scripted):
    """A model whose orchestrator answers last when it is let go."""

    def __init__(self) -> None:
        super().__init__(team, delay=0.01)
        self.go = asyncio.Event()
        self.refused = False

    async def reply(self, request: Request, sink: Sink) -> Reply:
        messages = list(request.conversation.messages)

        if is_orchestrator(messages) and results(messages):
            while not self.go.is_set():  # noqa: ASYNC110 -- set from another thread
                await asyncio.sleep(0.01)
        elif not is_orchestrator(messages) and not self.refused:
            self.refused = True
            raise RateLimited("too many")

        return await super().reply(request, sink)


@pytest.mark.parametrize("content", [False, True])
def test_what_is_sent_live_is_what_is_sent_afterwards(*, content: bool) -> None:
    model = Held()

    with Receiver() as receiver:
        run = kn.swarm("count", model=model)
        sending = kn.export_live(run, endpoint=receiver.url, content=content)
        until(lambda: sum(s["name"].startswith("invoke_agent w") for s in got(receiver)) == 3)
        early = {span["name"].partition(" ")[0] for span in got(receiver)}
        assert early == {"invoke_agent", "execute_tool", "chat"}
        assert not run.done
        assert "it goes on" in repr(sending)
        model.go.set()
        run.result()
        assert sending.wait()

    sent = got(receiver)
    expected = afterwards(run, content=content)
    assert by_id(sent) == expected
    assert sent[-1]["name"] == "invoke_workflow kimi_nb"
    assert len(sent) == ALL
    assert (sending.sent, sending.lost, sending.done) == (len(sent), 0, True)
    assert any("kimi_nb.retry" in repr(span.get("events")) for span in sent)
    assert ("I count." in repr(sent)) is content
    assert repr(sending) == f"{len(sent)} spans sent to {receiver.url}"


def got(receiver: Receiver) -> list[dict[str, Any]]:
    return spans_of(list(receiver.requests))


def test_several_runs_at_once_are_traces_of_their_own() -> None:
    with Receiver() as receiver:
        runs = [kn.swarm(f"count {i}", name=f"r{i}", model=Scripted(team)) for i in range(3)]
        sending = [kn.export_live(run, endpoint=receiver.url) for run in runs]

        for run, one in zip(runs, sending, strict=True):
            run.result()
            assert one.wait()

    sent = by_id(got(receiver))
    assert sent == {id: span for run in runs for id, span in afterwards(run).items()}
    assert len({span[0] for span in sent.values()}) == 3


class Growing:
    """A run whose facts come when a test wants them."""

    path = Path("run.jsonl")

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.records: list[kn.Record] = []
        self.done = False

    def grow(self, number: int) -> None:
        self.records += self.trace[len(self.records) : number]


def early() -> Trace:
    """A sub-agent that has ended before the turn that launched it."""
    script = Script()
    main = script.orchestrator().id
    sub = {"role": "sub-agent", "parent": main, "stage": 1, "call": 0}
    done = {"finish": "stop", "tokens_in": 9, "tokens_out": 1, "tokens_cached": 0}
    launch = {"call_id": "c", "tool": "assign_task", "arguments": "{}"}

    for t, agent, fact in (
        (0.0, main, e.StepBegan(step=1)),
        (1.0, main, e.ToolCalled(step=1, call=0, **launch)),
        (1.0, "a1", e.AgentBegan(name="w0", task="count", **sub)),
        (1.0, "a1", e.StepBegan(step=1)),
        (2.0, "a1", e.StepEnded(step=1, estimated=False, **done)),
        (2.0, "a1", e.AgentEnded(outcome="finished", text="1")),
        (3.0, main, e.StepEnded(step=1, estimated=False, **(done | {"finish": "tool_calls"}))),
        (3.0, main, e.ToolReturned(step=1, call=0, ok=True, text="1")),
        (3.0, main, e.AgentEnded(outcome="finished", text="1")),
    ):
        script.add(t, agent, fact)

    return script.end()


def test_a_sub_agent_waits_for_the_call_that_launched_it() -> None:
    """That call is a span when its turn is complete: a turn may be void in the end."""
    trace = early()
    ended = next(r.seq for r in trace if r.agent == "a1" and isinstance(r.fact, e.AgentEnded))
    run = Growing(trace)

    with Receiver() as receiver:
        sending = kn.export_live(run, endpoint=receiver.url)
        run.grow(ended + 1)
        until(lambda: got(receiver))
        assert {span["name"] for span in got(receiver)} == {"chat kimi-k3"}
        run.grow(len(trace))
        until(lambda: len(got(receiver)) > 1)
        run.done = True
        assert sending.wait()

    assert by_id(got(receiver)) == afterwards(trace)
    names = {span["spanId"]: span["name"] for span in got(receiver)}
    sub = next(span for span in got(receiver) if span["name"] == "invoke_agent w0")
    assert names[sub["parentSpanId"]] == "execute_tool assign_task"


def test_a_resumed_run_is_sent_whole_and_each_span_once(tmp_path: Path) -> None:
    """What the budget had ended goes on: it is sent as it is in the end."""
    log = tmp_path / "run.jsonl"
    first = kn.swarm("count", model=Scripted(team), trace=log, budget=kn.Budget(steps=4)).result()
    assert first.status == "over_budget"
    resumed = kn.resume(log, model=Scripted(team), budget=kn.Budget(steps=100)).result()
    assert resumed.status == "finished"
    run = Growing(resumed.trace)
    taken_up = next(r.seq for r in resumed.trace if isinstance(r.fact, e.RunResumed))

    with Receiver() as receiver:
        run.grow(taken_up + 1)
        sending = kn.export_live(run, endpoint=receiver.url)
        until(lambda: got(receiver))
        run.grow(len(resumed.trace))
        run.done = True
        assert sending.wait()

    assert by_id(got(receiver)) == afterwards(resumed)


def test_a_run_that_was_taken_up_and_killed_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "run.jsonl"
    kn.swarm("count", model=Scripted(team), trace=log, budget=kn.Budget(steps=4)).result()
    resumed = kn.resume(log, model=Scripted(team), budget=kn.Budget(steps=100)).result()
    taken_up = next(r.seq for r in resumed.trace if isinstance(r.fact, e.RunResumed))

    for number, status in ((taken_up, "over_budget"), (taken_up + 1, "running")):
        root = to_spans(resumed.trace[:number])[0]
        assert root.attributes is not None
        assert root.attributes["kimi_nb.status"] == status


def test_on_a_cluster_a_call_ends_with_its_worker() -> None:
    script = Script()
    main = script.orchestrator().id
    done = {"tokens_in": 9, "tokens_out": 1, "tokens_cached": 0, "estimated": False}

    for t, fact in (
        (0.0, e.AgentPlaced(where="tcp://one", number=1)),
        (1.0, e.StepBegan(step=1)),
        (3.0, e.AgentPlaced(where="tcp://two", number=2)),
        (5.0, e.StepBegan(step=1)),
        (6.0, e.StepEnded(step=1, finish="stop", **done)),
        (6.0, e.AgentEnded(outcome="finished", text="")),
    ):
        script.add(t, main, fact)

    _, agent, *chats = to_spans(script.end())
    times = [(c.end_time - c.start_time, c.attributes.get("error.type")) for c in chats]
    assert times == [(2 * 10**9, "interrupted"), (10**9, None)]
    assert agent.attributes["kimi_nb.worker"] == "tcp://two"


def test_a_run_that_has_ended_is_sent_too() -> None:
    script = Script()
    script.orchestrator().step(1.0).end()
    trace = script.end()

    with Receiver() as receiver:
        assert kn.export_live(kn.Replay(trace), endpoint=receiver.url).wait()

    assert by_id(got(receiver)) == afterwards(trace)


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port at which nobody listens, and which nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An endpoint at which nobody listens; the exporter does not try for long."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")

    with deaf() as port:
        yield f"http://127.0.0.1:{port}"


def test_a_collector_that_is_down_costs_the_run_nothing_and_is_told_once(nowhere: str) -> None:
    model = Held()

    with pytest.warns(RuntimeWarning) as told:  # noqa: PT031 -- threads warn, whenever
        run = kn.swarm("count", model=model)
        sending = kn.export_live(run, endpoint=nowhere)
        until(lambda: sending.lost)
        assert not run.done
        model.go.set()
        assert run.result().status == "finished"
        assert sending.wait()

    total = len(to_spans(run))
    assert (sending.sent, sending.lost) == (0, total)
    assert repr(sending) == f"0 spans sent to {nowhere}, {total} did not arrive"
    assert sending.fault
    first, last = (str(one.message) for one in told)
    assert first.startswith(f"spans do not arrive at {nowhere}, and the run goes on: ")
    assert last.startswith(f"{total} of {total} spans did not arrive at {nowhere}: ")
    assert f"`kimi-nb export {run.path} --otlp URL` sends them all, with the same ids" in last
    assert afterwards(run)


def test_who_is_slow_gets_all_of_it_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is short: what does not fit waits in the log, and nothing is dropped."""
    monkeypatch.setattr(live, "QUEUE", 8)
    monkeypatch.setattr(live, "BATCH", 4)
    monkeypatch.setattr(live, "LOOK_S", 0.01)
    script = Script()
    script.orchestrator().launch(*[3] * 20)
    trace = script.end()
    longest = 0
    made = live.Pen.draw

    with Receiver() as receiver:

        def draw(pen: Any, draft: Any) -> None:
            nonlocal longest
            made(pen, draft)
            longest = max(longest, sending._made - sending.sent)

        monkeypatch.setattr(live.Pen, "draw", draw)
        run = Growing(trace)
        sending = kn.export_live(run, endpoint=receiver.url)
        run.grow(len(trace))
        run.done = True
        assert sending.wait()

    assert by_id(got(receiver)) == afterwards(trace)
    assert 0 < longest <= 8
    assert len(receiver.requests) > len(trace) / 16


def test_a_log_that_cannot_be_read_is_said_too() -> None:
    run = kn.Replay(Trace([early()[0], *early()[2:]]))

    with Receiver() as receiver, pytest.warns(RuntimeWarning, match="has not begun"):
        assert kn.export_live(run, endpoint=receiver.url).wait()


SECRET = "sk-collector-0123456789abcdef"  # noqa: S105


def test_the_variables_hold_and_their_headers_are_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = early()

    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{SECRET}")
        sending = kn.export_live(kn.Replay(trace))
        assert sending.wait()
        assert [h["authorization"] for h in receiver.headers] == [f"Bearer {SECRET}"]

    assert by_id(got(receiver)) == afterwards(trace)
    assert sending.where == receiver.url
    assert SECRET not in hide(f"it said {SECRET}")
    assert SECRET not in repr(sending)


def test_a_password_in_the_endpoint_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    password = "hunter2-hunter2-hunter2"  # noqa: S105

    with deaf() as port, pytest.warns(RuntimeWarning) as told:  # noqa: PT031 -- a thread warns
        endpoint = f"http://me:{password}@127.0.0.1:{port}/v1/traces?token={password}"
        sending = kn.export_live(kn.Replay(early()), endpoint=endpoint)
        assert sending.wait()

    shown = f"{sending!r} {sending.where} {[str(one.message) for one in told]}"
    assert password not in shown
    assert sending.where == f"http://127.0.0.1:{port}"


def test_nothing_is_sent_unless_one_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        kn.swarm("count", model=Scripted(team)).result()
        assert receiver.paths == []


def test_what_cannot_be_done_is_said_before_anything_is_paid_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = kn.Replay(early())

    with pytest.raises(UsageFault, match="is no endpoint: type a URL, as http://localhost:4318"):
        check_otlp("museums")

    with monkeypatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "museums")

        with pytest.raises(UsageFault, match="OTEL_EXPORTER_OTLP_ENDPOINT holds no endpoint"):
            check_otlp(None)

    with pytest.raises(UsageFault, match="type endpoint='http://x'"):
        kn.export_live(run, "http://x")  # pyright: ignore[reportArgumentType]

    with monkeypatch.context() as patch:
        patch.setenv("OTEL_SDK_DISABLED", "true")

        with pytest.raises(UsageFault, match="unset OTEL_SDK_DISABLED"):
            kn.export_live(run, endpoint="http://localhost:1")

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[otel\]'"):
        check_otlp(None)


KERNEL = """
import sys
import kimi_nb as kn
from test_telemetry_otlp import Held
run = kn.swarm("count", model=Held(), trace=sys.argv[1])
kn.export_live(run, endpoint=sys.argv[2])
run.result()
"""


def test_a_killed_kernel_loses_what_was_open_and_the_log_has_it(tmp_path: Path) -> None:
    """What was sent live and what `export_spans` sends of the log later are one trace."""
    log = tmp_path / "run.jsonl"
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}

    with Receiver() as receiver:
        command = [sys.executable, "-c", KERNEL, str(log), receiver.url]

        with subprocess.Popen(command, env=env, cwd=tmp_path) as kernel:
            until(lambda: len(got(receiver)) == ALL - 3)  # what has ended while the last is held
            kernel.send_signal(signal.SIGKILL)

    sent = by_id(got(receiver))
    rest = afterwards(kn.read(log))
    assert sent.items() < rest.items()
    names = {span[2] for id, span in rest.items() if id not in sent}
    assert names == {"invoke_workflow kimi_nb", "invoke_agent orchestrator", "chat scripted"}


def test_the_command_line_sends_and_says_how_much(tmp_path: Path) -> None:
    with Receiver() as receiver:
        command = [sys.executable, "-m", "kimi_nb.cli", "run", "Say hello", "--model", "simulator"]
        more = ["--otlp", receiver.url, "--metrics-port", "0", "--trace", "run.jsonl"]
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, capture_output=True, text=True, check=True
        )

    expected = afterwards(kn.read(tmp_path / "run.jsonl"))
    assert by_id(got(receiver)) == expected
    assert f"otlp: {len(expected)} spans sent to {receiver.url}\n" in done.stderr
    assert "metrics for Prometheus at http://127.0.0.1:" in done.stderr


def test_the_magic_sends_and_refuses_before_it_starts() -> None:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "kimi_nb")

    try:
        with Receiver() as receiver:
            shell.run_cell_magic("swarm", f"shops --background --otlp {receiver.url}", "Say hello")
            run = shell.user_ns["shops"]
            run.result()
            until(lambda: any(s["name"].startswith("invoke_workflow") for s in got(receiver)))

        assert by_id(got(receiver)) == afterwards(run)
        known = set(runs())

        with pytest.raises(UsageFault, match="'museums' is no endpoint"):
            shell.run_cell_magic("swarm", "--otlp museums", "Say hello")

        assert set(runs()) == known
        shown = str(shell.run_line_magic("swarm", "metrics 0"))
        assert shown.startswith("metrics for Prometheus at http://127.0.0.1:")

        with pytest.raises(UsageError, match="which port"):
            shell.run_line_magic("swarm", "metrics here")
    finally:
        shell.run_line_magic("unload_ext", "kimi_nb")

        for server in [*_servers().values()]:
            server.close()
