"""Rows 7 to 9 of the fault matrix: the endpoint cannot be reached, or says nothing."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Iterator

import pytest
from faults.mishaps import drop, stall
from matrix import always, asked_for, at_first, facts, patience, quick  # noqa: F401
from matrix_trial import PATIENCE, Trial, ends, team, until
from virtual_time import runs_leap

import kimi_nb as kn
from kimi_nb.events import StepRetried
from kimi_nb.swarm import attempt

pytestmark = pytest.mark.usefixtures("quick")


def never_reached(trial: Trial, words: str) -> kn.Run:
    """A run whose endpoint cannot be reached: it says so, after all attempts."""
    run = trial.run(single=True).result(PATIENCE)
    assert run.status == "failed"
    assert words in run.why
    assert [fact.error for fact in facts(run, StepRetried)] == ["Unreachable"] * 5
    assert trial.server.log == []
    return run


@contextlib.contextmanager
def full_queue() -> Iterator[int]:
    """A port of this machine on which connections are neither taken nor refused."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listening.getsockname()

        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003
            waiting.connect_ex(address)

        time.sleep(0.05)
        yield address[1]


# 7


def test_fault_07_nobody_listens(tmp_path):
    with Trial(tmp_path) as trial:
        trial.server.down()
        never_reached(trial, "cannot be reached")


def test_fault_07_a_name_that_nobody_knows(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def unknown(*_rest, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with Trial(tmp_path) as trial:
        trial.server.base_url = "https://nowhere.invalid/v1"
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        never_reached(trial, "nowhere.invalid cannot be reached")


def test_fault_07_no_tls_where_it_is_wanted(tmp_path):
    with Trial(tmp_path) as trial:
        trial.server.base_url = trial.server.base_url.replace("http:", "https:")
        never_reached(trial, "cannot be reached")


def test_fault_07_who_comes_back_in_time_costs_no_result(tmp_path, monkeypatch):
    with Trial(tmp_path, team("a", "b")) as trial:
        trial.server.down()
        tried = []

        def wait(number, *_rest):
            tried.append(number)

            if number == 3:
                trial.server.up()

            return 0.0

        monkeypatch.setattr(attempt, "backoff", wait)
        run = trial.run().result(PATIENCE)
        assert run.answer == "did a | did b"
        assert tried == [1, 2, 3]


def test_fault_07_a_connection_that_is_reset_is_made_again(tmp_path):
    with Trial(tmp_path, team("a", "b"), faults=at_first(drop())) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == "did a | did b"
        assert {fact.error for fact in facts(run, StepRetried)} == {"Unreachable"}
        assert len(trial.server.log) == 2 * len(trial.server.paid)


# 8


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse what does not fit")
def test_fault_08_a_connection_that_does_not_come_about_is_given_up(tmp_path, monkeypatch):
    patience(monkeypatch, connect=0.05)

    with Trial(tmp_path) as trial, full_queue() as port:
        trial.server.base_url = f"http://127.0.0.1:{port}/v1"
        run = never_reached(trial, "cannot be reached")
        assert "timeout" in run.why.lower()


# 9


def in_vain(trial: Trial, attempts: int) -> kn.Run:
    """A run whose sub-agent b hears nothing so often, while a has long ended."""
    run = trial.run()

    for number in range(1, attempts + 1):
        until(lambda n=number: "a" in ends(run) and len(asked_for(trial.server, "b")) == n)
        runs_leap(120)

    return run.result(PATIENCE)


def test_fault_09_who_sends_nothing_is_asked_again(tmp_path):
    with Trial(tmp_path, team("a", "b"), faults=at_first(stall(), "b")) as trial:
        run = in_vain(trial, 1)
        assert run.answer == "did a | did b"
        retried = facts(run, StepRetried)
        assert [fact.error for fact in retried] == ["Unreachable"]
        assert "sent nothing for 120 s" in retried[0].why
        assert (retried[0].tokens_in, retried[0].tokens_out) == (0, 0)
        assert len(asked_for(trial.server, "b")) == 2


def test_fault_09_an_agent_that_never_hears_anything_fails_alone(tmp_path):
    with Trial(tmp_path, team("a", "b"), faults=always(stall(), "b")) as trial:
        run = in_vain(trial, 6)
        assert run.status == "finished"
        assert ends(run)["a"] == ("finished", "did a")
        assert ends(run)["b"][0] == "failed"
        assert len(asked_for(trial.server, "b")) == 6
