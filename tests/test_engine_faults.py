"""Whatever a model, a tool or the disk does: one end, nobody left, nothing printed."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
from scripted import (
    Scripted,
    _no_complaints,  # noqa: F401
    call,
    calls,
    check_ended,
    is_orchestrator,
    results,
    say,
    tasks_left,
)

import kimi_nb as kn
from kimi_nb.errors import AccessDenied, BadRequest, QuotaExhausted, ServerFault, UsageFault
from kimi_nb.events import AgentBegan, AgentEnded, ToolCalled, ToolReturned
from kimi_nb.models.base import Message, Reply, ToolCall
from kimi_nb.swarm import attempt, orchestrate
from kimi_nb.swarm.runtime import runtime


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    return f"saw {n}"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "backoff", lambda *_: 0.0)


@pytest.fixture(autouse=True)
def _nothing_printed(capfd: pytest.CaptureFixture[str]) -> Any:
    yield
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def respond(messages: list[Message]) -> Reply | str:
    got = results(messages)

    if not is_orchestrator(messages):
        return f"did {messages[1]['content']}" if got else calls(call("look", n=1))

    if not got:
        return calls(call("create_subagent", name="w", system_prompt="Work."))

    if len(got) == 1:
        return calls(*(call("assign_task", agent="w", prompt=f"t{i}") for i in range(3)))

    return say(" | ".join(got[1:]))


def go(path: Path, model: Scripted, **options: Any) -> kn.Run:
    options = {"tools": [look], "trace": path / "run.jsonl"} | options
    return kn.swarm("go", model=model, **options)


def outcomes(run: kn.Replay) -> dict[str, str]:
    return {r.agent: r.fact.outcome for r in run.trace if isinstance(r.fact, AgentEnded)}


class Odd(Exception):
    """Not one that anybody knows."""


DEFECTS = [
    Odd("odd"),
    SystemExit(3),
    KeyboardInterrupt(),
    RecursionError("deep"),
    ExceptionGroup("several", [ValueError("one"), Odd("two")]),
    BaseExceptionGroup("several", [SystemExit(1)]),
    Odd("a lone \ud800 surrogate"),
    asyncio.CancelledError(),
    StopAsyncIteration(),
    MemoryError(),
]


@pytest.mark.parametrize("early_start", [True, False])
@pytest.mark.parametrize(
    "defect", DEFECTS, ids=[f"{type(e).__name__}{n}" for n, e in enumerate(DEFECTS)]
)
@pytest.mark.parametrize("when", ["orchestrator", "second turn", "after its calls", "sub-agent"])
def test_a_model_may_raise_anything(tmp_path, defect, when, early_start):
    class Broken(Scripted):
        async def reply(self, request: Any, sink: Any) -> Reply:
            messages = request.conversation.messages
            mine = is_orchestrator(messages)
            turn = sum(m["role"] == "assistant" for m in messages)

            if (when == "orchestrator" and mine) or (when == "second turn" and mine and turn == 1):
                raise defect

            reply = await super().reply(request, sink)

            if when == "after its calls" and mine and turn == 1:
                raise defect

            if when == "sub-agent" and messages[1]["content"] == "t1":
                raise defect

            return reply

    run = go(tmp_path, Broken(respond), early_start=early_start).result(50)
    check_ended(run)
    assert kn.read(tmp_path / "run.jsonl") == run.trace

    if when == "sub-agent":
        assert run.status == "finished"
        assert sorted(outcomes(run).values()) == ["failed", "finished", "finished", "finished"]
    else:
        assert run.status in {"failed", "partial"}
        assert outcomes(run)["a0"] == "failed"

    again = go(tmp_path, Scripted(respond), trace=tmp_path / "2.jsonl").result(50)
    assert again.status == "finished"  # the thread of all swarms lives on


@pytest.mark.parametrize(
    "defect", DEFECTS, ids=[f"{type(e).__name__}{n}" for n, e in enumerate(DEFECTS)]
)
@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another"])
def test_a_tool_may_raise_anything(tmp_path, defect, threaded, beside):
    def broken() -> str:
        raise defect

    async def broken_too() -> str:
        raise defect

    tool = kn.tool(broken if threaded else broken_too)

    def answer(messages: list[Message]) -> Reply | str:
        made = [call(tool.name), *([call("look", n=1)] if beside else [])]
        return say(results(messages)[0]) if results(messages) else calls(*made)

    run = go(tmp_path, Scripted(answer), single=True, tools=[look, tool]).result(50)
    check_ended(run)
    assert run.status == "finished"
    assert run.answer.startswith("ERROR: ")
    assert go(tmp_path, Scripted(respond), trace=tmp_path / "2.jsonl").result(50).answer


@pytest.mark.parametrize(
    "reply",
    [
        None,
        "text",
        calls(ToolCall(index=0, id="x", name=None, arguments="{}")),  # type: ignore[arg-type]
        calls(ToolCall(index=0, id="x", name="look", arguments=None)),  # type: ignore[arg-type]
        calls(ToolCall(index=0, id="x", name="assign_task", arguments="[" * 100_000)),
    ],
)
def test_a_model_may_return_anything(tmp_path, reply):
    class Broken(Scripted):
        async def reply(self, _request: Any, sink: Any) -> Any:
            for made in getattr(reply, "calls", ()):
                sink.on_call(made)

            return reply

    run = go(tmp_path, Broken(respond)).result(50)
    check_ended(run)
    assert run.status == "failed"
    assert kn.read(tmp_path / "run.jsonl") == run.trace


def test_text_that_is_no_unicode_is_mended_not_fatal(tmp_path):
    bad = "lone \ud800 surrogate"

    def answer(messages: list[Message]) -> Reply | str:
        if not is_orchestrator(messages):
            return say(bad)

        if not results(messages):
            made = call("create_subagent", name="w", system_prompt="Work.")
            odd = ToolCall(index=0, id=bad, name="look" + bad, arguments='{"n": "' + bad + '"}')
            own = ToolCall(index=0, id="o", name="assign_task", arguments=odd.arguments)
            return calls(made, odd, own, call("assign_task", agent="w", prompt="t"), thinking=bad)

        return say(bad)

    run = go(tmp_path, Scripted(answer)).result(50)
    check_ended(run)
    assert run.status == "finished"
    assert run.answer == "lone � surrogate"
    assert kn.read(tmp_path / "run.jsonl") == run.trace


def test_a_goal_or_a_plan_that_is_no_unicode(tmp_path):
    run = kn.swarm("go \ud800", model=Scripted(lambda _m: "ok"), trace=tmp_path / "1.jsonl")
    assert run.result(50).status == "finished"
    plan = [{"a \udcff": "do \udcff"}]
    run = kn.swarm("", plan=plan, model=Scripted(lambda _m: "ok"), trace=tmp_path / "2.jsonl")
    assert run.result(50).answer == "ok"
    check_ended(run)


@pytest.mark.skipif(sys.platform == "darwin", reason="refuses such names itself")
def test_a_folder_whose_name_is_no_unicode_is_refused_in_a_sentence(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()

    with pytest.raises(UsageFault, match="not valid UTF-8"):
        kn.swarm("go", model=Scripted(respond), folder=folder, trace=tmp_path / "1.jsonl")


# A turn that is not as agreed


class Echoing(Scripted):
    """What the sink hears and what comes back in the end are given apart."""

    def __init__(self, answer: Any, heard: Any) -> None:
        super().__init__(answer)
        self._heard = heard
        self.times = 0

    async def reply(self, request: Any, sink: Any) -> Reply:
        reply = await super().reply(request, _Deaf())
        self.times += 1

        for made in self._heard(reply, self.times):
            sink.on_call(made)

        await asyncio.sleep(0.005)
        return reply


class _Deaf:
    def on_text(self, text: str) -> None: ...
    def on_thinking(self, text: str) -> None: ...
    def on_call(self, call: ToolCall) -> None: ...


def test_a_call_that_the_turn_takes_back_voids_the_attempt(tmp_path):
    extra = ToolCall(
        index=3, id="x", name="assign_task", arguments='{"agent": "w", "prompt": "never"}'
    )

    def heard(reply: Reply, times: int) -> list[ToolCall]:
        return [*reply.calls, extra] if len(reply.calls) == 3 and times == 2 else [*reply.calls]

    run = go(tmp_path, Echoing(respond, heard)).result(50)
    check_ended(run)
    assert run.status == "finished"
    assert run.answer == "did t0 | did t1 | did t2"
    assert run.metrics.retries == 1
    tasks = {r.agent: r.fact.task for r in run.trace if isinstance(r.fact, AgentBegan)}
    assert [outcomes(run)[agent] for agent, task in tasks.items() if task == "never"] in (
        ["cancelled"],
        ["finished"],
    )


def test_a_call_that_changed_is_in_the_log_as_it_was_sent_back(tmp_path):
    def heard(reply: Reply, _times: int) -> list[ToolCall]:
        if len(reply.calls) < 3:
            return [*reply.calls]

        first = reply.calls[0]
        other = orjson.dumps({"agent": "w", "prompt": "other"}).decode()
        return [ToolCall(index=0, id="e", name=first.name, arguments=other), *reply.calls[1:]]

    model = Echoing(respond, heard)
    run = go(tmp_path, model).result(50)
    check_ended(run)
    assert "the call changed after it had begun" in run.answer
    lines = (tmp_path / "run.jsonl").read_bytes().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if b'"step":2,"finish"' in line) + 1
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"".join(lines[:cut]))
    again = Scripted(respond)
    resumed = kn.resume(path, model=again, tools=[look])
    assert isinstance(resumed, kn.Run)
    check_ended(resumed.result(50))
    sent = next(m for m in again.seen if is_orchestrator(m))[4]["tool_calls"]
    was = [m for m in model.seen if is_orchestrator(m)][-1][4]["tool_calls"]
    assert sent == was


def test_calls_that_are_all_counted_as_the_first(tmp_path):
    """A hand-written model that never counts its calls, nor tells their ids apart."""

    def uncounted(messages: list[Message]) -> Reply | str:
        reply = respond(messages)

        if isinstance(reply, str):
            return reply

        return Reply(
            text=reply.text,
            thinking="hm",
            thinking_key="",
            calls=tuple(
                ToolCall(index=0, id=("", "c")[n % 2], name=c.name, arguments=c.arguments)
                for n, c in enumerate(reply.calls)
            ),
            finish=reply.finish,
            usage=reply.usage,
        )

    run = go(tmp_path, Scripted(uncounted)).result(50)
    check_ended(run)
    assert run.status == "finished"
    assert run.answer == "did t0 | did t1 | did t2"


@pytest.mark.parametrize("arguments", ["", "{", '"text"', "[1]", "null", "{\u0000}", "🙂"])
@pytest.mark.parametrize("tool", ["look", "assign_task", "no_such_tool"])
def test_arguments_that_are_no_object_go_back_as_one(tmp_path, arguments, tool):
    """vLLM answers 400 to a history whose arguments it cannot parse, for ever."""

    def answer(messages: list[Message]) -> Reply | str:
        if results(messages):
            return say(results(messages)[0])

        return calls(ToolCall(index=0, id="c", name=tool, arguments=arguments))

    model = Scripted(answer)  # it complains if they are none
    run = go(tmp_path, model).result(50)
    check_ended(run)
    assert run.answer.startswith("ERROR")
    sent = model.seen[1][2]["tool_calls"][0]["function"]["arguments"]
    assert orjson.loads(sent) == ({"not_a_json_object": arguments} if arguments.strip() else {})
    logged = [r.fact.arguments for r in run.trace if isinstance(r.fact, ToolCalled)]
    assert logged[-1] == arguments  # the log has it as it was


def test_blank_texts_are_never_sent(tmp_path):
    def answer(messages: list[Message]) -> Reply | str:
        if not is_orchestrator(messages):
            return " \n" if len(messages) < 4 else "done"

        match len(results(messages)):
            case 0:
                return calls(call("create_subagent", name="w", system_prompt=" "), text=" ")
            case 1:
                return calls(
                    call("assign_task", agent="w", prompt=" \n"),
                    call("map_task", agent="w", template="{{item}}", items=["a", ""]),
                    call("create_subagent", name=" ", system_prompt="x"),
                    call("blank"),
                    call("assign_task", agent="w", prompt="t"),
                )
            case _:
                return say(" | ".join(results(messages)[1:]))

    @kn.tool
    async def blank() -> str:
        "Say nothing."
        return " \n"

    run = go(tmp_path, Scripted(answer), tools=[blank]).result(50)
    check_ended(run)
    assert run.status == "finished"
    assert run.answer.count("the task is empty") == 2
    assert run.answer.count("the name is empty") == 1
    assert run.answer.endswith("(nothing) | done")


# Many at once


def test_all_fail_and_the_orchestrator_answers(tmp_path):
    def answer(messages: list[Message]) -> Reply | BaseException | str:
        return respond(messages) if is_orchestrator(messages) else BadRequest("refused")

    run = go(tmp_path, Scripted(answer)).result(50)
    check_ended(run)
    assert run.status == "finished"
    assert run.metrics.failed_agents == 3
    assert repr(run).count("refused") >= 1


@pytest.mark.parametrize(
    "fault", [AccessDenied("wrong key"), QuotaExhausted("no money left")], ids=["key", "quota"]
)
@pytest.mark.parametrize("early_start", [True, False])
def test_what_ends_all_hope_is_said_once(tmp_path, fault, early_start):
    def answer(messages: list[Message]) -> Reply | BaseException | str:
        if not is_orchestrator(messages):
            return fault

        if not results(messages):
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        items = [str(n) for n in range(100)]
        return calls(call("map_task", agent="w", template="{{item}}", items=items))

    run = go(tmp_path, Scripted(answer), max_agents=100, early_start=early_start).result(50)
    check_ended(run)
    assert (run.status, run.why) == ("failed", str(fault))


def test_a_plan_of_which_all_fails_says_so_in_a_sentence(tmp_path):
    plan = [{f"task {n}": f"do {n}"} for n in range(20)]
    run = go(tmp_path, Scripted(lambda _m: BadRequest("no " * 200)), plan=plan).result(50)
    check_ended(run)
    assert run.status == "failed"
    assert run.why.startswith("20 of 20 tasks failed, such as task 0: ERROR: no no")
    assert len(run.why) < 1000


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("- a:\n", "task 'a' of the plan has no prompt"),
        ("- a: '  '\n", "task 'a' of the plan has no prompt"),
        ([{"name": "a", "prompt": None}], "task 'a' of the plan has no prompt"),
        ([{str(n): "x"} for n in range(21)], "21 tasks, but max_agents is 20; .*--agents 21"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(tmp_path, plan, message):
    with pytest.raises(UsageFault, match=message):
        go(tmp_path, Scripted(respond), plan=plan)

    assert not (tmp_path / "run.jsonl").exists()


def test_a_plan_of_one_task(tmp_path):
    run = go(tmp_path, Scripted(respond), plan="- the only one: t9\n").result(50)
    check_ended(run)
    assert (run.status, run.answer) == ("finished", "did t9")


# The disk


@pytest.mark.filterwarnings("default:.*could not be written any further:RuntimeWarning")
@pytest.mark.parametrize("broken", ["write", "fsync", "ftruncate and write"])
@pytest.mark.usefixtures("recwarn")
def test_a_disk_that_fails_does_not_end_the_run_and_the_end_says_so(tmp_path, monkeypatch, broken):
    count = 0
    write = os.write

    def failing(fd: int, data: bytes) -> int:
        nonlocal count
        count += threading.current_thread().name == "kimi_nb"

        if count > 10:
            raise OSError(errno.ENOSPC, "No space left on device")

        return write(fd, data)

    def refuse(*_: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise OSError(errno.EIO, "Input/output error")

    if "write" in broken:
        monkeypatch.setattr(os, "write", failing)

    if "ftruncate" in broken:
        monkeypatch.setattr(os, "ftruncate", refuse)

    if broken == "fsync":
        monkeypatch.setattr(os, "fsync", refuse)

    run = go(tmp_path, Scripted(respond)).result(50)
    check_ended_with_fault(run)
    assert run.answer == "did t0 | did t1 | did t2"
    assert "could not be written any further" in run.why


def check_ended_with_fault(run: kn.Run) -> None:
    assert run.status == "finished"
    assert set(outcomes(run).values()) == {"finished"}


def test_a_tool_or_a_model_that_fails_to_close_has_no_say_in_the_run(tmp_path):
    async def closing() -> None:
        message = "stuck"
        raise Odd(message)

    tool = kn.Tool(
        name="closer", description="x", parameters={}, function=lambda: "x", close=closing
    )
    run = go(tmp_path, Scripted(respond), tools=[look, tool]).result(50)
    check_ended(run)
    assert run.status == "finished"


def test_a_tool_that_ignores_its_cancellation_does_not_keep_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(orchestrate, "GRACE", 0.05)
    monkeypatch.setattr(orchestrate, "LOOK", 0.02)
    entered, released = threading.Event(), asyncio.Event()

    @kn.tool
    async def deaf() -> str:
        "Never stop."
        entered.set()

        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

        return "at last"

    def answer(messages: list[Message]) -> Reply | str:
        return respond(messages) if is_orchestrator(messages) else calls(call("deaf"))

    model = Scripted(answer)
    run = go(tmp_path, model, tools=[deaf])
    assert entered.wait(50)
    run.cancel()
    run.result(50)
    ended = len(run.trace)
    assert run.status == "cancelled"
    assert set(outcomes(run).values()) == {"cancelled"}
    sent = len(model.seen)
    runtime().loop.call_soon_threadsafe(released.set)

    while tasks_left():
        pass

    check_ended(run)
    assert len(run.trace) == ended
    assert len(model.seen) == sent
    assert kn.read(tmp_path / "run.jsonl") == run.trace


def test_a_stop_answers_every_call_that_is_open(tmp_path):
    entered = threading.Event()

    @kn.tool(side_effects=True)
    async def act(n: int) -> str:
        "Act."
        assert n
        entered.set()
        await asyncio.sleep(3600)
        return "done"

    def answer(_messages: list[Message]) -> Reply | str:
        return calls(call("act", n=1), call("act", n=2), call("look", n=1))

    run = go(tmp_path, Scripted(answer), tools=[look, act], single=True)
    assert entered.wait(50)
    run.cancel()
    run.result(50)
    check_ended(run)
    returned = [
        (r.fact.call, r.fact.interrupted) for r in run.trace if isinstance(r.fact, ToolReturned)
    ]
    assert sorted(returned) == [(0, True), (1, True), (2, True)]


def test_an_orchestrator_that_breaks_for_good_after_an_early_start(tmp_path):
    class Breaking(Scripted):
        async def reply(self, request: Any, sink: Any) -> Reply:
            reply = await super().reply(request, sink)

            if len(reply.calls) == 3:
                raise ServerFault("the stream broke")

            return reply

    run = go(tmp_path, Breaking(respond)).result(50)
    check_ended(run)
    assert run.status in {"failed", "partial"}
    assert run.why == "the stream broke"
    assert len(outcomes(run)) == 4  # taken over by each repetition, never begun anew
