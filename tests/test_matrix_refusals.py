"""Rows 1 to 6 of the fault matrix: what the endpoint refuses, and with which words."""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from email.utils import formatdate
from itertools import pairwise

import pytest
from faults.cards import Key
from faults.log import Asked
from faults.mishaps import Fault, held, no_quota, overloaded, rate_limited, status
from faults.server import Answer
from faults.tier import Tier
from matrix import always, asked_for, at_first, facts, quick, times, told_to_wait  # noqa: F401
from matrix_trial import PATIENCE, Trial, ends, team, until
from virtual_time import runs_leap

import kimi_nb as kn
from kimi_nb.events import StepRetried, StepSent
from kimi_nb.models import faults, limiter, pace
from kimi_nb.swarm import attempt, tries

ROUNDED_S = 0.001
"""What a time in the log may be off."""
HUNDRED = [f"t{number}" for number in range(100)]


def solo(_messages: object) -> str:
    return "the answer"


class Script:
    """The faults of the first requests, and by this machine's clock when each request came."""

    def __init__(self, *faults: Fault) -> None:
        self.came: list[float] = []
        self._faults = faults

    def __call__(self, _asked: Asked) -> Fault | None:
        self.came.append(time.monotonic())
        return self._faults[len(self.came) - 1] if len(self.came) <= len(self._faults) else None

    @property
    def waits(self) -> list[float]:
        """Seconds from each request to the next; a client cannot know of a refusal before it."""
        return [later - sooner for sooner, later in pairwise(self.came)]


# 1


def test_fault_01_a_429_that_names_seconds_is_waited_out(tmp_path):
    script = Script(told_to_wait("0.3"))

    with Trial(tmp_path, solo, faults=script) as trial:
        run = trial.run(single=True).result(PATIENCE)
        assert run.answer == "the answer"
        assert [(fact.error, fact.wait) for fact in facts(run, StepRetried)] == [("RateLimited", 0)]
        assert [wait >= 0.3 for wait in script.waits] == [True]


def test_fault_01_a_429_that_names_a_date_is_waited_out(tmp_path):
    began, now = time.monotonic(), time.time()
    date = math.ceil(now + 0.3)
    script = Script(told_to_wait(formatdate(date, usegmt=True)))

    with Trial(tmp_path, solo, faults=script) as trial:
        run = trial.run(single=True).result(PATIENCE)
        assert run.answer == "the answer"
        assert len(script.came) == 2
        assert script.came[1] - began >= date - now


@pytest.mark.parametrize("value", ["86400", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_fault_01_a_wait_without_end_is_capped(tmp_path, monkeypatch, value):
    monkeypatch.setattr(limiter, "RETRY_AFTER_MAX_S", 0.2)
    monkeypatch.setattr(faults, "RETRY_AFTER_MAX_S", 0.2)

    with Trial(tmp_path, solo, faults=[told_to_wait(value)]) as trial:
        assert trial.run(single=True).result(PATIENCE).answer == "the answer"
        assert len(trial.server.log) == 2


@pytest.mark.parametrize("value", ["30", "86400"])
def test_fault_01_a_wait_counts_to_the_deadline(tmp_path, value):
    with Trial(tmp_path, solo, faults=always(told_to_wait(value))) as trial:
        run = trial.run(single=True, budget=kn.Budget(seconds=25))
        until(lambda: "paused" in run.pace)
        pause = float(re.findall(r"paused for ([\d.]+) s", run.pace)[0])
        assert pause <= 60  # whatever the endpoint says
        runs_leap(25)
        run.result(PATIENCE)
        assert (run.status, run.why) == ("over_budget", "the budget of 25 seconds is used up")
        assert len(trial.server.log) == 1


# 2


@pytest.mark.parametrize("fault", [overloaded(), rate_limited(words="Slow down.")])
@pytest.mark.usefixtures("quick")
def test_fault_02_a_429_without_a_time_is_repeated_so_often_and_no_more(
    tmp_path, monkeypatch, fault
):
    monkeypatch.setattr(tries, "LIMITED_TRIES", 9)
    monkeypatch.setattr(tries, "PATIENCE_S", 0.0)

    with Trial(tmp_path, team("a", "b"), faults=always(fault, "b")) as trial:
        run = trial.run().result(PATIENCE)
        assert run.status == "finished"
        assert ends(run)["a"] == ("finished", "did a")
        assert ends(run)["b"][0] == "failed"
        assert "HTTP 429" in ends(run)["b"][1]
        assert len(asked_for(trial.server, "b")) == 9
        assert len(facts(run, StepRetried)) == 8


def test_fault_02_pauses_grow_while_everything_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "PAUSE_S", 0.02)
    monkeypatch.setattr(pace, "PAUSE_MIN_S", 0.02)

    script = Script(*[overloaded()] * 6)

    with Trial(tmp_path, solo, faults=script) as trial:
        run = trial.run(single=True).result(PATIENCE)
        assert run.answer == "the answer"
        assert len(trial.server.log) == 7
        assert all(pause >= 0.02 for pause in script.waits)
        assert script.waits[-1] >= 0.3


# 3


def test_fault_03_all_hundred_refused_at_once_come_back_one_by_one(tmp_path):
    """First, but no sooner than all of them have asked."""
    refusal = replace(
        told_to_wait("0.2").answer(Answer()), ready=lambda: len(trial.server.log) >= 2 + 100
    )

    with Trial(
        tmp_path, team(*HUNDRED), faults=at_first(Fault("refused", lambda _: refusal), *HUNDRED)
    ) as trial:
        run = trial.run(max_agents=100).result(PATIENCE)
        assert run.status == "finished"
        assert run.answer == " | ".join(f"did {task}" for task in HUNDRED)
        assert len(trial.server.refused) == 100
        assert [len(asked_for(trial.server, task)) for task in HUNDRED] == [2] * 100
        assert run._engine.limiter.concurrency in range(1, 100)
        sent = times(run, StepSent)[-100:]
        assert min(sent) >= times(run, StepRetried)[0] + 0.2 - ROUNDED_S
        assert max(sent) - min(sent) >= 0.1  # spread over a ramp, not all at once


def test_fault_03_the_limiter_finds_what_an_endpoint_takes(tmp_path):
    tier = Tier(concurrency=10, retry_after="seconds")
    taken = held(lambda: len(trial.server.refused) >= 90)
    faults = always(taken, *HUNDRED)

    with Trial(tmp_path, team(*HUNDRED), tier=tier, latency=0.02, faults=faults) as trial:
        run = trial.run(max_agents=100).result(PATIENCE)
        assert run.status == "finished"
        assert run.answer == " | ".join(f"did {task}" for task in HUNDRED)
        assert trial.server.peak == 10
        assert run._engine.limiter.concurrency == 10
        statuses = [asked.status for asked in trial.server.log]
        first = statuses.index(429)
        assert statuses[first + 100 :].count(429) <= 2  # once they have learned, no stampede
        assert len(trial.server.refused) <= 100


# 4


@pytest.mark.parametrize("code", [500, 502, 503, 529])
@pytest.mark.usefixtures("quick")
def test_fault_04_a_server_that_fails_is_asked_again_and_then_one_agent_has_failed(tmp_path, code):
    with Trial(tmp_path, team("a", "b"), faults=always(status(code), "b")) as trial:
        run = trial.run().result(PATIENCE)
        attempts = run._engine.settings.max_attempts
        assert run.status == "finished"
        assert run.answer.startswith(f"did a | ERROR: HTTP {code}")
        assert ends(run)["b"][0] == "failed"
        assert len(asked_for(trial.server, "b")) == attempts
        assert [fact.error for fact in facts(run, StepRetried)] == ["ServerFault"] * (attempts - 1)


@pytest.mark.parametrize("code", [500, 502, 503, 529])
@pytest.mark.usefixtures("quick")
def test_fault_04_one_that_recovers_costs_no_result(tmp_path, code):
    with Trial(tmp_path, team("a", "b"), faults=at_first(status(code))) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == "did a | did b"
        assert len(trial.server.log) == 2 * len(trial.server.paid)


def test_fault_04_the_pauses_grow_and_no_two_agents_pause_alike(tmp_path, monkeypatch):
    pauses = []

    def fast(number, error, random):
        pauses.append((number, limiter.backoff(number, error, random)))
        return 0.0

    monkeypatch.setattr(attempt, "backoff", fast)
    fault = status(503)

    def thrice(asked):
        return fault if asked.task in HUNDRED and asked.attempt <= 3 else None

    with Trial(tmp_path, team(*HUNDRED[:8]), faults=thrice) as trial:
        assert trial.run().result(PATIENCE).status == "finished"

    assert len(pauses) == 24
    assert len({wait for _, wait in pauses}) == 24
    assert all(0 <= wait <= limiter.BACKOFF_S * 2**number for number, wait in pauses)
    assert max(pauses, key=lambda pause: pause[1])[1] > 2 * limiter.BACKOFF_S


# 5


def test_fault_05_a_400_is_not_repeated_and_fails_one_agent(tmp_path):
    fault = status(400, "tool schema is wrong", "invalid_request_error")

    with Trial(tmp_path, team("a", "b"), faults=always(fault, "b")) as trial:
        run = trial.run().result(PATIENCE)
        assert run.status == "finished"
        assert ends(run)["a"] == ("finished", "did a")
        assert ends(run)["b"][0] == "failed"
        assert "tool schema is wrong" in ends(run)["b"][1]
        assert len(asked_for(trial.server, "b")) == 1
        assert not facts(run, StepRetried)


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        (401, "invalid_authentication_error", "set OPENAI_API_KEY"),
        (403, "permission_denied_error", "set OPENAI_API_KEY"),
        (404, "resource_not_found_error", "offers kimi-k3.1-pro, kimi-k3, "),
    ],
)
def test_fault_05_what_ends_all_hope_stops_the_run_with_one_message(tmp_path, code, kind, hint):
    words = "Not with this one."

    with Trial(tmp_path, team(*HUNDRED), faults=always(status(code, words, kind), *HUNDRED)) as t:
        run = t.run(max_agents=100).result(PATIENCE)
        assert run.status == "failed"
        assert f"HTTP {code} {kind}: {words}" in run.why
        assert hint in run.why
        assert max(len(asked_for(t.server, task)) for task in HUNDRED) == 1
        assert len(t.server.log) <= 102
        assert not facts(run, StepRetried)
        said = [text for outcome, text in ends(run).values() if words in text]
        assert len(said) == 1
        assert repr(run).count(words) <= 2  # why the run ended, and beside the agent that met it
        assert {outcome for outcome, _ in ends(run).values()} == {"failed", "cancelled"}


@pytest.mark.parametrize("closed", [True, False], ids=["a closed model", "a wrong key"])
def test_fault_05_the_first_call_of_all_is_the_only_one(tmp_path, closed):
    keys = [Key(secret="sk-mock-0123456789", label="mine", closed=("kimi-k3",))]  # noqa: S106

    with Trial(tmp_path, team("a"), keys=keys) as trial:
        wrong = {} if closed else {"key": "sk-mock-of-somebody-else"}
        run = trial.run(**wrong).result(PATIENCE)
        assert run.status == "failed"
        assert f"HTTP {403 if closed else 401} " in run.why
        assert len(trial.server.log) == 1
        assert "somebody" not in repr(run)


# 6


def test_fault_06_without_money_the_run_stops_keeps_what_it_has_and_can_go_on(tmp_path):
    tasks = HUNDRED[:12]

    enough_for = 7

    def find(_asked):
        return no_quota() if len(trial.server.paid) >= enough_for else None

    with Trial(tmp_path, team(*tasks), faults=find) as trial:
        server = trial.server
        run = trial.run(limits=kn.Limits(concurrency=1)).result(PATIENCE)
        assert run.status == "partial"
        assert "top it up, then resume the run" in run.why
        assert repr(run).count("check your account balance") <= 2
        done = [task for task, (outcome, _) in ends(run).items() if outcome == "finished"]
        assert len(done) == 5
        assert all(f"did {task}" in run.answer for task in done)
        assert len(server.refused) == 1

        enough_for = 1_000
        again = trial.resume()
        assert again.answer == " | ".join(f"did {task}" for task in tasks)
        assert server.paid_twice == []
        assert len(server.paid) == 2 + len(tasks) + 1
