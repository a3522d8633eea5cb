"""Who grades a run: once for each of its ends, and whatever he does, the run has an end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from scripted import Scripted, _no_complaints, call, calls, is_orchestrator, results  # noqa: F401

import kimi_nb as kn
from kimi_nb.errors import AccessDenied
from kimi_nb.events import AgentEnded, Judged, RunBegan, RunEnded, RunResumed
from kimi_nb.models.base import Message, Reply
from kimi_nb.trace import Trace

GOOD = Judged(by="me", success=True, quality=0.5, why="half of it")


class ByFunction:
    """Grades as a function does."""

    name = "me"

    def __init__(self, function: Callable[[str], Any] = lambda _: GOOD) -> None:
        self.function = function
        self.seen: list[str] = []

    def judge(self, answer: str, _folder: Path) -> Judged:
        self.seen.append(answer)
        return cast("Judged", self.function(answer))


def begun(path: Path, judge: ByFunction, respond: Any = lambda _: "42", **options: Any) -> kn.Run:
    options.setdefault("single", True)
    return kn.swarm(
        "go", model=Scripted(respond), trace=path, folder=path.parent, judge=judge, **options
    )


def verdicts(run: kn.Replay) -> list[int]:
    """How many there are of each process that wrote the log."""
    found: list[int] = []

    for record in run.records:
        if isinstance(record.fact, RunBegan | RunResumed):
            found.append(0)
        elif isinstance(record.fact, Judged):
            found[-1] += 1

    return found


def then_refused(messages: list[Message]) -> Reply | Exception | str:
    """Sub-agents that report, and an orchestrator that the endpoint lets down afterwards."""
    if not is_orchestrator(messages):
        return "done"

    match len(results(messages)):
        case 0:
            return calls(call("create_subagent", name="w", system_prompt="Work."))
        case 1:
            return calls(call("assign_task", agent="w", prompt="t"))
        case _:
            return AccessDenied("no")


def refused(_messages: list[Message]) -> Exception:
    return AccessDenied("no")


@pytest.mark.parametrize(
    ("status", "respond", "options"),
    [
        ("finished", lambda _: "42", {}),
        ("failed", refused, {}),
        ("partial", then_refused, {"single": False}),
        ("over_budget", lambda _: calls(call("list_files")), {"budget": kn.Budget(steps=2)}),
    ],
)
def test_every_end_is_judged_once(
    tmp_path: Path, status: str, respond: Any, options: dict[str, Any]
) -> None:
    judge = ByFunction()
    run = begun(tmp_path / "run.jsonl", judge, respond, **options).result()
    assert run.status == status
    assert verdicts(run) == [1]
    assert judge.seen == [run.answer]
    assert isinstance(run.records[-1].fact, RunEnded)


def test_a_cancelled_run_is_judged_once(tmp_path: Path) -> None:
    busy, free = threading.Event(), threading.Event()

    @kn.tool
    def linger() -> None:
        """Wait."""
        busy.set()
        free.wait()

    run = begun(
        tmp_path / "run.jsonl", ByFunction(), lambda _: calls(call("linger")), tools=[linger]
    )
    busy.wait()
    run.cancel()
    assert run.result().status == "cancelled"
    assert verdicts(run) == [1]
    free.set()


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda _: 1 / 0, "ZeroDivisionError"),
        (lambda _: sys.exit(3), "SystemExit"),
        (lambda _: None, "AttributeError"),
        (lambda _: Judged(by="me", success=True, quality=float("nan"), why=""), "between 0 and 1"),
        (lambda _: Judged(by="me", success=True, quality=1.5, why=""), "not at 1.5"),
    ],
)
def test_a_judge_who_fails_costs_no_run_and_may_try_again(
    tmp_path: Path, function: Callable[[str], Any], said: str
) -> None:
    path = tmp_path / "run.jsonl"
    run = begun(path, ByFunction(function)).result()
    assert (run.status, run.answer) == ("finished", "42")
    assert said in run.why
    assert verdicts(run) == [0]
    model = Scripted(lambda _: AccessDenied("it is paid for"))
    again = kn.resume(path, model=model, judge=ByFunction())
    assert isinstance(again, kn.Run)
    assert (again.result().status, again.answer, again.why) == ("finished", "42", "")
    assert verdicts(again) == [0, 1]
    assert not isinstance(kn.resume(path, model=model, judge=ByFunction()), kn.Run)


def test_without_a_judge_a_finished_run_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    begun(path, ByFunction(lambda _: None)).result()
    assert kn.resume(path).answer == "42"


def test_what_cannot_be_written_is_left_out_of_a_verdict(tmp_path: Path) -> None:
    odd = Judged(by="me", success=True, quality=0.5, why="half\ud800")
    run = begun(tmp_path / "run.jsonl", ByFunction(lambda _: odd)).result()
    assert run.judged is not None
    assert run.judged.why.startswith("half")
    assert kn.read(tmp_path / "run.jsonl") == run.trace


def test_a_judge_who_does_not_end_is_sent_home(tmp_path: Path) -> None:
    judging, free = threading.Event(), threading.Event()

    def forever(_answer: str) -> None:
        judging.set()
        free.wait()

    run = begun(tmp_path / "run.jsonl", ByFunction(forever))
    judging.wait()
    run.cancel()
    assert run.result().status == "finished"
    assert run.answer == "42"
    assert "not judged" in run.why
    assert verdicts(run) == [0]
    free.set()


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_run_that_was_killed_at_its_end_is_judged_once_more(tmp_path: Path, lost: int) -> None:
    whole = begun(tmp_path / "run.jsonl", ByFunction()).result()
    assert isinstance(whole.records[-3].fact, AgentEnded)
    path = tmp_path / "killed.jsonl"
    Trace(whole.trace[:-lost]).save(path)
    run = kn.resume(path, model=Scripted(lambda _: "43"), judge=ByFunction())
    assert isinstance(run, kn.Run)
    assert run.result().answer == "42"
    assert verdicts(run) == [1 if lost == 1 else 0, 1]
    assert len(run.fold.judgements) == 1
