"""Rows 33 and 34 of the fault matrix, and what row 24 says of workers: the sandbox in a run."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matrix_trial import (
    PATIENCE,
    Trial,
    _warm,  # noqa: F401
    ends,
    team,
    until,
)
from scripted import call, calls, say
from test_tools_python import alive, workers

from kimi_nb.events import ToolReturned
from kimi_nb.tools import snippet
from kimi_nb.tools.rights import MARK

pytestmark = pytest.mark.usefixtures("_warm")
GOOD = ("one", "two", "three")
ENDLESS = "print('began')\nwhile True:\n    pass"


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The worker whose code prints, once it does."""
    found: list[int] = []

    class Printed(snippet._Printed):
        def __call__(self, stream: str, text: str) -> None:
            super().__call__(stream, text)
            assert self._call._pid is not None
            found.append(self._call._pid)

    monkeypatch.setattr(snippet, "_Printed", Printed)
    return found


def at_work(code: str) -> Callable[[str, list[str]], Any]:
    """The agent with the task "bad" runs this code, then tries again with harmless code."""

    def work(task: str, got: list[str]) -> Any:
        if task != "bad":
            return say(got[0]) if got else calls(call("python", code=f"len('{task}') ** 2"))

        if len(got) == 2:
            return say(json.dumps(got))

        return calls(call("python", code="6 * 7" if got else code))

    return work


def report(run: Any) -> str:
    """What the sub-agent said, without the mark of one that may have read anything."""
    return run.answer.removeprefix(MARK).lstrip()


def both(run: Any) -> list[str]:
    """What the bad agent's two calls brought; the others have their results."""
    assert run.status == "finished"
    found = ends(run)
    assert {task: found[task] for task in GOOD} == {
        task: ("finished", str(len(task) ** 2)) for task in GOOD
    }
    return json.loads(found["bad"][1])


# 33


def short_for(endless: str, patch: pytest.MonkeyPatch) -> None:
    """Such code gets a second; all other as much as the busiest machine needs."""
    run, limits = snippet.run, snippet._limits
    this = threading.local()

    def limited() -> Any:
        seconds = 1.0 if endless in this.code else 2 * PATIENCE
        times = dict.fromkeys(("max_feed_duration_secs", "max_turn_duration_secs"), seconds)
        return limits() | times

    def runs(pool: Any, call: Any, code: str, *more: Any) -> str:
        this.code = code
        return run(pool, call, code, *more)

    patch.setattr(snippet, "_limits", limited)
    patch.setattr(snippet, "run", runs)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = [0]\nwhile True:\n    x = x + x", "MemoryError: memory limit exceeded"),
        (ENDLESS, "ERROR: began\n"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError"),
        ("while True:\n    print('x' * 100000)", "characters; the rest is left out]"),
    ],
    ids=["memory", "time", "depth", "output"],
)
def test_fault_33_code_that_takes_too_much_fails_its_own_agent_only(
    tmp_path, monkeypatch, code, error
):
    short_for(ENDLESS, monkeypatch)

    with Trial(tmp_path, team(*GOOD, "bad", work=at_work(code))) as trial:
        first, second = both(trial.run().result(PATIENCE))
        assert first.startswith("ERROR")
        assert error in first
        assert len(first) <= 20_000
        assert second == "42"


def test_fault_33_a_worker_that_dies_is_an_error_and_the_next_call_has_a_new_one(
    tmp_path, monkeypatch, busy
):
    monkeypatch.setattr(snippet, "SECONDS", 2 * PATIENCE)

    with Trial(tmp_path, team(*GOOD, "bad", work=at_work(ENDLESS))) as trial:
        run = trial.run()
        until(lambda: set(ends(run)) == set(GOOD) and busy)

        for worker in sorted(workers(), key=lambda each: each.pid in busy):  # the idle ones first
            worker.kill()

        first, second = both(run.result(PATIENCE))
        assert "the sandbox's worker died" in first
        assert "the next call gets a new one" in first
        assert second == "42"


# 24


def test_fault_24_the_worker_of_a_cancelled_run_is_killed_and_its_log_closed(tmp_path, busy):
    with Trial(tmp_path, team("bad", work=at_work(ENDLESS))) as trial:
        run = trial.run()
        until(lambda: busy)
        left = workers()
        run.cancel()
        run.cancel()  # a second press changes nothing
        run.result(PATIENCE)
        assert run.status == "cancelled"
        until(lambda: not any(map(alive, left)))
        assert run._log._fd == -1
        answers = [r.fact for r in run.trace if isinstance(r.fact, ToolReturned)]
        assert [answer.interrupted for answer in answers] == [False, True, True]


# 34


def missing_package(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "pydantic_monty", None)


def other_version(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("pydantic_monty.__version__", "1.5.0")


def missing_program(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("importlib.metadata.files", lambda _: [])


def broken_program(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("kimi_nb.tools.sandbox._binary", lambda: Path("/nonexistent/monty"))


def no_sandbox_at_all(patch: pytest.MonkeyPatch) -> None:
    """One that runs, and is none."""
    patch.setattr("kimi_nb.tools.sandbox._binary", lambda: Path("/bin/false"))


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (missing_package, "there is no Python sandbox here"),
        (other_version, "pydantic-monty 1.5.0 is installed, but its limits were tested"),
        (missing_program, "the worker program of the Python sandbox is not there"),
        (broken_program, "the Python sandbox does not start"),
        (no_sandbox_at_all, "the sandbox's worker died"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_fault_34_without_a_sandbox_code_is_refused_and_run_nowhere(
    tmp_path, monkeypatch, lack, words
):
    proof = tmp_path / "ran"
    code = f"import os, pathlib\npathlib.Path({str(proof)!r}).write_text('ran')\nprint('ran')"
    brain = team(
        "bad", work=lambda _t, got: say(got[0]) if got else calls(call("python", code=code))
    )

    with Trial(tmp_path, brain) as trial:
        lack(monkeypatch)
        run = trial.run().result(PATIENCE)
        monkeypatch.undo()
        assert run.status == "finished"
        assert words in run.answer
        assert report(run).startswith("ERROR: ")
        assert not proof.exists()
        assert workers() == []
        returned = [r.fact for r in run.trace if isinstance(r.fact, ToolReturned)]
        assert "ran" not in [fact.text for fact in returned]


def test_fault_34_with_a_sandbox_the_same_code_is_refused_by_it(tmp_path):
    """The proof above can come about: only the sandbox is in its way."""
    proof = tmp_path / "ran"
    code = f"import pathlib\npathlib.Path({str(proof)!r}).write_text('ran')"
    exec(code)  # noqa: S102
    assert proof.read_text() == "ran"
    proof.unlink()
    brain = team(
        "bad", work=lambda _t, got: say(got[0]) if got else calls(call("python", code=code))
    )

    with Trial(tmp_path, brain) as trial:
        run = trial.run().result(PATIENCE)
        assert report(run).startswith("ERROR: ")
        assert not proof.exists()
