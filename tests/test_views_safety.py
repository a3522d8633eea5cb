"""Whatever a model writes stays text: no markup, no control of the terminal, nothing fetched."""

from __future__ import annotations

import pytest
from hostile import HOSTILE, Page, hostile_trace, unsafe_characters
from hypothesis import given
from hypothesis import strategies as st
from traces import swarms

from kimi_nb.trace import Trace
from kimi_nb.views.concurrency import sparkline
from kimi_nb.views.fold import fold
from kimi_nb.views.html.tables import path_sentence
from kimi_nb.views.live import live_text
from kimi_nb.views.markdown import markdown_html
from kimi_nb.views.path import critical_path
from kimi_nb.views.report import report_html
from kimi_nb.views.summary import summary_html, summary_text
from kimi_nb.views.text import escape
from kimi_nb.views.timeline import swimlane

STATUSES = ("partial", "finished", "failed", "cancelled", "over_budget")


def texts(trace: Trace) -> list[str]:
    state = fold(trace)
    live = live_text(state, state.now + 1, name="run")
    path = critical_path(state)
    told = [repr(path), path.table(), sparkline(state), path_sentence(path)]
    return [summary_text(trace), swimlane(trace), live, *told]


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("view", [summary_html, report_html])
def test_nothing_of_the_models_text_is_live_in_html(view, evil: str) -> None:
    for status in STATUSES:
        html = view(hostile_trace(evil, status))
        assert Page(html).faults == []
        assert unsafe_characters(html) == set()
        html.encode()


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_of_the_models_text_moves_a_terminal(evil: str) -> None:
    trace = hostile_trace(evil)

    for size in range(len(trace) + 1):
        for text in texts(trace[:size]):
            assert unsafe_characters(text) == set()


def test_a_checker_that_finds_nothing_would_be_no_test() -> None:
    for evil in (HOSTILE[0], HOSTILE[1], HOSTILE[4], HOSTILE[8], HOSTILE[9]):
        assert Page(f"<p>{evil}</p>").faults

    assert Page(f"<p class='{HOSTILE[2]}'>x</p>").faults

    assert unsafe_characters(HOSTILE[5]) == {"\x1b", "\x07"}
    assert unsafe_characters("\u202e\u2066\x00\x9b\ud800") == set("\u202e\u2066\x00\x9b\ud800")


@pytest.mark.parametrize("size", range(60))
def test_every_prefix_can_be_shown(size: int) -> None:
    trace = hostile_trace("plain")[:size]
    assert Page(report_html(trace)).faults == []
    assert Page(summary_html(trace)).faults == []


@given(swarms())
def test_every_run_can_be_shown(trace: Trace) -> None:
    assert Page(report_html(trace)).faults == []
    assert Page(summary_html(trace, lanes=2)).faults == []
    assert all(texts(trace)[:-1])


MARKDOWN = st.lists(
    st.sampled_from(
        [
            *HOSTILE,
            "# h",
            "- a",
            "1. b",
            "|",
            "a | b",
            "|-|-|",
            "**x**",
            "_y_",
            "**a _b** c_",
            "_",
            "**",
            "`",
            "",
            "\\|",
        ]
    )
    | st.text(max_size=20)
).map("\n".join)


@given(MARKDOWN)
def test_any_markdown_is_harmless(text: str) -> None:
    html = markdown_html(text)
    assert Page(html).faults == []
    assert unsafe_characters(html) == set()


def test_the_report_forbids_the_network_by_itself() -> None:
    html = report_html(hostile_trace("plain"))
    head = html[: html.index("<style>")]
    assert "default-src 'none'; style-src 'unsafe-inline'" in head
    assert "http://" not in html
    assert "https://" not in html


def test_escape_works_in_quoted_attributes() -> None:
    assert escape("\"'<>&\x1b") == "&quot;&#x27;&lt;&gt;&amp;␛"
