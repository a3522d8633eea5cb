"""What a page is sent: every change once, and together exactly the whole."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import orjson
import pytest
from crowds import crowd, until
from hypothesis import given
from hypothesis import strategies as st
from traces import Script, staged, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import Fold, fold
from kimi_nb.views.path import critical_path
from kimi_nb.views.profile import BUSIEST, Profile
from kimi_nb.views.remaining import remaining
from kimi_nb.views.scene import Scene


def merged(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What a page has after all of them: rows by their keys, lists one after the other."""
    page: dict[str, Any] = {"agents": {}, "stages": {}, "spans": [], "ticks": []}

    for message in messages:
        page["agents"] |= {row["number"]: row for row in message.get("agents", [])}
        page["stages"] |= {(row["parent"], row["number"]): row for row in message.get("stages", [])}
        page["spans"] += message.get("spans", [])
        page["ticks"] += message.get("ticks", [])
        single = ("to", "now", "run", "answer", "path", "profile")
        page |= {key: message[key] for key in single if key in message}

    page["spans"].sort(key=lambda row: (row[0], row[1]))
    return page


def in_batches(trace: Trace, cuts: list[int]) -> list[dict[str, Any]]:
    scene = Scene("x")
    messages = []

    for begin, end in pairwise([0, *sorted(cuts), len(trace)]):
        scene.add(trace[begin:end])
        now = trace[end - 1].t if end else 0.0  # of the record before the cut
        messages.append(scene.changes(now, measured=end == len(trace)))

    return messages


def whole(trace: Trace) -> dict[str, Any]:
    scene = Scene("x")
    scene.add(trace)
    return scene.whole(trace[-1].t if trace else 0.0)


@given(swarms(), st.data())
def test_the_changes_together_are_the_whole_however_they_are_cut(trace, data):
    cuts = data.draw(st.lists(st.integers(0, len(trace)), max_size=5))
    messages = in_batches(trace, cuts)
    assert [m["to"] for m in messages[:-1]] == [m["from"] for m in messages[1:]]
    assert merged(messages) == merged([whole(trace)])


@given(swarms())
def test_asking_for_the_whole_changes_nothing(trace):
    half = len(trace) // 2
    asked, quiet = Scene("x"), Scene("x")

    for scene in (asked, quiet):
        scene.add(trace[:half])
        scene.changes(1.0)
        scene.add(trace[half:])

    asked.whole(2.0)
    assert asked.changes(2.0) == quiet.changes(2.0)


@given(swarms())
def test_it_is_json_and_says_what_the_views_say(trace):
    told = orjson.loads(orjson.dumps(whole(trace)))
    run = fold(trace)

    if not trace:
        assert told == {"to": 0, "from": 0, "now": 0.0}
        return

    assert metrics(run).as_dict().items() <= told["run"].items()
    assert [row["state"] for row in told["agents"]] == [
        agent.state_at(run.now) for agent in run.agents.values()
    ]
    closed = sum(len(agent.intervals) for agent in run.agents.values())
    assert len(told["spans"]) == closed
    numbers = {row["id"]: row["number"] for row in told["agents"]}
    path = critical_path(run) if run.agents else ()
    assert [row[:2] for row in told.get("path", [])] == [[numbers[s.agent], s.began] for s in path]


def test_a_change_is_as_small_as_what_has_happened():
    trace = crowd(300)
    scene = Scene("x")
    scene.add(trace[:-200])
    scene.changes(1.0)
    scene.add(trace[-200:-160])
    small = orjson.dumps(scene.changes(2.0, measured=False))
    assert len(small) < len(orjson.dumps(scene.whole(2.0))) / 10


def test_ticks_are_the_ordinary_tools_with_their_time():
    script = Script()
    main = script.orchestrator()
    main.step(1.0, tools=(("read_file", {"path": "a"}, 0.5), ("grep", {}, 2.0)))
    (sub,) = main.assign(["reader"], seconds=1.0)
    sub.begin()
    sub._turn([("python", {"code": "1/0"})], "", (1, 1, 0))
    sub.returned(0, sub.t + 0.25, ok=False)
    sub.t += 0.25
    sub.end()
    main.join([sub])
    told = whole(script.end())
    assert told["ticks"] == [
        [0, 1.0, 1.5, "read_file", 1],
        [0, 1.0, 3.0, "grep", 1],
        [1, 4.0, 4.25, "python", 0],
    ]


def test_a_long_profile_is_sent_in_so_many_means():
    trace = crowd(300, calls=4000)
    times, counts = whole(trace)["profile"].values()
    assert BUSIEST / 2 <= len(times) == len(counts) <= BUSIEST
    exact = list(concurrency(trace))

    for begin, end, mean in zip(times, [*times[1:], trace[-1].t], counts, strict=True):
        area = sum(n * max(0.0, min(b, end) - max(a, begin)) for a, b, n in exact)
        assert mean == pytest.approx(area / (end - begin), abs=0.01)


def test_a_long_profile_is_the_same_however_often_it_was_looked_at():
    trace = crowd(60, calls=1200)
    often, profile = Fold(), Profile()

    for record in trace:
        often.add(record)

        if record.seq % 97 == 0:
            profile.so_far(often)

    found, once = profile.so_far(often), Profile().so_far(often)
    assert len(once["times"]) > BUSIEST / 2
    assert found["times"] == once["times"]
    assert found["counts"] == pytest.approx(once["counts"], abs=0.01)


def test_a_snapshot_is_what_was_sent_and_what_was_not():
    trace = crowd(40, calls=300)
    sent, new = Scene("x"), Scene("x")

    for begin in range(0, len(trace) - 60, 50):
        sent.add(trace[begin : begin + 50])
        sent.changes(trace[begin + 49].t)

    sent.add(trace[sent.count : -20])
    new.add(trace[:-20])
    now = trace[-21].t
    assert orjson.loads(orjson.dumps(sent.snapshot(now))) == new.whole(now)


def test_the_answer_is_sent_when_it_changes_and_carries_no_markup_of_its_own():
    script = Script()
    main = script.orchestrator()
    main.step(1.0, said="<img src=x onerror=alert(1)> and **bold**")
    trace = script.end("<script>alert(1)</script>")
    scene = Scene("x")
    scene.add(trace[:-1])
    first = scene.changes(1.0)
    assert "<strong>bold</strong>" in first["answer"]
    assert "<img" not in first["answer"]
    assert "answer" not in scene.changes(1.0)
    scene.add(trace[-1:])
    assert "&lt;script&gt;" in scene.changes(1.0)["answer"]


@pytest.mark.parametrize("seed", range(3))
def test_what_remains_is_a_guess_from_those_that_came_back(seed):
    trace = crowd(40, seed=seed)
    dice = random.Random(seed)
    wall = trace[-1].t
    known = 0

    for _ in range(40):
        t = dice.uniform(0.0, wall)
        left = remaining(fold(until(trace, t)), t)
        assert left is None or 0.0 <= left <= wall
        known += left is not None

    assert known > 10
    assert remaining(fold(trace), wall) is None


def test_what_remains_of_a_stage_whose_half_is_back_is_the_other_half_and_the_answer():
    trace = staged((3, 3, 3, 9), ())
    half = until(trace, 4.5)  # three are back after 3 s of work each, the slow one goes on
    mean = (3 * 3.0 + 3.5) / 3  # 12.5 s of work for three that came back
    assert remaining(fold(half), 4.5) == pytest.approx(mean - 3.5 + 1.0, abs=0.05)  # and the answer
