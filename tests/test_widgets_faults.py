"""What goes wrong behind a page: no numbers, names that are no text, views that break."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from crowds import crowd
from learners import known

from kimi_nb import redact
from kimi_nb.events import IterationEnded
from kimi_nb.swarm.handle import Replay
from kimi_nb.trace import Record, Trace
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.artefact import artefact
from kimi_nb.widgets import desk as desks
from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.recorded import Recorded
from kimi_nb.widgets.steering import Steering
from kimi_nb.widgets.view import SwarmView


def diverged() -> Trace:
    """A training of which one reward came out as no number."""
    facts: list[Any] = [record.fact for record in known(Schedule(0.4, 0.0, "linear", 0.5))]
    place = next(n for n, fact in enumerate(facts) if isinstance(fact, IterationEnded))
    facts[place] = replace(facts[place], r_perf=math.nan, total=math.inf)
    return Trace([Record(n, 0.0, "", fact) for n, fact in enumerate(facts)])


def test_a_training_that_diverged_is_sent_as_gaps() -> None:
    (told,) = Desk(Recorded(diverged())).answer({"kind": "sync", "since": 0})
    assert told["to"] == 0
    desk = Desk(Recorded(diverged()))
    desk.beat()
    (told,) = desk.answer({"kind": "sync", "since": 0})
    json.dumps(told, allow_nan=False)
    row = dict(zip(told["rewards"]["columns"], told["rewards"]["rows"][0], strict=True))
    assert (row["r_perf"], row["total"]) == (None, None)


def test_a_run_is_shown_whatever_the_bytes_of_its_files_name() -> None:
    desk = Desk(Replay(crowd(3), name="mus\udce9es\x1b[2J"))
    desk.beat()
    assert orjson.loads(orjson.dumps(desk.snapshot))["run"]["name"] == "mus\ufffdes␛[2J"


def test_what_nobody_foresaw_is_told_and_not_thrown(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(Replay(crowd(3)))
    desk.beat()
    (told,) = desk.answer({"kind": "at", "t": 10**400})
    assert (told["kind"], "OverflowError" in told["text"]) == ("told", True)
    assert "could not be answered" in caplog.text


def test_a_slider_that_the_training_refuses_waits_for_nothing() -> None:
    class Refusing(Recorded):
        done = False  # type: ignore[assignment]

        def set(self, reward: str, schedule: Schedule) -> None:
            message = f"no {reward} of {schedule} today"
            raise RuntimeError(message)

    half = Schedule(0.5, 0.5, "constant", 1.0)
    trace = known(Schedule(0.4, 0.0, "linear", 0.5))
    training = Refusing(Trace(trace[:3]))
    steering = Steering(training)
    (told,) = steering.answer({"kind": "set", "schedules": {"parallel": [0.2, 0, "linear", 1]}})
    assert "RuntimeError" in told["text"]
    training.records = Trace([*trace[:3], *known(half)[1:2]])  # somebody else sets it
    steering.beat()
    assert steering.schedules["parallel"] == half


def test_the_page_of_a_view_that_breaks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Replay):
        @property
        def seconds(self) -> float:
            message = "no clock"
            raise RuntimeError(message)

    sent: list[Any] = []
    monkeypatch.setattr(SwarmView, "send", lambda _, message, __=None: sent.append(message))
    view = SwarmView(Broken(crowd(3)))

    while not sent:  # the time limit of every test ends it
        time.sleep(0.005)

    assert sent[0]["kind"] == "told"
    assert "broke off" in sent[0]["text"]
    assert not view.ended


def test_a_file_beside_the_log_shows_no_key(tmp_path: Path) -> None:
    key = "sk-" + "Zq7" * 16
    redact.know(key)
    name = "0123456789abcdef.txt"
    (tmp_path / name).write_text(f"the key is {key}, they say")
    assert artefact(tmp_path / "run.jsonl", name).data == b"the key is [key], they say"


def test_in_a_long_run_the_chosen_agent_is_told_seldom_but_to_its_end() -> None:
    trace = crowd(5)
    source = Recorded(Trace(trace[:40]))
    source.done = False
    desk = Desk(source)
    desk.beat()
    desk.answer({"kind": "agent", "id": "a00"})
    desk._later = math.inf  # the last time took long
    source.records = Trace(trace[: len(trace) - 1])
    assert [message["kind"] for message in desk.beat()] == ["changes"]
    source.records, source.done = trace, True
    told = desk.beat()[-1]
    (whole,) = desk.answer({"kind": "agent", "id": "a00"})
    turns = [turn for turn in whole["turns"] if turn["step"] >= told["since"]]
    assert (told["kind"], told["turns"]) == ("agent", turns)
    assert told["since"] <= turns[0]["step"]


def test_after_a_hold_up_all_is_told_as_often_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may keep the feed's from its work for a minute, which costs it nothing."""
    clock = [1000.0]
    detail = desks.detail

    class Held(Recorded):
        @property
        def seconds(self) -> float:
            clock[0] += 60.0
            return super().seconds

    def held(records: Any, id: str, since: int = 0) -> dict[str, Any]:
        clock[0] += 60.0
        return detail(records, id, since)

    now = SimpleNamespace(monotonic=lambda: clock[0], thread_time=time.thread_time)
    monkeypatch.setattr(desks, "time", now)
    monkeypatch.setattr(desks, "detail", held)
    trace = crowd(5)
    source = Held(Trace(trace[:40]))
    source.done = False
    desk = Desk(source)
    desk.answer({"kind": "agent", "id": "a01"})

    for upto in (40, 80, len(trace) - 1):
        source.records = Trace(trace[:upto])
        changes, news = desk.beat()
        assert "path" in changes
        assert (news["kind"], news["id"]) == ("agent", "a01")
        assert desk.snapshot is not None
