"""The doctor before a strict endpoint, before the simulator, and before each thing broken alone."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import pytest
from faults.brains import OfBody, Thought, small_swarm
from faults.cards import K3, Key
from faults.kimi import KimiServer
from faults.log import Asked
from faults.mishaps import Fault, stall
from faults.quirks import Made, Quirks, Turn
from faults.server import Answer, call, refuse, say
from faults.tier import Tier
from processes import COMMAND, ENVIRONMENT

from kimi_nb.models.base import Request, ToolCall
from kimi_nb.models.endpoint import MOONSHOT
from kimi_nb.swarm.doctor import Check, Report, examine
from kimi_nb.swarm.doctor.asking import Caller, Ear
from kimi_nb.swarm.doctor.picture import named
from kimi_nb.swarm.doctor.report import check_of, failed
from kimi_nb.swarm.doctor.validity import trials

PAID = ["call", "usage", "tools", "round trip", "parallel", "arguments", "images"]
FREE = ["endpoint", "key", "models", "balance"]
ALL = ["version", "log", "sandbox", "model", *FREE, *PAID]
Body = dict[str, Any]


def kind(body: Body) -> str:
    """Which check a request belongs to."""
    last = body["messages"][-1]

    if isinstance(last["content"], list):
        return "images"

    if last["role"] == "tool":
        return "round trip"

    return {0: "call", 1: "arguments"}.get(len(body.get("tools", ())), "tools")


def broken(**by_check: Thought | Callable[[Any], Thought]) -> OfBody:
    """A good brain, but for the checks named here: what it says, or what becomes of that."""
    good = small_swarm().think

    def think(body: Body) -> Thought:
        instead = by_check.get(kind(body).replace(" ", "_"))

        if instead is None:
            return good(body)

        return instead(good(body)) if callable(instead) else instead

    return OfBody(think)


def seen_by(server: KimiServer, model: str = "kimi-k3", **more: Any) -> Report:
    return examine(model, server.base_url, server.key, **more)


def verdicts(report: Report) -> dict[bool | None, list[str]]:
    return {ok: [c.name for c in report if c.ok is ok] for ok in (True, False, None)}


def the(report: Report, name: str) -> Check:
    return next(check for check in report if check.name == name)


def only_failure(report: Report) -> Check:
    """The one check that failed, after a look that there is advice there and nowhere else."""
    assert [check.name for check in report] == ALL
    found = [check for check in report if check.ok is False]
    assert len(found) == 1, report
    assert [check for check in report if check.todo] == found
    assert not report.ok
    return found[0]


def not_tried(report: Report) -> list[str]:
    return [check.name for check in report if check.detail.startswith("not tried")]


def test_all_is_well_at_a_strict_endpoint_and_the_bill_is_the_platforms() -> None:
    told: list[str] = []

    with KimiServer() as server:
        report = seen_by(server, told=told.append)

        assert verdicts(report) == {True: ALL, False: [], None: []}, report
        assert report.ok
        assert all(asked.outcome == "completed" for asked in server.log)
        assert report.calls == len(server.log) == 4 + len(trials())
        assert report.cost_usd == pytest.approx(server.spent_usd)
        assert (report.tokens_in, report.tokens_out) == (
            sum(asked.tokens_in for asked in server.log),
            sum(asked.tokens_out for asked in server.log),
        )
        assert server.key not in repr(report) + report._repr_html_() + "".join(told)

    assert the(report, "key").detail.startswith("as typed, for 127.0.0.1:")
    assert "kimi-k3 (1,048,576 tokens) is live, among: kimi-k3, " in the(report, "models").detail
    assert the(report, "balance").detail == "100.00 left"
    assert "pieces" in the(report, "call").detail
    assert the(report, "usage").detail.startswith("reported: ")
    assert the(report, "arguments").detail.startswith(f"{len(trials())} of {len(trials())} valid")
    assert "went back as reasoning_content" in the(report, "round trip").detail
    assert f"up to {report.calls} small calls of kimi-k3 follow, which cost a little" in told
    assert told.index(next(t for t in told if "small calls" in t)) == ALL.index("call")
    assert told[-1] == report.bill
    assert "\n".join(line for line in told if "small calls" not in line) == repr(report)


def test_a_server_with_other_habits_passes_as_well() -> None:
    quirks = Quirks(thinking_key="reasoning", index="none", usage="choice", empty_deltas=True)

    with KimiServer(quirks=quirks) as server:
        report = seen_by(server)

    assert verdicts(report)[False] == [], report
    assert "went back as reasoning and" in the(report, "round trip").detail


def test_the_set_of_schemas_is_hard_enough() -> None:
    schemas = json.dumps([trial.tool.parameters for trial in trials()])
    assert len(trials()) >= 8
    assert all(f'"{word}"' in schemas for word in ("anyOf", "enum", "integer", "array", "number"))
    assert any('"' in trial.words and "他" in trial.words for trial in trials())
    assert "map_task" in {trial.tool.name for trial in trials()}


def test_the_simulator_in_this_process_passes_what_rules_can(monkeypatch) -> None:
    monkeypatch.delenv("MOONSHOT_API_KEY", raising=False)
    monkeypatch.delenv("KIMI_API_KEY", raising=False)
    report = examine()
    assert report.ok
    assert verdicts(report)[None] == [*FREE, "arguments", "images"]
    assert all("simulator" in the(report, name).detail for name in verdicts(report)[None])
    assert report.calls == 3
    assert report.cost_usd == 0


# The key and the account ------------------------------------------------------------------------


class Watched(KimiServer):
    """Notes every key that it is shown."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.shown: set[str | None] = set()

    def known(self, headers: Mapping[str, str]) -> Key | None:
        self.shown.add({k.lower(): v for k, v in headers.items()}.get("authorization"))
        return super().known(headers)


@pytest.fixture
def two_platforms(monkeypatch):
    """Moonshot's two platforms, each with a key of its own."""
    with Watched(keys=["sk-international-1"]) as ai, Watched(keys=["sk-mainland-22"]) as cn:
        monkeypatch.setitem(MOONSHOT, "ai", ai.base_url)
        monkeypatch.setitem(MOONSHOT, "cn", cn.base_url)
        yield ai, cn


@pytest.mark.parametrize("sent", ["ai", "cn"])
def test_a_key_of_the_other_platform_is_told_where_it_belongs(two_platforms, sent) -> None:
    ai, cn = two_platforms
    other, key = ("cn", cn.key) if sent == "ai" else ("ai", ai.key)
    report = examine("kimi-k3", sent, key)
    wrong = only_failure(report)
    assert wrong.name == "key"
    there = MOONSHOT[other].removeprefix("http://").removesuffix("/v1")
    assert f"belongs to {there}" in wrong.detail
    assert f"use --base-url {other}" in wrong.todo
    assert not_tried(report) == ["models", "balance", *PAID]
    assert report.calls == 0
    assert key not in repr(report)


@pytest.mark.usefixtures("two_platforms")
def test_a_key_that_neither_platform_knows_is_to_be_made_anew() -> None:
    wrong = only_failure(examine("kimi-k3", "ai", "sk-of-nobody-333"))
    assert wrong.name == "key"
    assert "is refused by 127.0.0.1" in wrong.detail
    assert wrong.detail.count("127.0.0.1:") == 2
    assert "set MOONSHOT_API_KEY" in wrong.todo


def test_balances_are_in_the_platforms_currency(two_platforms) -> None:
    ai, cn = two_platforms
    assert the(examine("kimi-k3", "ai", ai.key), "balance").detail == "100.00 USD left"
    assert the(examine("kimi-k3", "cn", cn.key), "balance").detail == "100.00 CNY left"


def test_a_wrong_key_elsewhere_is_shown_to_nobody_else(two_platforms) -> None:
    ai, cn = two_platforms

    with Watched() as server:
        wrong = only_failure(examine("kimi-k3", server.base_url, "sk-of-nobody-333"))

    assert wrong.name == "key"
    assert "refuses the key (as typed)" in wrong.detail
    assert "OPENAI_API_KEY" in wrong.todo
    assert server.shown == {"Bearer sk-of-nobody-333"}
    assert ai.shown == cn.shown == set()


def test_a_key_that_is_missing_is_asked_for() -> None:
    with KimiServer() as server:
        wrong = only_failure(examine("kimi-k3", server.base_url))

    assert (wrong.name, "wants a key and got none" in wrong.detail) == ("key", True)
    assert "KIMI_API_KEY" in wrong.todo


def test_an_empty_account_is_to_be_topped_up_before_anything_is_paid_for() -> None:
    with KimiServer(balance=0) as server:
        report = seen_by(server)
        assert server.log == []

    wrong = only_failure(report)
    assert (wrong.name, wrong.detail[:5]) == ("balance", "0.00:")
    assert wrong.todo.startswith("top the account up")
    assert not_tried(report) == PAID


@pytest.mark.parametrize(("asked", "meant"), [("kimi-k2.5", "kimi-k2.6"), ("kimi-k33", "kimi-k3")])
def test_a_retired_or_misspelt_model_gets_the_live_ones(asked, meant) -> None:
    with KimiServer() as server:
        report = seen_by(server, asked)
        assert server.log == []

    wrong = only_failure(report)
    assert wrong.name == "models"
    assert all(name in wrong.detail for name in ("kimi-k3.1-pro", "kimi-k2.7-code", "kimi-k2.6"))
    assert f"did you mean '{meant}'" in wrong.todo
    assert not_tried(report) == ["balance", *PAID]


# One thing broken at a time ---------------------------------------------------------------------


def not_json(good: Turn) -> Turn:
    if good.calls[0].name != "set_progress":
        return good

    return Turn(calls=(Made("", "set_progress", '{"percent": 40'),))


def out_of_bounds(good: Turn) -> Turn:
    if good.calls[0].name != "set_progress":
        return good

    return Turn(calls=(Made("", "set_progress", '{"percent": 400}'),))


def another_colour(good: Turn) -> Turn:
    return Turn(text="Blue" if "red" in good.text else "Red")


def half(good: Turn) -> Turn:
    return replace(good, calls=good.calls[:1])


PAGE = Answer(parts=(b"<html>nothing here",), headers={"Content-Type": "text/html"})
WHOLE = Answer(parts=(say("one two three").plain,), headers={"Content-Type": "application/json"})
SILENT = say("one two three", usage=None)
SENT_BACK = refuse(400, "invalid_request_error", "reasoning_content is not allowed")

BROKEN: dict[str, tuple[OfBody, str, str, str, list[str]]] = {
    "invalid JSON": (
        broken(arguments=not_json),
        "arguments",
        "8 of 9 valid (not: integer: the arguments are not valid JSON",
        "--tool-call-parser",
        [],
    ),
    "out of bounds": (
        broken(arguments=out_of_bounds),
        "arguments",
        "8 of 9 valid (not: integer: percent is 400; it must be from 0 to 100)",
        "take another model",
        [],
    ),
    "words instead of calls": (
        broken(arguments="Certainly!"),
        "arguments",
        "0 of 9 valid (not: text: no call",
        "--tool-call-parser",
        [],
    ),
    "no tools": (
        broken(tools="I cannot."),
        "tools",
        "it called no tool and said 'I cannot.'",
        "take a model that calls tools",
        ["round trip", "parallel", "arguments"],
    ),
    "one call at a time": (
        broken(round_trip=half),
        "parallel",
        "1 of 3 calls in one turn",
        "--plan",
        [],
    ),
    "not streamed": (broken(call=WHOLE), "call", "in one piece", "proxy_buffering off", []),
    "no usage": (broken(call=SILENT), "usage", "not reported", "stream_options", []),
    "refused on its way back": (
        broken(round_trip=SENT_BACK),
        "round trip",
        "a turn with its thinking (reasoning_content) is refused",
        "update the server",
        ["parallel"],
    ),
    "wrong colour": (broken(images="It is mauve."), "images", "it said 'It is mauve.'", "see", []),
    "another colour": (broken(images=another_colour), "images", "picture, it said", "see", []),
    "a page": (broken(call=PAGE), "call", "answered with a web page", "/v1", PAID[1:]),
    "a failure": (
        broken(call=refuse(500, "server_error", "out of memory")),
        "call",
        "out of memory",
        "look into its log",
        PAID[1:],
    ),
    "out of money in the middle": (
        broken(tools=refuse(429, "exceeded_current_quota_error", "no money")),
        "tools",
        "no money",
        "top the account up",
        PAID[3:],
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_alone_fails_alone_with_advice(what) -> None:
    brain, name, detail, todo, untried = BROKEN[what]

    with KimiServer(brain) as server:
        report = seen_by(server)

    wrong = only_failure(report)
    assert (wrong.name, not_tried(report)) == (name, untried)
    assert detail in wrong.detail
    assert todo in wrong.todo


@pytest.mark.parametrize("silent", ["call", "tools", "round trip", "arguments", "images"])
def test_a_stall_fails_its_own_check_in_time(monkeypatch, silent) -> None:
    def silenced(body: Body) -> bool:
        tools = [tool["function"]["name"] for tool in body.get("tools", ())]
        return kind(body) == silent and (silent != "arguments" or tools == ["add_tags"])

    def fault(asked: Asked) -> Fault | None:
        return stall() if silenced(asked.body) else None

    async def once(caller: Caller, request: Request) -> Any:
        """The time of a call that is silenced is soon over; all others have theirs."""
        body = {"messages": request.conversation.messages, "tools": request.tools.specs}
        mine = copy(caller)
        mine.patience = 0.2 if silenced(body) else caller.patience
        return await ask(mine, request)

    ask = Caller._once
    monkeypatch.setattr(Caller, "_once", once)

    with KimiServer(faults=fault) as server:
        report = seen_by(server, patience=50)

    wrong = only_failure(report)
    assert wrong.name == silent
    assert "no whole answer within 50 s" in wrong.detail
    assert not_tried(report) == {
        "call": PAID[1:],
        "tools": ["round trip", "parallel", "arguments"],
        "round trip": ["parallel"],
    }.get(silent, [])


@pytest.mark.parametrize("by_card", [True, False])
def test_a_model_without_eyes_is_no_failure(by_card) -> None:
    refusal = refuse(400, "invalid_request_error", "image input is not supported")
    brain = broken(images=refusal)
    models = [replace(K3, images=not by_card)]

    with KimiServer(brain, models=models) as server:
        report = seen_by(server)
        assert sum(kind(asked.body) == "images" for asked in server.log) == (not by_card)

    assert report.ok
    assert the(report, "images").ok is None
    assert "this model has no eyes" in the(report, "images").detail


def test_a_model_that_sends_no_thinking_is_no_failure() -> None:
    with KimiServer(models=[replace(K3, thinking="never")]) as server:
        report = seen_by(server)

    assert report.ok
    assert the(report, "round trip") == Check(
        "round trip", None, "it sends no thinking; the tool's result was taken"
    )


def test_a_call_that_is_whole_long_before_its_turn_ends_starts_early(monkeypatch) -> None:
    heard = threading.Event()
    on_call = Ear.on_call

    def hears(ear: Ear, made: ToolCall) -> None:
        on_call(ear, made)
        heard.set()

    monkeypatch.setattr(Ear, "on_call", hears)
    calls = [("assign_task", {"agent": "worker", "prompt": place}) for place in "abc"]
    parts = call(*calls, size=100).parts
    late = Answer(parts=(*parts[:3], heard.is_set, 0.05, *parts[3:]))

    with KimiServer(broken(round_trip=late)) as server:
        report = seen_by(server)

    assert the(report, "parallel").ok
    assert "sub-agents start early" in the(report, "parallel").detail


def test_a_limit_is_waited_for() -> None:
    with KimiServer(tier=Tier(concurrency=1, retry_after="seconds")) as server:
        report = seen_by(server)
        assert server.peak == 1

    assert report.ok, report


# What is shown ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tools", "round trip"])
def test_words_of_an_endpoint_can_do_nothing_and_no_key_is_among_them(name) -> None:
    with KimiServer() as server:
        hostile = f"\x1b[31m<script>{server.key}\u202e\n\nno"
        refusal = refuse(400, "invalid_request_error", hostile)
        brain = broken(tools=hostile) if name == "tools" else broken(round_trip=refusal)
        server._voice = replace(server._voice, brain=brain)
        report = seen_by(server)

    shown = repr(report) + report._repr_html_() + json.dumps(report.as_dict(), ensure_ascii=False)
    assert only_failure(report).name == name
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert server.key not in shown
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()


def test_a_verdict_is_a_word_and_a_long_detail_is_cut() -> None:
    report = Report([check_of("call", failed("no " * 1_000, "wait\nhere"))])
    line, todo = repr(report).split("\n")
    assert line.startswith("✘ fail   call ")
    assert line.endswith("…")
    assert len(line) < 700
    assert todo.strip() == "→ wait here"
    assert "✘ fail" in report._repr_html_()
    assert not report.ok
    assert report.bill == ""


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("Red.", {"red"}),
        ("a coloured square", set()),
        ("这是绿色的", {"green"}),
        ("red or blue", {"red", "blue"}),
    ],
)
def test_colours_are_words(text, colours) -> None:
    assert named(text) == colours


# In a process -----------------------------------------------------------------------------------


def doctor(server: KimiServer, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**ENVIRONMENT, "KIMI_BASE_URL": server.base_url, "KIMI_API_KEY": server.key}
    return subprocess.run(
        [*COMMAND, "doctor", *options], env=environment, capture_output=True, text=True, check=False
    )


def test_the_command_prints_one_object_and_exits_with_0_only_if_nothing_failed() -> None:
    with KimiServer(models=[replace(K3, images=False)]) as server:
        done = doctor(server, "--json", "--thinking", "low")
        assert done.returncode == 0, done.stderr
        assert {asked.body.get("reasoning_effort") for asked in server.log} == {"low"}
        retired = doctor(server, "--json", "--model", "kimi-k2.5")
        assert retired.returncode == 1
        plain = doctor(server)
        printed = [done.stdout, done.stderr, retired.stdout, plain.stdout, plain.stderr]
        assert not any(server.key in text for text in printed)

    found = json.loads(done.stdout)
    assert {c["name"]: c["ok"] for c in found["checks"]} == {
        name: None if name == "images" else True for name in ALL
    }
    assert next(c["detail"] for c in found["checks"] if c["name"] == "key").startswith(
        "from KIMI_API_KEY, for 127.0.0.1:"
    )
    assert found["cost_usd"] > 0
    assert "✔ pass   round trip" in plain.stdout
    assert plain.stderr == ""
