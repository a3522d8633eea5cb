"""Text views: safe characters, aligned columns, honest words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traces import Script, staged, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.live import doing, live_text
from kimi_nb.views.prices import Price
from kimi_nb.views.report import report_html
from kimi_nb.views.summary import summary_html, summary_text
from kimi_nb.views.text import clean, fit, one_line, width
from kimi_nb.views.timeline import swimlane
from kimi_nb.views.usage import usage
from kimi_nb.views.words import next_step, seconds, short


def test_width_counts_columns_of_a_terminal() -> None:
    assert [width(text) for text in ("abc", "智能体", "é", "e\u0301", "a\u200db")] == [
        3,
        6,
        1,
        1,
        2,
    ]


@given(st.text(max_size=40), st.integers(1, 30))
def test_fit_is_exactly_that_wide(text: str, columns: int) -> None:
    assert width(fit(text, columns)) == columns
    assert width(fit(text, columns, right=True)) == columns


def test_clean_keeps_lines_and_shows_what_it_took_away() -> None:
    assert clean("a\r\nb\tc\x1b[31m\u202e\ufeff") == "a\nb    c␛[31m\ufffd"
    assert one_line(" a \n b\u2028c ") == "a b c"


def test_seconds_and_counts_in_words() -> None:
    assert [seconds(s) for s in (0.04, 41.25, 599.9, 725.0)] == [
        "0.0 s",
        "41.2 s",
        "599.9 s",
        "12 min 05 s",
    ]
    assert [short(n) for n in (999, 1000, 13_940, 999_960, 2_000_000)] == [
        "999",
        "1.0k",
        "13.9k",
        "1000k",
        "2.0M",
    ]


def named(*names: str) -> Trace:
    script = Script()
    main = script.orchestrator()
    subs = main.assign(list(names))

    for index, sub in enumerate(subs):
        sub.step(1.0 + index).end()

    main.join(subs).step()
    main.end()
    return script.end()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_lane_is_as_wide_as_asked_whatever_the_names(columns: int) -> None:
    trace = named(
        "read", "读取价格的智能体", "ｆｕｌｌｗｉｄｔｈ", "e\u0301te\u0301", "\u202eevil\x1b[2J"
    )
    lines = swimlane(trace, width=columns).split("\n")
    assert {width(line) for line in lines[:-1]} == {columns}


@given(swarms(), st.integers(60, 100))
def test_lanes_never_overflow(trace: Trace, columns: int) -> None:
    lines = swimlane(trace, width=columns).split("\n")
    assert all(width(line) <= columns for line in lines[:-1])


def test_under_the_lanes_stands_how_many_were_at_work() -> None:
    lines = swimlane(staged((), (6, 9, 4, 7), ()), width=80).split("\n")
    assert lines[-2].split() == [
        "at",
        "work",
        "4",
        "at",
        "most",
        lines[-2].split()[5],
        "mean",
        "2.42",
    ]
    bar = lines[0].index("0 s")
    most = lines[-2].index("█")
    assert lines[-2][bar] == "▂"
    assert lines[2][most - 1 : most + 1] == "██"  # sub-agents have begun by then
    assert width(lines[-2]) == 80


def test_a_hundred_agents_show_the_telling_ones_and_count_the_rest() -> None:
    script = Script()
    main = script.orchestrator()
    subs = main.assign([f"w{i}" for i in range(100)])

    for index, sub in enumerate(subs):
        sub.step(1.0 + (index == 42) * 9 + (index == 7) * 5)
        sub.end("broke", "failed") if index in {3, 90} else sub.end()

    main.join(subs).step()
    lines = swimlane(script.trace(), lanes=8).split("\n")
    shown = [line.split()[1 if line.startswith("▶") else 0] for line in lines[1:9]]
    assert {"a00", "a04", "a08", "a43", "a91"} <= set(shown)
    assert shown == sorted(shown)
    assert lines[9] == "  … and 93 more: 93 finished"
    assert [line[:5] for line in lines if line.startswith("▶")] == ["▶ a00", "▶ a43"]


def test_bars_show_each_kind_and_a_failed_attempt_always() -> None:
    script = Script()
    main = script.orchestrator(role="single")
    main.step(4.0, queued=2.0, fails=((0.01, 0.01),), tools=(("grep", {}, 3.98),)).end()
    lane = swimlane(script.trace(), width=60).split("\n")[1]
    bar = lane.split("finished")[1].split()[0]
    cells = len(bar)
    assert set(bar) == set("·×█▒")
    assert abs(bar.count("·") - cells * 0.2) <= 1
    assert abs(bar.count("█") - cells * 0.4) <= 2
    assert bar.count("×") == 1


def test_live_text_of_a_run_says_what_goes_on() -> None:
    script = Script(simulated=True, options=json.dumps({"budget": {"steps": 40, "usd": None}}))
    main = script.orchestrator()
    tool, think, retry, done = main.assign(["package-reader", "thinker", "unlucky", "quick"])
    done.step(1.0).end()
    tool.begin()
    tool.t += 1.0
    tool._turn([("package_info", {"name": "numpy"})], "", (10, 5, 0))
    think.begin()
    retry.step(0.0, fails=((0.5, 4.0),))
    state = fold(script.trace()[:-1])
    text = live_text(state, 2.5, name="museums")
    assert text.split("\n") == [
        "● running museums · kimi-k3 · 2.5 s",
        "SIMULATOR: no language model took part",
        "██████░░░░░░░░░░░░░░░░░░░░░░░░ 1 of 5 agents ended",
        "1 finished, 1 thinking, 1 tool, 1 retrying, 1 waiting",
        "3 steps (2 critical) · 5 tool calls · 210 tokens in, 45 out · $0",
        "budget left: 37 steps",
        "· a00 orchestrator: waits for 3 sub-agents of 4",
        "◆ a01 package-reader: package_info(numpy)",
        "↻ a03 unlucky: again in 3.0 s (too many at once)",
        "● a02 thinker: step 1",
    ]


def test_a_retry_whose_wait_is_over_is_thinking_again() -> None:
    script = Script()
    script.orchestrator(role="single").step(5.0, fails=((1.0, 2.0),))
    state = fold(script.trace()[:4])
    agent = state.agents["a00"]
    assert doing(agent, state, 2.0) == "again in 1.0 s (too many at once)"
    assert doing(agent, state, 3.5) == "step 1"


@given(swarms(), st.integers(40, 100))
def test_live_text_stays_small(trace: Trace, columns: int) -> None:
    state = fold(trace)
    lines = live_text(state, state.now + 0.5, width=columns, name="run").split("\n")
    assert len(lines) <= 14
    assert all(width(line) <= columns for line in lines)


@pytest.mark.parametrize("status", ["partial", "cancelled", "over_budget", "failed"])
def test_a_run_that_did_not_finish_says_what_to_type(status: str) -> None:
    script = Script()
    script.orchestrator()
    trace = script.end("", status, "the key is wrong")
    text = summary_text(Trace(trace, path=Path("runs/a b.jsonl")))
    assert f"{status.replace('_', ' ')}: the key is wrong" in text
    assert 'kn.resume("runs/a b.jsonl") or %swarm resume runs/a b.jsonl' in text
    assert 'save it with .save("run.jsonl")' in summary_text(trace)


def test_a_finished_run_needs_no_advice_and_a_killed_one_does() -> None:
    trace = staged((1,))
    assert next_step(fold(trace), None) == ""
    assert "unfinished: the log ends before the run does" in summary_text(trace[:5])
    assert "kn.resume" in summary_text(trace[:5])


def test_failures_are_listed_with_their_reasons() -> None:
    script = Script()
    main = script.orchestrator()
    main.assign(["w"])[0].step().end("no such file: m7.txt", "failed")
    text = summary_text(script.end(status="partial"))
    assert "What did not finish:\n  a01 w ✗ failed no such file: m7.txt" in text


def test_own_prices_reach_every_text() -> None:
    prices = {"kimi-k3": Price(tokens_in=0.0, tokens_cached=0.0, tokens_out=1e6)}
    trace = staged(())
    state = fold(trace)
    assert "; $20.00;" in summary_text(trace, prices=prices)
    assert live_text(state, state.now, prices=prices).split("\n")[3].endswith("$20.00")
    assert "$20.00" in summary_html(trace, prices=prices)
    assert "$20.00" in report_html(trace, prices=prices)


def test_usage_adds_up() -> None:
    trace = staged((2, 3), ())
    rows = usage(trace)
    assert [row.agent for row in rows] == ["a00", "a01", "a02", ""]
    assert rows[-1].steps == sum(row.steps for row in rows[:-1]) == 7
    assert rows[-1].tokens_in == sum(row.tokens_in for row in rows[:-1]) == 700
    assert rows[-1].cost_usd == pytest.approx(sum(row.cost_usd or 0.0 for row in rows[:-1]))
    assert rows[-1].cost_usd == metrics(trace).cost_usd


@pytest.mark.parametrize("status", ["cancelled", "over_budget"])
def test_agents_that_ended_with_their_run_are_one_line(status: str) -> None:
    script = Script()
    main = script.orchestrator()
    first, *others = main.assign(["a", "b", "c"])
    first.step().end("no such file", "failed")

    for agent in (*others, main):
        agent.end("cancelled", "cancelled")

    text = summary_text(script.end(status=status))
    assert text.partition("What did not finish:\n")[2].split("\n")[:2] == [
        "  a01 a ✗ failed no such file",
        "  3 agents ⊘ cancelled with the run",
    ]


def test_agents_that_ended_for_the_reason_of_their_run_are_one_line_too() -> None:
    why = "the next call does not fit into the budget of 600 tokens"
    script = Script()
    main = script.orchestrator()

    for agent in (*main.assign(["a", "b", "c"]), main):
        agent.end(why, "over_budget")

    text = summary_text(script.end(status="over_budget", why=why))
    told = text.partition("What did not finish:\n")[2].split("\n\n")[0]
    assert told == "  4 agents ▲ over budget with the run"
    assert text.count(why) == 1
