"""What goes wrong behind a page: numbers that are none, names that are no text, a view that breaks."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import orjson
from crowds import crowd
from learners import known

from kimi_nb.events import IterationEnded
from kimi_nb.swarm.handle import Replay
from kimi_nb.trace import Record, Trace
from kimi_nb.views.anneal import Schedule
from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.recorded import Recorded


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
