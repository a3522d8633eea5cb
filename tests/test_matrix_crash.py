"""Rows 26, 27, 30 to 32, 39 and 40 of the fault matrix: processes die, clocks and keys change,
and the log is what is left. What a child process does is in `matrix_child`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest
from faults.cards import keyring
from faults.log import Asked
from faults.mishaps import Fault, rate_limited, stall
from invariants import check_invariants, paid_calls
from matrix import in_last
from matrix_child import begin, look, send
from matrix_trial import (
    ANSWER,
    CALLS,
    PATIENCE,
    TEAM,
    Trial,
    ends,
    lines_of,
    team,
    three_steps,
    until,
)
from scripted import call, calls, say
from test_magics import Kernel

import kimi_nb as kn
from kimi_nb.errors import TraceLocked, TraceMismatch
from kimi_nb.models import faults

# 26, 27


def test_fault_26_a_kernel_that_is_killed_loses_nothing_that_was_seen(tmp_path):
    kernel = Kernel(tmp_path)  # before the trial, which looks at what this process holds

    killed = False

    def faults(asked: Asked) -> Fault | None:
        """Nobody answers the last call: however slow the machine, it is killed before its end."""
        return None if killed else in_last(stall())(asked)

    with Trial(tmp_path, TEAM, latency=0.02, faults=faults) as trial:
        try:
            where = f"{trial.server.base_url!r}, {trial.server.key!r}, 'run.jsonl'"
            kernel.run(f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})")
            begun = kernel.run(
                f"import asyncio, matrix_child as child\nrun = child.swarm({where})\n"
                "following = asyncio.create_task(child.follow(run, 'seen'))"
            )
            assert (begun.status, begun.error) == ("ok", "")
            until(lambda: (tmp_path / "seen").exists() and len(lines_of(tmp_path / "seen")) > 30)
            os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
            killed = True
        finally:
            kernel.close()

        seen = [line.split() for line in lines_of(tmp_path / "seen") if line.endswith(b"\n")]
        written = [(r.seq, type(r.fact).__name__) for r in kn.read(trial.path, strict=False)]
        assert [(int(seq), name.decode()) for seq, name in seen] == written[: len(seen)]  # I3
        assert 0 < paid_calls(kn.read(trial.path, strict=False)) < CALLS
        assert trial.resume(tools=[look]).answer == ANSWER


def test_fault_27_cut_at_every_record_it_ends_alike_and_pays_for_the_rest_only(tmp_path):
    with Trial(tmp_path, TEAM) as trial:
        whole = trial.run(tools=[look]).result(PATIENCE)
        assert (whole.answer, len(trial.server.completed)) == (ANSWER, CALLS)
        trial.check(whole, over=False)
        lines = lines_of(trial.path)
        told = {**ends(whole)}
        trial.runs.clear()

        for count in range(2, len(lines)):
            trial.path.write_bytes(b"".join(lines[:count]))
            had = paid_calls(kn.read(trial.path))
            before = len(trial.server.completed)
            run = trial.resume(tools=[look])
            check_invariants(run)
            assert (run.status, run.answer, ends(run)) == ("finished", ANSWER, told), count
            assert len(trial.server.completed) - before == CALLS - had, count

        trial.counts = False  # for the platform answered many runs


# 30, 31


def test_fault_30_a_run_that_another_process_carries_on_is_refused(tmp_path):
    brain = team("a", work=lambda _t, got: say(got[0]) if got else calls(call("hold")))

    with Trial(tmp_path, brain) as trial, begin(trial, "holding") as child:
        until(lambda: trial.path.exists() and b'"ToolCalled","step":1,"call":0,"call_id":"hold'
              in trial.path.read_bytes())  # fmt: skip

        with pytest.raises(TraceLocked, match=f"in process {child.pid} on .* since .*fork="):
            trial.resume(tools=[look])

        (tmp_path / "go").touch()
        out, errors = child.communicate(timeout=PATIENCE)
        assert (child.returncode, json.loads(out)["answer"]) == (0, "held"), errors
        trial.check(kn.replay(trial.path), over=False)


@pytest.mark.parametrize("change", ["goal", "tools", "version"])
def test_fault_31_what_has_changed_is_refused_and_a_fork_pays_for_the_rest_only(
    tmp_path, monkeypatch, change
):
    @kn.tool(name="look")
    async def changed(n: int) -> str:
        "Look at something else."
        return f"saw {n}"

    with Trial(tmp_path, TEAM) as trial:
        trial.run(tools=[look]).result(PATIENCE)
        trial.path.write_bytes(b"".join(lines_of(trial.path)[:-12]))
        before = trial.path.read_bytes()
        had = paid_calls(kn.read(trial.path))
        given: dict[str, Any] = {"tools": [changed if change == "tools" else look]}
        given |= {"goal": "come"} if change == "goal" else {}

        if change == "version":
            monkeypatch.setattr(sys.modules["kimi_nb.swarm.changed"], "__version__", "99.0")

        with pytest.raises(TraceMismatch, match=r"cannot go on like this: .*fork="):
            trial.resume(**given)

        assert trial.path.read_bytes() == before
        assert len(trial.server.log) == CALLS
        trial.runs.clear()
        fork = trial.resume(fork=tmp_path / "fork.jsonl", **given)
        assert fork.answer == ANSWER
        assert len(trial.server.log) - CALLS == CALLS - (0 if change == "goal" else had)
        trial.counts = False


# 32


def test_fault_32_an_effect_without_its_record_is_unknown_and_never_repeated(tmp_path):
    def work(task: str, got: list[str]) -> Any:
        return say(got[0]) if got else calls(call("send", text=f"letter {task}"))

    with Trial(tmp_path, team("a", work=work)) as trial:
        with begin(trial, "dying") as child:
            assert child.wait(PATIENCE) == -signal.SIGKILL

        letters = tmp_path / "letters"
        assert letters.read_text() == "letter a\n"  # the effect is there, and no record of it
        assert not any(
            b'"ToolReturned"' in line and b"sent" in line for line in lines_of(trial.path)
        )
        run = trial.resume(tools=[send])
        assert run.status == "finished"
        assert "whether it took effect is unknown. Look before you repeat it" in run.answer
        assert letters.read_text() == "letter a\n"


# 39


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0], ids=["a day ahead", "a day back"])
def test_fault_39_a_clock_that_jumps_moves_no_deadline_and_no_limit(tmp_path, monkeypatch, jump):
    real, jumped = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + jumped[0])

    def work(task: str, got: list[str]) -> Any:
        jumped[0] = jump if got else 0.0  # there and back, again and again
        return three_steps(task, got)

    with Trial(tmp_path, team("a", "b", "c", work=work)) as trial:
        limits, budget = kn.Limits(rpm=1_000, concurrency=2), kn.Budget(seconds=PATIENCE)
        run = trial.run(tools=[look], limits=limits, budget=budget).result(PATIENCE)
        assert (run.status, run.answer) == ("finished", ANSWER)
        times = [r.t for r in run.trace]
        assert times == sorted(times)
        assert 0 <= run.metrics.wall_s < PATIENCE


@pytest.mark.parametrize("skew", [86_400.0, -86_400.0], ids=["a day ahead", "a day back"])
def test_fault_39_a_date_to_wait_for_is_by_the_endpoint_s_own_clock(tmp_path, monkeypatch, skew):
    clock = types.SimpleNamespace(time=lambda: time.time() + skew)
    monkeypatch.setattr(faults, "time", clock)

    with Trial(tmp_path, TEAM, faults=[rate_limited(1.0, "date")]) as trial:
        run = trial.run(tools=[look]).result(PATIENCE)
        assert run.answer == ANSWER
        assert run.metrics.retries == 1
        assert run.metrics.wall_s > 0.9  # as long as it was asked to wait, which is a second


# 40


def test_fault_40_a_key_that_is_replaced_ends_the_run_and_the_new_one_goes_on(tmp_path):
    new = "sk-mock-after-the-rotation"

    def work(task: str, got: list[str]) -> Any:
        if task == "b" and got:
            trial.server.keys = keyring([new], "ai")  # this very call is let in still

        return three_steps(task, got)

    with Trial(tmp_path, team("a", "b", "c", work=work)) as trial:
        old = trial.server.key
        one = kn.Limits(concurrency=1)  # else an answer may be on its way when the run is ended
        run = trial.run(tools=[look], limits=one).result(PATIENCE)
        assert run.status in {"failed", "partial"}
        assert run.why.startswith("HTTP 401 invalid_authentication_error: Invalid Authentication")
        assert "refused the key" in run.why
        assert "or give key=… to kn.swarm" in run.why
        again = trial.resume(tools=[look])
        assert again.answer == ANSWER
        assert trial.server.paid_twice == []
        assert len(trial.server.completed) == CALLS
        check_invariants(again, secrets=[old, new], paths=[tmp_path])
