"""The log: what is written is what is read, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.errors import CorruptTrace, TraceError, TraceLocked
from kimi_nb.events import FACTS, Fact, Said, StepBegan
from kimi_nb.trace import Log, Record, TornTail, Trace, read

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
}


def any_fact() -> st.SearchStrategy[Fact]:
    return st.one_of(
        [st.builds(cls, **{f.name: VALUES[f.type] for f in fields(cls)}) for cls in FACTS.values()]
    )


@given(st.lists(st.tuples(TEXT, any_fact()), max_size=20))
def test_write_then_read_is_identity_and_every_prefix_is_a_trace(tmp_path_factory, facts):
    path = tmp_path_factory.mktemp("log") / "run.jsonl"
    log = Log(path)

    for agent, fact in facts:
        log.add(agent, fact)

    written = log.trace()
    log.close()
    assert read(path) == written
    assert [record.seq for record in written] == list(range(len(facts)))
    assert all(a.t <= b.t for a, b in pairwise(written))

    lines = path.read_bytes().splitlines(keepends=True)

    for count in range(len(lines)):
        path.write_bytes(b"".join(lines[: count + 1]))
        assert read(path) == written[:count]

    copy = written.save(path.with_name("copy.jsonl"))
    assert copy.read_bytes() == b"".join(lines)


def write_some(path, count: int = 5) -> list[bytes]:
    log = Log(path)

    for number in range(count):
        log.add("a0", StepBegan(step=number))

    log.close()
    return path.read_bytes().splitlines(keepends=True)


@given(cut=st.integers(1, 10_000))
def test_a_torn_tail_is_dropped_wherever_it_was_cut(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("log") / "run.jsonl"
    data = b"".join(write_some(path))
    cut = min(cut, len(data) - 1)
    path.write_bytes(data[:-cut])
    whole = data[:-cut].count(b"\n")

    if data[:-cut].endswith(b"\n"):
        assert len(read(path)) == whole - 1
    else:
        with pytest.warns(TornTail, match="cut off"):
            assert len(read(path)) == max(0, whole - 1)

    log = Log(path)  # taking it up cuts the torn tail off
    log.add("a0", StepBegan(step=99))
    log.close()
    assert read(path)[-1] == Record(len(read(path)) - 1, read(path)[-1].t, "a0", StepBegan(step=99))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (b'{"seq": 2, "t"\n', "line 4: not a record"),
        (b"5\n", "line 4: not a record"),
        (b"[]\n", "line 4: not a record"),
        (b'{"seq":2,"t":1.0,"agent":"a0","fact":"Nothing"}\n', "line 4: not a record"),
        (
            b'{"seq":7,"t":1.0,"agent":"a0","fact":"StepBegan","step":1}\n',
            "record.seq=7, expected 2",
        ),
    ],
)
def test_other_damage_is_refused_with_its_line_number(tmp_path, damage, complaint):
    path = tmp_path / "run.jsonl"
    lines = write_some(path)
    lines[3] = damage
    path.write_bytes(b"".join(lines))

    with pytest.raises(CorruptTrace, match=complaint):
        read(path)

    with pytest.raises(CorruptTrace):
        Log(path)

    assert path.read_bytes() == b"".join(lines)  # refused, not repaired


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"format":"other","version":1}\n', "does not name the format"),
        (b'{"format":"kimi_nb.trace","version":99}\n', "has kimi_nb.trace format 99"),
        (b"hello\n", "does not name the format"),
        (b"[1, 2]\n", "does not name the format"),
    ],
)
def test_files_that_are_no_trace_are_refused(tmp_path, content, complaint):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)

    with pytest.raises(TraceError, match=complaint):
        read(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TraceError, match="cannot read the trace"):
        kn.replay(tmp_path / "none.jsonl")

    with pytest.raises(TraceError, match="there is no trace"):
        kn.resume(tmp_path / "none.jsonl")


def test_two_writers_of_one_log_are_one_too_many(tmp_path):
    first = Log(tmp_path / "run.jsonl")

    with pytest.raises(TraceLocked, match="another run"):
        Log(tmp_path / "run.jsonl")

    first.close()
    Log(tmp_path / "run.jsonl").close()


def test_a_full_disk_leaves_no_torn_record_and_the_facts_in_memory(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    log = Log(path)
    log.add("a0", StepBegan(step=1))
    before = path.read_bytes()
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if len(data) > 10:
            return real(fd, bytes(data[:10]))

        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)

    with pytest.warns(RuntimeWarning, match="could not be written any further"):
        log.add("a0", Said(step=1, text="x" * 100))

    log.add("a0", StepBegan(step=2))
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert len(log.trace()) == 3
    assert log.fault is not None
    log.close()


WRITER = """
import sys
from kimi_nb.trace import Log
from kimi_nb.events import StepBegan
log = Log(sys.argv[1])
for step in range(10**9):
    log.add("a0", StepBegan(step=step))
    sys.stdout.write(f"{step}\\n")
    sys.stdout.flush()
"""


def test_kill_9_loses_no_acknowledged_record(tmp_path):
    path = tmp_path / "run.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None

    for _ in range(200):
        process.stdout.readline()

    os.kill(process.pid, signal.SIGKILL)
    acknowledged = 200 + sum(line.endswith("\n") for line in process.stdout)
    process.stdout.close()
    process.wait()
    assert len(Log(path).records) >= acknowledged


def test_times_continue_where_the_last_process_ended(tmp_path):
    path = tmp_path / "run.jsonl"
    clock = iter([100.0, 101.5, 102.5]).__next__
    log = Log(path, clock=clock)
    assert [log.add("a0", StepBegan(step=n)).t for n in (1, 2)] == [1.5, 2.5]
    log.close()
    clock = iter([7.0, 7.25]).__next__
    again = Log(path, clock=clock)
    assert again.add("a0", StepBegan(step=3)).t == 2.75
    again.close()


def test_a_trace_is_a_value():
    records = [Record(0, 0.0, "", StepBegan(step=1))]
    assert Trace(records) == Trace(tuple(records))
    assert hash(Trace(records)) == hash(Trace(records))
    assert repr(Trace(records)) == "Trace(1 records, 0 agents, 0.0 s)"
    assert Trace(records)[:0] == Trace()
