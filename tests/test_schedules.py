"""Several schedules on one scale, as text and as a picture."""

from __future__ import annotations

import re

import pytest
from test_byhand import AFTER, STEPS

import kimi_nb as kn
from kimi_nb.teach.byhand import planned, staged
from kimi_nb.teach.schedules import schedules

GRAHAM = """\
3 workers: 12.0 s
  1  │1══════════│9══════════════════════════════════
  2  │2──────│4──────│5──────────────│7──────────────
  3  │3──────········│6──────────────│8──────────────
4 workers: 15.0 s
  1  │1══════════│8──────────────································
  2  │2──────│5──────────────│9══════════════════════════════════
  3  │3──────│6──────────────····································
  4  │4──────│7──────────────····································"""


def test_both_are_drawn_on_one_scale_with_the_longest_chain() -> None:
    drawn = repr(schedules(planned(STEPS, AFTER), 3, 4)).splitlines()
    assert [line.rstrip() for line in drawn[:-1]] == GRAHAM.splitlines()
    assert "SIMULATOR" in drawn[-1]


def test_the_picture_has_each_task_once_and_says_what_the_text_says() -> None:
    html = schedules(planned(STEPS, AFTER), 3)._repr_html_()
    widths = [float(w) for w in re.findall(r'<rect [^>]*?width="([\d.]+)"', html)]
    assert sorted(round(w * 12 / 560) for w in widths) == sorted(STEPS.values())
    assert 'aria-label="3 workers: 12.0 s"' in html
    assert html.count('stroke-width="2.5"') == 2


def test_it_speaks_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "zh")
    found = schedules(planned(STEPS, AFTER), 3)
    assert repr(found).startswith("3 个工作者：12.0 s")
    assert "最长的一条链" in found._repr_html_()


def test_names_are_escaped() -> None:
    html = schedules(planned({"<b>x": 1}), 1)._repr_html_()
    assert "<b>x" not in html
    assert "&lt;b&gt;x" in html


def test_a_worker_without_work_has_an_empty_lane() -> None:
    assert repr(schedules(staged([[1]]), 2)).splitlines()[2] == "  2  " + "·" * 60


def test_it_says_how_to_ask() -> None:
    with pytest.raises(kn.UsageFault, match=r"schedules\(run, 2, 3, 4\)"):
        schedules(staged([[1]]))
