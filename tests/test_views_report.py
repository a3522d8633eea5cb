"""The page of a run: its parts in order, every picture with a twin, and light enough to mail."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from test_views_pictures import cells, many
from traces import Script, chains, staged, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.diagnosis.findings import Cost, Diagnosis, Finding, Kind
from kimi_nb.views.fold import fold
from kimi_nb.views.html.advice import MORE, advice_html, advice_lines
from kimi_nb.views.html.tables import agents_html, path_html, path_sentence, stages_html
from kimi_nb.views.measures import measures
from kimi_nb.views.path import critical_path
from kimi_nb.views.report import report_html
from kimi_nb.views.summary import summary_html, summary_text


class Pictures(HTMLParser):
    """Notes the pictures that nobody describes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.nameless: list[str] = []
        self.named = 0
        self._open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        spoken = given.get("role") == "img" and bool(given.get("aria-label"))
        inside = any(self._open)
        self.named += spoken

        if tag == "svg" and not (spoken or inside or given.get("aria-hidden") == "true"):
            self.nameless.append(str(given))

        if tag in {"svg", "div"}:
            self._open.append(spoken or inside)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"svg", "div"}:
            self._open.pop()


def heads(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


def finding(kind: Kind = "straggler", records: tuple[int, ...] = (3, 7)) -> Finding:
    cost = Cost(4, 12.5, None)
    return Finding(kind, ("a01",), records, cost, "a01 took 12.5 s <more>.", "Split it.")


def test_the_parts_come_in_the_order_in_which_one_asks() -> None:
    assert heads(report_html(many(5, failed=1))) == [
        "Answer",
        "What did not finish",
        "Diagnosis",
        "Timeline",
        "Concurrency",
        "Graph",
        "Measures",
        "Speed-up by workers",
        "Stages",
        "Agents",
        "How it was made",
    ]
    assert "What did not finish" not in heads(report_html(many(5)))


@given(swarms())
def test_every_picture_is_described(trace: Trace) -> None:
    assert Pictures(report_html(trace)).nameless == []


def test_a_page_has_its_pictures() -> None:
    assert Pictures(report_html(many(5))).named == 3 + 1  # charts, graph; the bar of the stage
    assert Pictures(report_html(many(50))).named == 4 + 1  # and the strip of all agents


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_run_that_has_hardly_begun_says_so_and_draws_nothing(size: int) -> None:
    html = report_html(many(5)[:size])
    assert "unfinished: the log ends before the run does" in html
    assert "There is no answer." in html
    assert Pictures(html).named == 0


def test_a_simulated_run_says_so() -> None:
    script = Script(simulated=True, model="simulator")
    script.orchestrator().step()
    assert "SIMULATOR: no language model took part" in report_html(script.trace())
    assert "SIMULATOR" not in report_html(staged(()))


def test_three_hundred_agents_of_ten_steps_make_a_page_of_less_than_two_megabytes() -> None:
    html = report_html(staged((10,) * 300))
    assert len(html.encode()) < 2_000_000
    assert "a300 w299" in html


def test_the_critical_path_names_its_records() -> None:
    trace = staged((2, 3), ())
    rows = cells(path_html(critical_path(trace)))[1:]
    assert [int(row[-1]) for row in rows] == [s.record for s in critical_path(trace)]
    assert [trace[int(row[-1])].agent for row in rows] == [s.agent for s in critical_path(trace)]
    assert {type(trace[int(row[-1])].fact).__name__ for row in rows} == {"StepBegan"}
    assert rows[1] == ["20.0%", "1.00 s", "a02 w1", "1", "call", "9"]


def test_a_sentence_says_who_decided_how_long_it_took() -> None:
    script = Script()
    main = script.orchestrator()
    (sub,) = main.assign(["slow"])
    sub.step(2.0, queued=1.0).end()
    main.join([sub])
    assert path_sentence(critical_path(script.trace())) == (
        "The 4.0 s were decided by a01 slow (75%) and a00 orchestrator (25%); "
        "1.0 s of them went into waiting."
    )
    assert "and 1 other agent." in path_sentence(critical_path(staged((1,), (3,), (2,), ())))
    assert path_sentence(critical_path(Trace())) == ""


def test_a_very_long_path_is_cut_and_counted() -> None:
    html = path_html(critical_path(staged(*[()] * 500)))
    assert len(cells(html)) == 1 + 200
    assert "… and 300 shorter ones, 300.0 s in all" in html


def test_measures_stand_side_by_side_with_what_they_say() -> None:
    html = report_html(staged((), (6, 9, 4, 7), ()))
    rows = {row[0]: row[1:] for row in cells(html[html.index("<h2>Measures") :])[:8]}
    assert rows["work"][:3] == ["29", "29.0 s", "3,480"]
    assert rows["span"] == [
        *("12", "12.0 s", "1,440"),
        "the longest chain: no number of workers goes below it (41% of the seconds of work)",
    ]
    assert rows["barriers"][:3] == ["2.5", "2.5 s", "300"]
    assert rows["parallelism"][0] == "2.42×"
    assert rows["parallelism"][3].endswith("; 2.42 were at work on average")


def test_a_stage_is_a_bar_up_to_its_mean_in_one_up_to_its_slowest() -> None:
    html = stages_html(fold(staged((), (), (6, 9, 4, 7), (2, 4))))
    assert 'aria-label="mean 6.5, slowest 9 steps"' in html
    wide = [float(w) for w in re.findall(r'class="(?:call|slowest)"[^>]*width="([\d.]+)"', html)]
    assert wide == pytest.approx([6.5 / 9 * 1000, 1000, 3 / 9 * 1000, 4 / 9 * 1000], abs=0.1)
    rows = [[row[0], *row[2:]] for row in cells(html)[1:]]
    assert rows == [
        ["1 to 2", "–", "–", "–", "–", "2", "2", "2.0 s"],
        ["3", "4", "6.5", "9", "2.5", "27", "10", "10.0 s"],
        ["4", "2", "3", "4", "1", "7", "5", "5.0 s"],
    ]
    assert "3.5 of the 13 steps of the slowest, 27%." in html


def test_every_sub_agent_has_its_slack() -> None:
    state = fold(staged((6, 9)))
    rows = cells(agents_html(state, measures(state)))[1:]
    assert [row[-2:] for row in rows] == [["–", "–"], ["3", "3.0 s"], ["none", "none"]]


# The diagnosis.


def test_a_finding_is_a_row_with_its_advice_its_cost_and_its_records() -> None:
    rows = cells(advice_html(Diagnosis((finding(), finding("imbalance", tuple(range(20)))))))
    assert rows[1] == [
        "straggler",
        "a01 took 12.5 s &lt;more&gt;.<br>→ Split it.",
        *("4", "12.5 s", "–"),
        "3, 7",
    ]
    assert rows[2][-1] == "0, 1, 2, 3, 4, 5, 6, 7 and 12 more"


def test_a_few_findings_are_told_in_a_line_each() -> None:
    lines = advice_lines(Diagnosis((finding(), *[finding("imbalance")] * 4)))
    assert lines == [
        "straggler (4 steps, 12.5 s): a01 took 12.5 s <more>.",
        *["imbalance (4 steps, 12.5 s): a01 took 12.5 s <more>."] * 2,
        f"… and 2 more findings; {MORE}",
    ]
    assert advice_lines(Diagnosis((finding(),)))[1].startswith("kn.diagnose(run)")
    assert advice_lines(Diagnosis()) == []


def test_summary_and_page_tell_what_the_diagnosis_found() -> None:
    trace = many(8, failed=2)
    found = diagnose(trace)
    assert found
    page, html, text = report_html(trace), summary_html(trace), summary_text(trace)
    assert all(one.advice in unescape(page) for one in found)
    assert all(str(one.records[0]) in page for one in found)
    assert all(line[:150] in text and line in unescape(html) for line in advice_lines(found))


def test_a_run_with_nothing_to_mend_says_what_was_looked_for() -> None:
    trace = chains((2, 2), (2, 2))
    assert len(diagnose(trace)) == 0
    assert "No finding: looked for serial collapse" in report_html(trace)
    assert "Diagnosis" not in summary_text(trace)
    assert "Diagnosis" not in summary_html(trace)
