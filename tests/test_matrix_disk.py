"""Rows 28 and 29 of the fault matrix: the log on a disk that is damaged, full or closed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from invariants import paid_calls
from matrix_child import begin, look
from matrix_trial import ANSWER, CALLS, PATIENCE, TEAM, Trial, lines_of, team, three_steps, until

import kimi_nb as kn
from kimi_nb.errors import CorruptTrace, TraceError
from kimi_nb.trace import TornTail

# 28


def test_fault_28_a_torn_last_line_is_dropped_with_a_warning(tmp_path):
    with Trial(tmp_path, TEAM) as trial:
        trial.run(tools=[look]).result(PATIENCE)
        lines = lines_of(trial.path)
        torn = max(n for n, line in enumerate(lines) if b'"StepEnded"' in line)
        trial.path.write_bytes(b"".join(lines[:torn]) + lines[torn][:-7])

        with pytest.warns(TornTail, match="the last line was cut off and is dropped"):
            assert len(kn.replay(trial.path).trace) == torn - 1

        run = trial.resume(tools=[look])
        assert run.answer == ANSWER
        assert len(trial.server.completed) == CALLS + 1  # the call whose record was torn


def test_fault_28_a_damaged_line_is_refused_with_its_number(tmp_path):
    with Trial(tmp_path, TEAM) as trial:
        whole = trial.run(tools=[look]).result(PATIENCE)
        lines = lines_of(trial.path)
        damaged = b"".join([*lines[:8], lines[8][:20] + b"\n", *lines[9:]])
        trial.path.write_bytes(damaged)

        for read in (kn.replay, kn.read, lambda path: kn.resume(path, **trial.options({}))):
            with pytest.raises(CorruptTrace, match="line 9: not a record"):
                read(trial.path)

        assert trial.path.read_bytes() == damaged  # refused, not repaired
        assert len(trial.server.completed) == CALLS
        trial.path.write_bytes(b"".join(lines))
        trial.check(whole, over=False)


# 29


def test_fault_29_a_disk_that_fills_up_tears_no_record_and_ends_no_run(tmp_path):
    with Trial(tmp_path, TEAM) as trial, begin(trial, "limited") as child:
        out, errors = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0, errors
        told = json.loads(out)
        assert (told["status"], told["answer"]) == ("finished", ANSWER)
        assert "run.jsonl could not be written any further: File too large" in told["why"]
        assert "RuntimeWarning" in errors
        assert "could not be written any further" in errors
        written = kn.read(trial.path)
        assert 0 < len(written) < told["records"]
        assert trial.path.read_bytes().endswith(b"\n")
        assert [orjson.dumps(r.seq) for r in written] == [b"%d" % n for n in range(len(written))]
        done = paid_calls(written)
        assert trial.resume(tools=[look]).answer == ANSWER  # what was written is not paid again
        assert len(trial.server.completed) == 2 * CALLS - done
        trial.counts = False


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
@pytest.mark.filterwarnings("default:.*could not be written any further:RuntimeWarning")
def test_fault_29_no_space_left_on_the_device(tmp_path, recwarn):
    trial: Trial

    def work(task: str, got: list[str]) -> Any:
        if task == "b" and not got:
            until(lambda: trial.runs)
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, trial.runs[0]._log._fd)
            os.close(full)

        return three_steps(task, got)

    with Trial(tmp_path, team("a", "b", "c", work=work)) as trial:
        run = trial.run(tools=[look]).result(PATIENCE)
        assert (run.status, run.answer) == ("finished", ANSWER)
        assert "run.jsonl could not be written any further: No space left on device" in run.why
        assert [str(w.message) for w in recwarn if "No space left" in str(w.message)]
        assert 0 < len(kn.read(trial.path)) < len(run.trace)


@pytest.mark.parametrize("place", ["/proc/none/run.jsonl", "/dev/null", "/dev/full"])
def test_fault_29_where_no_log_can_be_nothing_begins(tmp_path, place):
    with Trial(tmp_path, TEAM) as trial:
        with pytest.raises(TraceError, match="cannot write the log"):
            trial.run(trace=place)

        assert trial.server.log == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="nobody can write there, not even root")
def test_fault_29_in_a_read_only_folder_the_log_goes_elsewhere_and_a_warning_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.chdir("/proc")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))

    with Trial(tmp_path, TEAM) as trial:
        with pytest.warns(RuntimeWarning, match="cannot be written: the log goes to") as warned:
            run = trial.run(trace=None, folder=tmp_path, tools=[look])

        assert warned[0].filename.endswith("matrix_trial.py")  # who called
        assert run.result(PATIENCE).answer == ANSWER
        assert run.path is not None
        assert tmp_path in run.path.parents
