"""A run, or one of its agents, stopped at every record that it writes: nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted import (
    Held,
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
from kimi_nb.errors import ServerFault, UsageFault
from kimi_nb.events import AgentBegan, AgentEnded, RunEnded, StepBegan
from kimi_nb.models.base import Message, Reply
from kimi_nb.swarm import attempt, start
from kimi_nb.swarm.engine import Engine, Stop
from kimi_nb.swarm.handle import Interrupted
from kimi_nb.trace import Log, Record


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    await asyncio.sleep(0)
    return f"saw {n}"


@kn.tool
def stare(n: int) -> str:
    "Look at something for longer, in a thread."
    return f"stared at {n}"


def respond(messages: list[Message]) -> Reply | str:
    """Ordinary tools beside assigned and mapped tasks; two steps for each sub-agent."""
    got = results(messages)

    if not is_orchestrator(messages):
        task = messages[1]["content"]
        return f"{task}: {got}" if got else calls(call("look", n=1), call("stare", n=2))

    if not got:
        return calls(
            call("create_subagent", name="w", system_prompt="Work."),
            call("look", n=0),
            call("assign_task", agent="w", prompt="a"),
            call("map_task", agent="w", template="{{item}}!", items=["b", "c"]),
        )

    if len(got) == 4:
        return calls(call("assign_task", agent="w", prompt="d"), thinking="on")

    return say("; ".join(got))


class Flaky(Scripted):
    """The first attempt at every second request breaks."""

    async def reply(self, request: Any, sink: Any) -> Reply:
        reply = await super().reply(request, sink)

        if request.seed == 0 and len(self.seen) % 2:
            raise ServerFault("the stream broke")

        return reply


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "backoff", lambda *_: 0.0)


class Trap:
    """Does something to the engine at a record, on the loop, right where it is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[Engine, Record], None]):
        self.sprung = False
        engines: dict[int, Engine] = {}
        add = Log.add

        def made(**given: Any) -> Engine:
            engine = engines[id(given["log"])] = Engine(**given)
            return engine

        def added(log: Log, agent: str, *facts: Any) -> Record:
            record = add(log, agent, *facts)

            if id(log) in engines:
                act(engines[id(log)], record)

            return record

        monkeypatch.setattr(start, "Engine", made)
        monkeypatch.setattr(Log, "add", added)


def go(path: Path, model: Scripted, **options: Any) -> kn.Run:
    options = {"max_agents": 50, "tools": [look, stare], "trace": path} | options
    return kn.swarm("go", model=model, **options)


@pytest.mark.parametrize("later", [False, True], ids=["at once", "in the next turn of the loop"])
@pytest.mark.parametrize("early_start", [True, False])
def test_a_run_stopped_at_any_record_ends_clean_and_goes_on(
    tmp_path, monkeypatch, later, early_start
):
    whole = go(tmp_path / "whole.jsonl", Scripted(respond), early_start=early_start).result()
    check_ended(whole)

    for count in range(1, len(whole.trace)):

        def stop(engine: Engine, record: Record, count: int = count) -> None:
            if record.seq >= count and not isinstance(record.fact, RunEnded):
                if later:
                    asyncio.get_running_loop().call_soon(engine.stop, Stop("cancelled", "test"))
                else:
                    engine.stop(Stop("cancelled", "test"))

        with monkeypatch.context() as patch:
            Trap(patch, stop)
            model = Flaky(respond)
            path = tmp_path / f"{count}.jsonl"
            run = go(path, model, early_start=early_start).result(50)
            check_ended(run)
            sent = len(model.seen)

        assert len(model.seen) == sent

        if run.status == "cancelled":
            resumed = kn.resume(path, model=Scripted(respond), tools=[look, stare])
            assert isinstance(resumed, kn.Run)
            resumed.result(50)
            check_ended(resumed)
            assert resumed.status == "finished"
            assert sorted(resumed.answer) == sorted(whole.answer)
            assert resumed.metrics.total_steps == whole.metrics.total_steps


def test_a_sub_agent_stopped_at_any_of_its_records_leaves_the_others(tmp_path, monkeypatch):
    for count, later, model_of in itertools.product(range(12), (False, True), (Scripted, Flaky)):
        mine: list[Record] = []

        def cancel(
            engine: Engine,
            record: Record,
            mine: list[Record] = mine,
            count: int = count,
            later: int = later,
        ) -> None:
            if record.agent != "a2":
                return

            mine.append(record)

            if len(mine) == count + 1 and not isinstance(record.fact, AgentEnded):
                loop = asyncio.get_running_loop()
                (loop.call_soon if later else lambda f, *a: f(*a))(engine.cancel_agent, "a2")
                loop.call_soon(engine.cancel_agent, "a2")  # and once more

        with monkeypatch.context() as patch:
            Trap(patch, cancel)
            run = go(tmp_path / f"{count}-{later}-{model_of.__name__}.jsonl", model_of(respond))
            run.result(50)

        check_ended(run)
        assert run.status == "finished", (count, later, run.why)
        outcomes = {r.agent: r.fact.outcome for r in run.trace if isinstance(r.fact, AgentEnded)}
        assert outcomes.pop("a2") in {"cancelled", "finished"}
        assert set(outcomes.values()) == {"finished"}


def test_cancelled_before_it_could_begin(tmp_path):
    for number in range(20):
        model = Scripted(respond)
        run = go(tmp_path / f"{number}.jsonl", model)
        run.cancel()
        run.cancel()
        run.result(50)
        check_ended(run)
        run.cancel()  # after the end: nothing
        assert run.status in {"cancelled", "finished"}


def test_cancel_while_it_ends_from_another_thread(tmp_path):
    for number in range(20):
        run = go(tmp_path / f"{number}.jsonl", Scripted(respond))
        thread = threading.Thread(target=lambda run=run: [run.cancel() for _ in range(200)])
        thread.start()
        run.result(50)
        thread.join()
        check_ended(run)


async def test_whoever_stops_a_run_that_has_just_finished_is_not_told_to_resume_it(
    tmp_path, monkeypatch
):
    model = Held(lambda _messages: "ok", after=0)
    run = kn.swarm("go", model=model, single=True, trace=tmp_path / "run.jsonl")
    cancel = run.cancel

    def too_late() -> None:
        model.let_go()

        while not run.done:
            time.sleep(0.001)

        cancel()

    monkeypatch.setattr(run, "cancel", too_late)
    waiting = asyncio.create_task(run.wait())
    await asyncio.sleep(0)  # until it waits
    waiting.cancel()

    with pytest.raises(Interrupted, match=r"^the swarm had finished before .* its answer$"):
        await waiting

    check_ended(run)
    assert run.answer == "ok"


def test_a_plan_whose_task_is_cancelled_before_it_began_goes_on(tmp_path, monkeypatch):
    def cancel(engine: Engine, record: Record) -> None:
        if isinstance(record.fact, AgentBegan) and record.agent == "a1":
            asyncio.get_running_loop().call_soon(engine.cancel_agent, "a1")

    plan = [{"a": "x"}, {"b b": "y"}, {"c": "z", "after": ["a"]}]

    with monkeypatch.context() as patch:
        Trap(patch, cancel)
        run = kn.swarm(
            "", plan=plan, model=Scripted(lambda _m: "fine"), trace=tmp_path / "p.jsonl"
        ).result(50)

    check_ended(run)
    assert run.status == "partial"
    assert run.answer == "### b b\n\nfine"
    assert "a: ERROR: this sub-agent was cancelled by the user" in run.why


def test_a_plan_stopped_at_any_record_goes_on(tmp_path, monkeypatch):
    plan = [{"a": "x"}, {"b b": "y"}, {"c": "z", "after": ["a", "b b"]}, {"d": "w", "after": ["a"]}]
    whole = kn.swarm("", plan=plan, model=Scripted(planned), trace=tmp_path / "w.jsonl").result(50)

    for count in range(1, len(whole.trace)):

        def stop(engine: Engine, record: Record, count: int = count) -> None:
            if record.seq == count:
                asyncio.get_running_loop().call_soon(engine.stop, Stop("cancelled", "test"))

        with monkeypatch.context() as patch:
            Trap(patch, stop)
            path = tmp_path / f"{count}.jsonl"
            run = kn.swarm("", plan=plan, model=Scripted(planned), trace=path, max_agents=4)
            check_ended(run.result(50))

        if run.status == "cancelled":
            again = kn.resume(path, model=Scripted(planned))
            assert isinstance(again, kn.Run)
            check_ended(again.result(50))
            assert (again.status, again.answer) == ("finished", whole.answer)
            assert again.metrics.total_steps == 4


def planned(messages: list[Message]) -> str:
    return messages[1]["content"].upper()


@pytest.mark.parametrize("who", ["orchestrator", "sub-agent"])
def test_a_model_that_is_cancelled_from_inside_is_a_failure_not_a_cancel(tmp_path, who):
    def broken(messages: list[Message]) -> Reply | BaseException | str:
        if is_orchestrator(messages) == (who == "orchestrator"):
            return asyncio.CancelledError()

        return respond(messages)

    run = go(tmp_path / "run.jsonl", Scripted(broken)).result(50)
    check_ended(run)
    assert run.status == ("failed" if who == "orchestrator" else "finished")


def test_whoever_swallows_the_cancel_makes_no_further_call(tmp_path):
    entered = threading.Event()

    @kn.tool
    async def stubborn() -> str:
        "Take no for an answer."
        entered.set()

        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)

        return "went on"

    def answer(_messages: list[Message]) -> Reply | str:
        return calls(call("stubborn"))

    for options in ({"single": True}, {"plan": "- a: x"}):
        entered.clear()
        model = Scripted(answer)
        path = tmp_path / f"{len(options['plan']) if 'plan' in options else 0}.jsonl"
        run = kn.swarm("go", model=model, tools=[stubborn], trace=path, **options)
        assert entered.wait(50)
        run.cancel()
        run.result(50)
        check_ended(run)
        assert run.status == "cancelled"
        assert len(model.seen) == 1


def test_cancelling_an_agent_that_has_ended_is_misuse(tmp_path):
    gate = threading.Event()

    @kn.tool
    def hold() -> str:
        "Wait."
        gate.wait(50)
        return "ok"

    def answer(messages: list[Message]) -> Reply | str:
        if is_orchestrator(messages):
            return respond(messages)

        if messages[1]["content"] == "a":
            return "done"

        return "held" if results(messages) else calls(call("hold"))

    run = go(tmp_path / "run.jsonl", Scripted(answer), tools=[look, hold])

    while not any(isinstance(r.fact, AgentEnded) and r.agent == "a1" for r in run.trace):
        gate.wait(0.005)

    with pytest.raises(UsageFault, match="no sub-agent 'a1' is running; running: a2, a3"):
        run.cancel("a1")

    gate.set()
    run.result(50)
    check_ended(run)
    assert tasks_left() == []


class Waiting(Scripted):
    """Holds every call of a sub-agent until it is let go, or cancelled."""

    def __init__(self, wait: Callable[[int], Any]) -> None:
        super().__init__(hundred)
        self._wait = wait

    async def reply(self, request: Any, sink: Any) -> Reply:
        if not is_orchestrator(request.conversation.messages):
            await self._wait(request.seed)

        return await super().reply(request, sink)


def hundred(messages: list[Message]) -> Reply | str:
    if not is_orchestrator(messages):
        return "stared" if results(messages) else calls(call("block"))

    if results(messages):
        return "joined"

    items = [str(n) for n in range(100)]
    return calls(
        call("create_subagent", name="w", system_prompt="Work."),
        call("map_task", agent="w", template="{{item}}", items=items),
    )


async def for_ever(_seed: int) -> None:
    await asyncio.sleep(3600)


async def at_once(_seed: int) -> None:
    return


async def refused(_seed: int) -> None:
    message = "busy"
    raise ServerFault(message)


WAITS: dict[str, dict[str, Any]] = {
    "in a call": {"wait": for_ever},
    "for the limiter": {"wait": for_ever, "limits": kn.Limits(concurrency=3)},
    "for the budget": {"wait": for_ever, "budget": kn.Budget(tokens=40_000)},
    "in a retry": {"wait": refused, "pause": 3600.0},
    "in a thread": {"wait": at_once},
}


@pytest.mark.parametrize("one", [True, False], ids=["one agent", "the run"])
@pytest.mark.parametrize("where", WAITS)
def test_a_hundred_agents_that_wait_are_cancelled_at_once(tmp_path, monkeypatch, where, one):
    gate = threading.Event()

    @kn.tool
    def block() -> str:
        "Wait in a thread."
        gate.wait(50)
        return "waited"

    options = dict(WAITS[where])
    wait, pause = options.pop("wait"), options.pop("pause", 0.0)
    monkeypatch.setattr(attempt, "backoff", lambda *_: pause)
    path = tmp_path / "run.jsonl"
    model = Waiting(wait)
    model.name = f"waiting {where} {one}"  # a limiter of its own
    run = go(path, model, tools=[block], max_agents=100, max_tokens=4_000, **options)

    while sum(isinstance(r.fact, StepBegan) and r.agent != "a0" for r in run.trace) < 100:
        time.sleep(0.001)

    if where == "in a thread":
        while run.metrics.total_steps < 101:
            time.sleep(0.001)

    if one:
        for agent in ("a100", "a1"):  # one that waits in line, one that is out
            run.cancel(agent)

            with contextlib.suppress(kn.UsageFault):  # it may have ended by now
                run.cancel(agent)

        while not {"a1", "a100"} <= ended(run).keys():
            time.sleep(0.001)

        assert ended(run) == {"a1": "cancelled", "a100": "cancelled"}

    run.cancel()
    run.result(50)
    gate.set()
    check_ended(run)
    assert run.status == "cancelled"
    assert len(ended(run)) == 101
    assert all(future.done() for future in run._engine.account._waiting)


def ended(run: kn.Run) -> dict[str, str]:
    return {r.agent: r.fact.outcome for r in run.trace if isinstance(r.fact, AgentEnded)}
