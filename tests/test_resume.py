"""A run that was killed goes on in its own log and pays for no completed call again."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from scripted import (
    Held,
    Scripted,
    _no_complaints,  # noqa: F401
    call,
    calls,
    is_orchestrator,
    results,
    say,
)

import kimi_nb as kn
from kimi_nb.errors import AccessDenied, TraceError, TraceLocked, TraceMismatch
from kimi_nb.events import AgentBegan, AgentEnded, StepEnded
from kimi_nb.models.base import Message, Reply
from kimi_nb.swarm import asked
from kimi_nb.swarm.asked import new_path


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    return f"saw {n}"


def respond(messages: list[Message]) -> Reply | str:
    """Two stages of four sub-agents with three steps each."""
    got = results(messages)

    if not is_orchestrator(messages):
        task = messages[1]["content"]
        return f"{task}: {'+'.join(got)}" if len(got) == 2 else calls(call("look", n=len(got)))

    if not got:
        return calls(call("create_subagent", name="w", system_prompt="Work."))

    if len(got) in {1, 5}:
        return calls(
            *(call("assign_task", agent="w", prompt=f"t{len(got)}.{i}") for i in range(4)),
            thinking="spread",
        )

    return say("; ".join(got[1:]))


def whole_run(path: Path) -> tuple[kn.Run, int]:
    model = Scripted(respond)
    run = kn.swarm("go", model=model, tools=[look], trace=path).result()
    return run, len(model.seen)


def state(run: kn.Replay) -> Any:
    """All that counts at the end, without ids of calls, times and the order of siblings."""
    ends = {
        r.agent: (r.fact.outcome, r.fact.text) for r in run.trace if isinstance(r.fact, AgentEnded)
    }
    tasks = {r.agent: r.fact.task for r in run.trace if isinstance(r.fact, AgentBegan)}
    found = run.metrics
    return (
        run.status,
        run.answer,
        sorted((tasks[agent], *end) for agent, end in ends.items()),
        found.total_steps,
        found.critical_steps,
        found.tool_calls,
        found.tokens_in,
        found.tokens_out,
    )


def test_from_every_record_of_a_run_it_resumes_to_the_same_end_without_paying_twice(tmp_path):
    full, paid = whole_run(tmp_path / "full.jsonl")
    assert full.status == "finished"
    lines = (tmp_path / "full.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "cut.jsonl"

    for count in range(2, len(lines) + 1):
        path.write_bytes(b"".join(lines[:count]))
        done = sum(isinstance(r.fact, StepEnded) for r in kn.read(path))
        model = Scripted(respond)
        run = kn.resume(path, model=model, tools=[look])

        if isinstance(run, kn.Run):
            run.result()

        assert len(model.seen) == paid - done, f"after {count} lines"
        assert state(run) == state(full), f"after {count} lines"
        assert kn.read(path) == run.trace


def test_twins_with_one_task_each_keep_the_report_that_they_brought(tmp_path):
    """The log says which call was answered; the other one's sub-agent is still there for it."""
    numbers = itertools.count()

    def twins(messages: list[Message]) -> Reply | str:
        got = results(messages)

        if not is_orchestrator(messages):
            return say(f"report {next(numbers)}")

        if not got:
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        if len(got) == 1:
            return calls(*(call("assign_task", agent="w", prompt="same") for _ in range(2)))

        return say("; ".join(got[1:]))

    path = tmp_path / "run.jsonl"
    whole = kn.swarm("go", model=Scripted(twins), trace=path).result()
    assert whole.answer == "report 0; report 1"

    for cut in range(1, len(whole.trace)):
        part = whole.trace[:cut].save(tmp_path / f"cut{cut}.jsonl")
        ended = {r.agent: r.fact.text for r in whole.trace[:cut] if isinstance(r.fact, AgentEnded)}
        run = kn.resume(part, model=Scripted(twins))
        run = run.result() if isinstance(run, kn.Run) else run
        first, second = run.answer.split("; ")
        assert first != second
        assert set(ended.values()) <= {first, second, run.answer}


def test_a_finished_run_is_only_read(tmp_path):
    full, _ = whole_run(tmp_path / "run.jsonl")
    size = (tmp_path / "run.jsonl").stat().st_size
    again = kn.resume(tmp_path / "run.jsonl", tools=[look])
    assert not isinstance(again, kn.Run)
    assert again.answer == full.answer
    assert (tmp_path / "run.jsonl").stat().st_size == size


def test_after_a_wrong_key_the_run_goes_on_with_a_right_one(tmp_path):
    paid = 0

    def locked_out(messages: list[Message]) -> Reply | Exception | str:
        nonlocal paid
        paid += 1
        return AccessDenied("wrong key") if paid > 8 else respond(messages)

    path = tmp_path / "run.jsonl"
    run = kn.swarm("go", model=Scripted(locked_out), tools=[look], trace=path).result()
    assert run.status in {"failed", "partial"}
    model = Scripted(respond)
    resumed = kn.resume(path, model=model, tools=[look])
    assert isinstance(resumed, kn.Run)
    full, all_paid = whole_run(tmp_path / "full.jsonl")
    assert resumed.result().status == "finished"
    assert resumed.answer == full.answer
    assert len(model.seen) == all_paid - 8


def test_after_over_budget_it_goes_on_with_more(tmp_path):
    path = tmp_path / "run.jsonl"
    model = Scripted(respond)
    run = kn.swarm("go", model=model, tools=[look], trace=path, budget=kn.Budget(steps=10)).result()
    assert run.status == "over_budget"
    again = Scripted(respond)
    resumed = kn.resume(path, model=again, tools=[look], budget=kn.Budget(steps=100))
    assert isinstance(resumed, kn.Run)
    assert resumed.result().status == "finished"
    assert len(again.seen) + 10 == whole_run(tmp_path / "full.jsonl")[1]


def test_a_cancelled_run_goes_on(tmp_path):
    path = tmp_path / "run.jsonl"
    run = kn.swarm("go", model=Held(respond, after=8), tools=[look], trace=path)

    while run.fold.steps < 8:
        time.sleep(0.001)

    run.cancel()
    assert run.result().status == "cancelled"
    done = run.metrics.total_steps
    assert done == 8
    again = Scripted(respond)
    resumed = kn.resume(path, model=again, tools=[look])
    assert isinstance(resumed, kn.Run)
    full, paid = whole_run(tmp_path / "full.jsonl")
    assert resumed.result().answer == full.answer
    assert len(again.seen) == paid - done


def test_a_tool_with_side_effects_is_never_silently_repeated(tmp_path):
    effects: list[str] = []

    @kn.tool(side_effects=True)
    async def send(text: str) -> str:
        "Send a letter."
        effects.append(text)
        return "sent"

    def writer(messages: list[Message]) -> Reply | str:
        return say(results(messages)[0]) if results(messages) else calls(call("send", text="x"))

    path = tmp_path / "run.jsonl"
    kn.swarm("go", model=Scripted(writer), tools=[send], single=True, trace=path).result()
    lines = path.read_bytes().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if b"ToolReturned" in line)
    path.write_bytes(b"".join(lines[:cut]))  # killed after the effect, before the record
    resumed = kn.resume(path, model=Scripted(writer), tools=[send])
    assert isinstance(resumed, kn.Run)
    assert "whether it took effect is unknown" in resumed.result().answer
    assert effects == ["x"]


def test_a_slow_disk_holds_up_no_other_agent(tmp_path, monkeypatch):
    syncing, looked = threading.Event(), threading.Event()
    waited: list[bool] = []
    real = os.fsync

    def slow(fd: int) -> None:
        if not waited:  # the first, before the letter goes out
            syncing.set()
            waited.append(looked.wait(30))

        real(fd)

    monkeypatch.setattr(os, "fsync", slow)

    @kn.tool(side_effects=True)
    async def send(text: str) -> str:
        "Send a letter."
        return f"sent {text}"

    @kn.tool
    async def peep() -> str:
        "Look at something."
        await asyncio.to_thread(syncing.wait, 30)
        looked.set()
        return "seen"

    def answer(messages: list[Message]) -> Reply | str:
        if got := results(messages):
            return say("; ".join(got))

        if not is_orchestrator(messages):
            letter = messages[1]["content"].endswith("letter")
            return calls(call("send", text="x") if letter else call("peep"))

        made = [call("assign_task", agent="w", prompt=task) for task in ("letter", "look")]
        return calls(call("create_subagent", name="w", system_prompt="Work."), *made)

    model = Scripted(answer)
    run = kn.swarm("go", model=model, tools=[send, peep], trace=tmp_path / "run.jsonl").result(50)
    assert waited == [True]
    assert "sent x" in run.answer


def cut(path: Path, records: int) -> None:
    """Leave no more than so many records, as a killed process would."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: records + 1]))


def test_other_tools_are_refused_by_name(tmp_path):
    whole_run(tmp_path / "run.jsonl")
    cut(tmp_path / "run.jsonl", 20)

    with pytest.raises(TraceMismatch, match="it had look; pass tools="):
        kn.resume(tmp_path / "run.jsonl")


def test_a_run_that_goes_on_elsewhere_is_not_taken_up(tmp_path):
    path = tmp_path / "run.jsonl"
    run = kn.swarm("go", model=Held(respond, after=0), tools=[look], trace=path)

    with pytest.raises(TraceLocked, match="another run"):
        kn.resume(path, model=Scripted(respond), tools=[look])

    run.cancel()
    run.result()


def test_an_existing_log_is_not_overwritten(tmp_path):
    whole_run(tmp_path / "run.jsonl")

    with pytest.raises(kn.UsageFault, match="holds a run already"):
        whole_run(tmp_path / "run.jsonl")


def test_runs_of_one_name_that_begin_at_once_have_each_a_log_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(asked.time, "strftime", lambda _form: "20260101-000000")
    found = [new_path("museums").name for _ in range(3)]  # before any of them is written to
    assert found == [f"20260101-000000-museums{end}.jsonl" for end in ("", "-2", "-3")]
    run = kn.swarm("go", name="museums", model=Scripted(respond), tools=[look]).result()
    assert run.path.name == "20260101-000000-museums-4.jsonl"
    assert kn.read(run.path) == run.trace


@pytest.mark.parametrize("left", [b"", b'{"seq":0,"t":0.0,"ag'])
def test_a_log_whose_process_was_killed_before_the_first_record_is_begun_anew(tmp_path, left):
    path = tmp_path / "run.jsonl"
    whole_run(path)
    header = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(header + left)
    assert whole_run(path)[0].status == "finished"
    assert kn.read(path)[0].fact.goal
    assert path.read_bytes().startswith(header + b'{"seq":0,')


def test_a_file_that_is_no_log_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("buy milk")

    with pytest.raises(TraceError, match="not a kimi_nb trace"):
        whole_run(path)

    assert path.read_text() == "buy milk"
