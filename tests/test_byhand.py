"""Traces written down by hand have exactly the figures that one reckons by hand."""

from __future__ import annotations

import pytest

import kimi_nb as kn
from kimi_nb.teach.byhand import planned, staged

STEPS = dict(zip("123456789", (3, 2, 2, 2, 4, 4, 4, 4, 9), strict=True))
AFTER = {**{name: ["4"] for name in "5678"}, "9": ["1"]}


def test_the_reports_example_of_critical_steps() -> None:
    found = kn.metrics(staged([[], [6, 9, 4, 7], []]))
    assert (found.critical_steps, found.total_steps, found.span_s) == (12, 29, 12.0)
    assert kn.metrics(staged([[], [7, 7, 6, 6], []])).critical_steps == 10


def test_two_chains_with_barriers_and_without() -> None:
    steps, after = {"a": 1, "b": 9, "c": 9, "d": 1}, {"c": ["a"], "d": ["b"]}
    run = planned(steps, after)
    assert kn.metrics(run).critical_steps == 18
    assert kn.measures(run).steps.span == kn.metrics(run).wall_s == 10
    assert kn.metrics(staged([[1, 9], [9, 1]])).critical_steps == 18 + 2


def test_grahams_anomaly() -> None:
    run = planned(STEPS, AFTER)
    measured = kn.measures(run).seconds
    assert (measured.work, measured.span) == (34.0, 12.0)
    times = {n: kn.what_if(run, workers=n).seconds for n in (2, 3, 4)}
    assert times == {2: 17.0, 3: 12.0, 4: 15.0}
    shorter = {name: steps - 1 for name, steps in STEPS.items()}
    assert kn.what_if(run, workers=3, sizes=shorter).critical_steps == 13
    untied = [("4", "5"), ("4", "6")]
    assert kn.what_if(run, workers=3, without=untied).critical_steps == 16


def test_tasks_that_begin_together_stand_in_the_order_in_which_they_were_given() -> None:
    run = planned({"c": 1, "a": 1, "b": 1}, {})
    assert [row.task for row in kn.what_if(run, workers=1).rows] == ["c", "a", "b"]


def test_what_cannot_be_a_run_is_refused_with_what_there_is() -> None:
    with pytest.raises(kn.UsageFault, match="no task 'z'; there are a"):
        planned({"a": 1}, {"a": ["z"]})

    with pytest.raises(kn.UsageFault, match="no task 'z'"):
        planned({"a": 1}, {"z": ["a"]})

    with pytest.raises(kn.UsageFault, match="wait for each other"):
        planned({"a": 1, "b": 1}, {"a": ["b"], "b": ["a"]})

    with pytest.raises(kn.UsageFault, match="at least 1"):
        staged([[0]])


def test_it_says_that_no_model_took_part_and_reads_back_as_it_was(tmp_path) -> None:
    run = staged([[2, 1]])
    assert kn.metrics(run).simulated
    assert list(kn.read(run.save(tmp_path / "run.jsonl"))) == list(run)
