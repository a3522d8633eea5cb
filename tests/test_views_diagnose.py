"""The list of findings, and runs in which there is none."""

from __future__ import annotations

import json

import pytest
from dialogues import GOAL, Job, clean, conversation, jobs, only
from traces import chains, staged

from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import Diagnosis, diagnose
from kimi_nb.views.diagnosis.findings import MOST_RECORDS


@pytest.mark.parametrize(
    "trace",
    [
        staged((), (6, 9, 4, 7), ()),
        staged((), (7, 7, 6, 6), ()),
        staged((), (), ()),
        staged((), (1,), ()),
        chains((1, 9), (9, 1)),
        chains((1,), (50,)),
        Trace(),
    ],
)
def test_nothing_is_found_in_the_clean_worked_examples(trace: Trace) -> None:
    clean(trace)
    assert repr(diagnose(trace)).startswith("No finding")


def test_the_most_costly_comes_first_whatever_it_is_measured_in() -> None:
    first, second, third, fourth = jobs(6, 60, 4, 7)
    small = fourth._replace(outcome="failed", result="HTTP 500")
    found = diagnose(conversation(GOAL, (first, second, third, small)))
    assert [f.kind for f in found] == ["straggler", "spurious parallelism"]
    large = second._replace(outcome="failed", result="HTTP 500")
    found = diagnose(conversation(GOAL, (first, large, third, fourth)))
    assert [f.kind for f in found] == ["spurious parallelism", "straggler"]


def test_rows_are_json() -> None:
    found = diagnose(conversation(GOAL, *((job,) for job in jobs(3, 5, 4))))
    (row,) = json.loads(json.dumps(found.as_rows()))
    assert row["cost"] == {"steps": 9, "seconds": 9.0, "tokens": None}
    assert row["kind"] == "serial collapse"
    assert row["agents"] == ["a01", "a02", "a03"]
    assert row["records"] == list(found[0].records)
    assert row.keys() == {"kind", "agents", "records", "cost", "what", "advice"}


def test_the_text_has_all_that_a_row_has() -> None:
    text = repr(diagnose(conversation(GOAL, *((job,) for job in jobs(3, 5, 4)))))
    assert "1. serial collapse · cost: 9 steps, 9.0 s" in text
    assert "→ Launch" in text
    assert "records 3, " in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_run_that_goes_on_is_judged_so_far() -> None:
    trace = conversation(GOAL, *((job,) for job in jobs(3, 5, 4)))
    assert repr(diagnose(trace[:3])).startswith("No finding so far")
    assert repr(diagnose(trace[:-1])).startswith("1 finding so far")


def test_a_finding_about_many_names_few() -> None:
    team = tuple(Job(f"Look into hall number {i}.", "…", steps=2) for i in range(200))
    found = only(conversation(GOAL, team), "spurious parallelism")
    assert len(found.agents) == 200
    assert len(found.records) == MOST_RECORDS
    assert "a001, a002" in found.what or "a01, a02, a03, a04 and 196 more" in found.what
    assert Diagnosis((found,))[0] is found
