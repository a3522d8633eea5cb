"""The desk that answers a page, the thread that feeds the pages, and the widget itself."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from crowds import crowd, until
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.errors import UsageFault
from kimi_nb.views.prices import PRICES
from kimi_nb.widgets import desk as desks
from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.feed import Feed
from kimi_nb.widgets.saving import save

TRACE = crowd(12)


class Source:
    """A run as a desk sees it, which grows when told to."""

    name = "museums"
    prices = PRICES
    draft = ""
    pace = ""

    def __init__(self, upto: int = len(TRACE), path: Path | None = None) -> None:
        self.records = list(TRACE[:upto])
        self.path = path
        self.ended: list[str | None] = []

    @property
    def done(self) -> bool:
        return len(self.records) == len(TRACE)

    @property
    def seconds(self) -> float:
        return self.records[-1].t if self.records else 0.0

    def cancel(self, agent: str | None = None) -> None:
        if agent == "nobody":
            message = "no sub-agent 'nobody' is running"
            raise UsageFault(message)

        self.ended.append(agent)


def ask(desk: Desk, kind: str, **more: Any) -> dict[str, Any]:
    (answer,) = desk.answer({"kind": kind, **more})
    return answer


def test_every_fact_is_told_once_and_the_last_message_says_that_it_is_over():
    source = Source(upto=0)
    desk = Desk(source)
    told = []

    for n in range(0, len(TRACE) + 10, 10):
        source.records = list(TRACE[:n])
        told += desk.beat()

    changes = [message for message in told if message["kind"] == "changes"]
    assert [m["from"] for m in changes[1:]] == [m["to"] for m in changes[:-1]]
    assert changes[-1]["to"] == len(TRACE)
    assert [m["live"] for m in changes] == [*[True] * (len(changes) - 1), False]
    assert desk.ended
    assert desk.snapshot is not None
    assert orjson.dumps(desk.snapshot).startswith(b'{"to":%d,' % len(TRACE))


def test_what_costs_more_with_the_length_is_reckoned_now_and_then_and_at_the_end(monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: 1000.0, thread_time=lambda: 0.0)
    monkeypatch.setattr(desks, "time", clock)  # no second passes between two beats
    source = Source(upto=50)
    desk = Desk(source)
    assert "path" in desk.beat()[0]
    assert desk.snapshot is not None
    assert "path" not in desk.beat()[0]
    assert desk.snapshot is None
    source.records = list(TRACE)
    assert "path" in desk.beat()[0]


def test_a_page_that_has_all_is_sent_nothing_twice():
    desk = Desk(Source())
    desk.beat()
    whole = ask(desk, "sync", since=0)
    assert (whole["from"], whole["to"]) == (0, len(TRACE))
    same = ask(desk, "sync", since=len(TRACE))
    assert (same["from"], same["to"], same["live"]) == (len(TRACE), len(TRACE), False)
    assert not {"agents", "spans", "ticks", "answer"} & set(same)


def test_the_past_is_the_run_as_it_was_then_in_any_order():
    desk = Desk(Source())
    desk.beat()

    for t in (5.0, 1.0, 20.0, 0.0, 5.0):
        told = ask(desk, "at", t=t)
        want = kn.metrics(until(TRACE, t))
        assert told["run"]["total_steps"] == want.total_steps
        assert told["run"]["status"] == "running"
        assert all(row[2] <= t + 1e-6 for row in told["path"])


def test_cancel_one_or_all_and_a_fault_is_told():
    source = Source(upto=80)
    desk = Desk(source)
    assert "cancelling a03" in ask(desk, "cancel", agent="a03")["text"]
    assert "cancelling the run" in ask(desk, "cancel")["text"]
    assert source.ended == ["a03", None]
    assert ask(desk, "cancel", agent="nobody")["text"] == "no sub-agent 'nobody' is running"


def test_into_the_background_once():
    left: list[bool] = []
    desk = Desk(Source(upto=80), lambda: left.append(True))
    assert desk.beat()[0]["can_background"] is True
    assert "background" in ask(desk, "background")["text"]
    assert left == [True]
    assert desk.beat()[0]["can_background"] is False
    assert "already" in ask(desk, "background")["text"]
    assert left == [True]


def test_saving_replaces_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = Source()
    assert save(source, "trace") == Path("museums.jsonl")
    assert save(source, "trace") == Path("museums-2.jsonl")
    assert kn.read("museums-2.jsonl") == TRACE
    assert save(source, "report") == Path("museums.html")
    assert "<!doctype html>" in Path("museums.html").read_text().lower()

    for what in ("", "../../x", "trace/..", "None"):
        with pytest.raises(UsageFault, match="trace or report"):
            save(source, what)

    source.name = "../../etc/evil"
    assert "etc-evil.jsonl" in ask(Desk(source), "save", what="trace")["text"]
    assert Path("etc-evil.jsonl").exists()


QUESTIONS = st.dictionaries(
    st.sampled_from(["kind", "id", "t", "agent", "what", "name", "since"]),
    st.sampled_from(
        [*("sync", "cancel", "save", "agent", "at", "artefact", "background"), *HOSTILE]
    )
    | st.none()
    | st.floats()
    | st.integers()
    | st.lists(st.integers()),
)


@given(QUESTIONS.filter(lambda question: question.get("kind") != "save"))
def test_no_question_of_a_page_breaks_the_desk(question):
    desk = Desk(Source(upto=60))
    desk.beat()

    for message in desk.answer(question):
        orjson.dumps({key: value for key, value in message.items() if key != "buffers"})

    assert desk.beat()[0]["kind"] == "changes"


class Fed:
    """A view that counts, and breaks if it is told to."""

    def __init__(self, beats: int, fault: Exception | None = None) -> None:
        self.ended = False
        self.beats = 0
        self.questions: list[dict[str, Any]] = []
        self.threads: set[int] = set()
        self.failed = 0
        self._last = beats
        self._fault = fault

    def beat(self) -> None:
        self.beats += 1
        self.threads.add(threading.get_ident())
        self.ended = self.beats >= self._last

        if self._fault is not None:
            raise self._fault

    def answer(self, question: dict[str, Any]) -> None:
        self.threads.add(threading.get_ident())
        self.questions.append(question)

        if self._fault is not None:
            raise self._fault

    def fail(self) -> None:
        self.failed += 1


def wait_for(what: Any) -> None:
    end = time.monotonic() + 50

    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_one_thread_feeds_all_views_until_their_runs_end(caplog):
    feed = Feed()
    views = [Fed(3), Fed(5), Fed(4, ValueError("broken"))]

    for view in views:
        feed.add(view)

    wait_for(lambda: views[0].ended and views[1].ended and views[2].failed)
    assert len(set.union(*(view.threads for view in views))) == 1
    assert "could not be kept up to date" in caplog.text
    assert views[2].beats == 1  # the broken one is let go, and stops no other
    assert [view.failed for view in views] == [0, 0, 1]
    feed.ask(views[0], {"kind": "sync"})
    wait_for(lambda: views[0].questions)
    assert (views[0].beats, views[1].beats) == (3, 5)


def test_the_feed_knows_the_request_in_which_it_began():
    request: ContextVar[str] = ContextVar("request")
    heard: list[str] = []

    class Sending(Fed):
        def beat(self) -> None:
            heard.append(request.get())  # as ipykernel 7.0 does, whatever is sent
            super().beat()

    request.set("the cell")
    Feed().add(Sending(2))
    wait_for(lambda: len(heard) == 2)
    assert heard == ["the cell", "the cell"]


def test_a_question_does_not_wait_for_the_next_beat_nor_push_it_away():
    feed = Feed()
    view = Fed(10**9)
    feed.add(view)
    wait_for(lambda: view.beats)

    for n in range(200):
        feed.ask(view, {"n": n})

    wait_for(lambda: len(view.questions) == 200)
    assert [question["n"] for question in view.questions] == list(range(200))
    beats = view.beats
    wait_for(lambda: view.beats > beats)
    view._last = 0
    wait_for(lambda: view.ended)


def test_a_view_that_is_added_twice_is_told_everything_once():
    feed = Feed()
    beats: list[Fed] = []

    class Noted(Fed):
        def beat(self) -> None:
            beats.append(self)
            super().beat()

    view, other = Noted(10**9), Noted(10**9)

    for added in (view, other, view):
        feed.add(added)

    feed.ask(view, {"kind": "sync"})
    wait_for(lambda: view.questions)  # all three have been heard by now
    heard = len(beats)
    wait_for(lambda: len(beats) >= heard + 10)
    turns = beats[heard : heard + 10]
    assert all(one is not next_one for one, next_one in pairwise(turns))
    assert set(turns) == {view, other}
    view._last = other._last = 0


def test_pages_that_ask_without_end_do_not_keep_the_news_back():
    feed = Feed()

    class Asking(Fed):
        def answer(self, question: dict[str, Any]) -> None:
            super().answer(question)

            if not self.ended:
                feed.ask(self, question)
                feed.ask(self, question)

    view = Asking(4)
    feed.add(view)
    feed.ask(view, {"kind": "sync"})
    wait_for(lambda: view.ended)
