"""Large swarms, in small: what a call costs does not depend on how many agents there are."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
import pytest
from crowds import crowd

import kimi_nb as kn
from kimi_nb.events import Fact
from kimi_nb.swarm.budget import Account, Budget
from kimi_nb.swarm.runtime import runtime
from kimi_nb.trace import Log, Record
from kimi_nb.widgets import desk as desks
from kimi_nb.widgets.desk import RATE, Desk

BENCH = Path(__file__).parent / "bench"
sys.path.append(str(BENCH))

from scale_crew import Crew, dispatched, look  # noqa: E402

EACH = 10
"""Calls of a sub-agent."""


def swarm(folder: Path, agents: int) -> kn.Run:
    crew = Crew(dispatched(agents, EACH * agents), latency=0.0)
    log = folder / f"{agents}-{len(list(folder.iterdir()))}.jsonl"
    return kn.swarm(
        "Compare the museums.",
        model=crew,
        tools=[look],
        max_agents=agents,
        name=log.stem,
        trace=log,
    )


def test_the_bench_does_all_calls_and_pays_for_none_twice() -> None:
    blocks = ["--only=live", "--only=killed"]
    command = [sys.executable, str(BENCH / "scale.py"), "--quick", "--json", *blocks]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["calls"] for row in found["live"]] == [16, 28]  # four of them the orchestrator's
    assert all(row["frames"] > 0 for row in found["live"])
    assert found["killed"][0]["calls"] == 28
    assert found["killed"][0]["twice"] == 0


def test_what_is_in_memory_is_on_disk_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[int, int]] = []
    add = Log.add

    def looked_at(log: Log, agent: str, *facts: Fact) -> Record:
        record, seen = add(log, agent, *facts), len(looks)

        while record.seq % 100 == 99 and len(looks) < seen + 2:  # one may have begun before
            time.sleep(0.0005)

        return record

    monkeypatch.setattr(Log, "add", looked_at)
    run = swarm(tmp_path, 40)

    while not run.done:
        known = len(run.records)
        looks.append((known, (run.path or Path()).read_bytes().count(b"\n") - 1))

    assert len(kn.read(run.path or "")) == len(run.result().records)
    assert all(known <= lines for known, lines in looks)
    assert len({known for known, _ in looks}) > 10  # it was looked at in between


def test_the_objects_that_stay_are_as_many_for_each_call(tmp_path: Path) -> None:
    swarm(tmp_path, 4).result()

    def each(agents: int) -> float:
        gc.collect()
        before = len(gc.get_objects())
        run = swarm(tmp_path, agents).result()
        gc.collect()
        return (len(gc.get_objects()) - before) / run.metrics.total_steps

    few, many = each(20), each(200)
    assert few > 5  # the facts at least
    assert many == pytest.approx(few, rel=0.1)


@pytest.fixture
def lines() -> Iterator[list[int]]:
    """How many lines of Python the thread of the agents has carried out."""
    count = [0]

    def local(_frame: FrameType, event: str, _argument: object) -> Any:
        count[0] += event == "line"
        return local

    async def trace(function: Any) -> None:
        sys.settrace(function)

    runtime().spawn(trace(lambda _frame, _event, _argument: local)).result()
    yield count
    runtime().spawn(trace(None)).result()


def test_the_work_of_a_call_is_the_same_among_few_and_among_many(
    tmp_path: Path, lines: list[int]
) -> None:
    def each(agents: int) -> float:
        before = lines[0]
        run = swarm(tmp_path, agents).result()
        return (lines[0] - before) / run.metrics.total_steps

    each(4)  # what is imported and made once
    few, many = each(10), each(100)
    assert few > 50
    assert many < few * 1.2


def test_taking_steps_back_costs_the_same_among_few_and_among_many() -> None:
    def each(agents: int) -> float:
        account = Account(Budget(), None)
        held = [account.try_reserve(f"a{n}", 1, 1, 1) for n in range(agents)]
        count = [0]

        def local(_frame: FrameType, event: str, _argument: object) -> Any:
            count[0] += event == "line"
            return local

        sys.settrace(lambda _frame, _event, _argument: local)

        for reservation in held:
            assert reservation is not None
            account.settle(reservation, None)

        sys.settrace(None)
        assert (account.steps, account.critical_steps) == (0, 0)
        return count[0] / agents

    assert each(200) < each(20) * 1.2


class Played:
    """A run that has gone as far as `upto`."""

    name, prices, path, draft, pace, done = "museums", {}, None, "", "", False

    def __init__(self, trace: Any) -> None:
        self.trace, self.upto = trace, 0

    @property
    def records(self) -> Any:
        return self.trace[: self.upto]

    @property
    def seconds(self) -> float:
        return self.trace[max(self.upto - 1, 0)].t


def test_pages_get_so_many_bytes_of_snapshots_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(desks.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(desks.time, "thread_time", lambda: 0.0)
    source = Played(crowd(300, calls=4000))
    desk = Desk(source)
    sizes: list[int] = []
    beats = 200

    for beat in range(beats):
        source.upto = len(source.trace) * beat // beats + 1
        (told,) = desk.beat()
        assert told["to"] == source.upto

        if desk.snapshot is not None:
            sizes.append(len(orjson.dumps(desk.snapshot)))

        clock[0] += 0.1

    assert max(sizes) > 400_000
    assert sum(sizes) < RATE * beats * 0.1 + 2 * max(sizes)
    source.done, source.upto = True, len(source.trace)
    desk.beat()
    assert desk.snapshot is not None
    assert orjson.loads(orjson.dumps(desk.snapshot))["to"] == len(source.trace)
