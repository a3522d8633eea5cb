"""An attempt that broke off: what came is kept and marked, what it cost is charged."""

from __future__ import annotations

import pytest
from scripted import Scripted, check_ended, say

import kimi_nb as kn
from kimi_nb.errors import ModelError, Unreachable
from kimi_nb.events import Said, StepEnded, StepRetried
from kimi_nb.swarm import attempt

PRICE = kn.Price(2.0, 0.2, 10.0)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "backoff", lambda *_: 0.0)


def broken(partial: str = "Half an ans", tokens_in: int = 50, tokens_out: int = 7) -> ModelError:
    error = Unreachable("the stream ended early")
    error.partial, error.tokens_in, error.tokens_out = partial, tokens_in, tokens_out
    return error


def alone(answers: list[object], path, **options) -> kn.Run:
    rest = iter(answers)
    model = Scripted(lambda _messages: next(rest))
    options = {"prices": {"scripted": PRICE}, **options}
    return kn.swarm("go", model=model, single=True, trace=path, **options).result(50)


def facts(run: kn.Replay, kind: type) -> list:
    return [r.fact for r in run.trace if isinstance(r.fact, kind)]


def test_what_came_is_kept_before_the_retry_and_never_the_answer(tmp_path):
    run = alone([broken(), say("whole")], tmp_path / "run.jsonl")
    check_ended(run)
    assert run.answer == "whole"
    assert [(said.text, said.cut) for said in facts(run, Said)] == [
        ("Half an ans", True),
        ("whole", False),
    ]
    names = [type(r.fact).__name__ for r in run.trace]
    assert names.index("StepRetried") == names.index("Said") + 1
    assert run.fold.agents["a0"].said == "whole"


def test_what_it_cost_counts_in_tokens_and_dollars(tmp_path):
    run = alone([broken(), say("whole")], tmp_path / "run.jsonl")
    check_ended(run)
    (retried,) = facts(run, StepRetried)
    assert (retried.tokens_in, retried.tokens_out) == (50, 7)
    assert (run.metrics.tokens_in, run.metrics.tokens_out) == (150, 17)
    assert run.metrics.cost_usd == pytest.approx(PRICE.usd(150, 17))
    assert run.fold.estimated


def test_an_attempt_that_brought_nothing_costs_nothing(tmp_path):
    run = alone([Unreachable("refused"), say("whole")], tmp_path / "run.jsonl")
    assert (run.metrics.tokens_in, run.metrics.tokens_out) == (100, 10)
    assert not run.fold.estimated


def test_the_last_attempt_too(tmp_path):
    run = alone([broken() for _ in range(6)], tmp_path / "run.jsonl")
    check_ended(run)
    assert run.status == "failed"
    assert run.answer == ""
    assert run.metrics.tokens_in == 300
    (ended,) = facts(run, StepEnded)
    assert (ended.finish, ended.tokens_in, ended.estimated) == ("failed", 50, True)
    assert [said.cut for said in facts(run, Said)] == [True] * 6


def test_a_budget_that_broken_attempts_have_used_up_sends_nothing_more(tmp_path):
    answers = [broken(tokens_in=4_000, tokens_out=7) for _ in range(3)]
    budget = kn.Budget(tokens=9_000)
    run = alone([*answers, say("never")], tmp_path / "run.jsonl", budget=budget, max_tokens=300)
    check_ended(run)
    assert run.status == "over_budget"
    assert run.metrics.tokens_in + run.metrics.tokens_out == 2 * 4_007
    assert run.answer == ""


def test_a_resumed_run_remembers_what_was_wasted(tmp_path):
    path = tmp_path / "run.jsonl"
    first = alone([broken() for _ in range(6)], path)
    model = Scripted(lambda _messages: say("whole"))
    resumed = kn.resume(path, model=model, prices={"scripted": PRICE})
    assert isinstance(resumed, kn.Run)
    resumed.result(50)
    check_ended(resumed)
    assert resumed.answer == "whole"
    assert resumed.metrics.tokens_in == first.metrics.tokens_in + 100
