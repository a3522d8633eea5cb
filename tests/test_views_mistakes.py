"""What people type by mistake: one sentence that says what to type instead, and no Python error."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from traces import Script, staged

import kimi_nb as kn
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.forecast.wish import MOST_PARTS

TAKERS = {
    "measures": kn.measures,
    "critical_path": kn.critical_path,
    "concurrency": kn.concurrency,
    "metrics": kn.metrics,
    "diagnose": kn.diagnose,
    "what_if": kn.what_if,
    "what_if without barriers": lambda run: kn.what_if(run, barriers=False),
    "compare": lambda run: kn.compare(run, staged((1,))),
    "compare with": lambda run: kn.compare(staged((1,)), run),
    "rows": kn.rows,
    "chrome": lambda run: kn.export(run, "never.json"),
    "html": lambda run: kn.export(run, "never.html"),
}


@pytest.mark.parametrize("call", TAKERS.values(), ids=TAKERS)
@pytest.mark.parametrize("path", ["run.jsonl", Path("run.jsonl")])
def test_the_name_of_a_file_is_not_a_run(call, path, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageFault, match=r"not a run: type kn\.read\('run\.jsonl'\)$"):
        call(path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", TAKERS.values(), ids=TAKERS)
@pytest.mark.parametrize("thing", [None, 5, len, [1], [{"a": 1}], {"a": 1}, b"run", [staged((1,))]])
def test_what_is_no_run_is_refused(call, thing: Any) -> None:
    with pytest.raises(UsageFault, match=r" is no run: give what kn\.swarm or %%swarm made, or"):
        call(thing)


def test_who_reads_prompts_takes_no_fold() -> None:
    folded: Any = fold(staged((1,)))

    for call in (kn.diagnose, kn.rows):
        with pytest.raises(UsageFault, match="Fold is no run"):
            call(folded)


WISHES: list[tuple[dict[str, Any], str]] = [
    ({"workers": "2"}, "'2' workers do nothing; give a whole number"),
    ({"workers": 2.0}, "2.0 workers do nothing; give a whole number"),
    ({"workers": math.nan}, "nan workers do nothing"),
    ({"barriers": 0}, "barriers=0 says nothing; give True, False or None"),
    ({"barriers": "no"}, "barriers='no' says nothing; give True, False or None"),
    ({"faster": 2}, "faster=2 names no task; give numbers by task, as faster={'a1': 2}"),
    ({"faster": "a01"}, "faster='a01' names no task"),
    ({"faster": {"a01": "2"}}, "'a01' cannot be '2' times as fast"),
    ({"faster": {"a01": None}}, "'a01' cannot be None times as fast"),
    ({"faster": {1: 2}}, "no task 1; there are a01"),
    ({"split": ["a01"]}, "split=['a01'] names no task"),
    ({"split": {"a01": "2"}}, "'a01' cannot be split in '2'; give a whole number"),
    ({"split": {"a01": 10**9}}, f"split in 1,000,000,000; give at most {MOST_PARTS:,}"),
    ({"sizes": {"a01": "x"}}, "'a01' cannot take 'x' steps; give a whole number"),
    ({"assign": {"a01": "1"}}, "there is no worker '1' for 'a01'; give a whole number"),
    ({"assign": {"a01": [1]}}, "there is no worker [1] for 'a01'; give a whole number"),
    ({"order": "a01"}, "order='a01' is no list of tasks; give ids, as order=['a2', 'a1']"),
    ({"order": [1]}, "order=[1] is no list of tasks"),
    ({"without": ("a00/1", "a01")}, "has no pair in 'a00/1'; give pairs (a, b)"),
    ({"without": [("a", "b", "c")]}, "has no pair in ('a', 'b', 'c'); give pairs (a, b)"),
    ({"without": "ab"}, "has no pair in 'a'; give pairs (a, b)"),
    ({"without": None}, "has no pair in None; give pairs (a, b)"),
]


@pytest.mark.parametrize(("wish", "complaint"), WISHES, ids=lambda case: str(case)[:30])
def test_a_wish_of_the_wrong_kind_is_refused(wish, complaint: str) -> None:
    with pytest.raises(UsageFault) as caught:
        kn.what_if(staged((2, 1)), **wish)

    assert complaint in str(caught.value)


def test_very_many_workers_and_parts_are_no_trouble() -> None:
    run = staged((2, 1))
    assert kn.what_if(run, workers=10**30).seconds == kn.what_if(run).seconds
    assert len(kn.what_if(run, split={"a01": MOST_PARTS}).rows) == len(kn.what_if(run).rows) + (
        MOST_PARTS - 1
    )


@pytest.mark.parametrize("workers", [0, "2", None, math.nan])
def test_bounds_need_a_number_of_workers(workers: Any) -> None:
    with pytest.raises(UsageFault, match="workers do nothing: give at least 1"):
        kn.measures(staged((1,))).seconds.bounds(workers)


@pytest.mark.parametrize("of", ["step", None, 5, ["steps"]])
def test_rows_of_what_is_no_table(of: Any) -> None:
    with pytest.raises(UsageFault, match="give one of agents, stages, steps, tools, path, facts"):
        kn.rows(staged((1,)), of)


@pytest.mark.parametrize("path", [None, 5, b"run.json", "", "run", "run.xml"])
def test_an_export_to_what_has_no_known_ending(path: Any) -> None:
    with pytest.raises(UsageFault, match=r"give a file that ends with \.json, \.csv"):
        kn.export(staged((1,)), path)


@pytest.mark.parametrize("name", ["folder.json", "file/run.json", "x\0.json", "x" * 300 + ".json"])
def test_a_place_that_cannot_be_written_is_told_as_typed(name, tmp_path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").write_text("")

    with pytest.raises(KimiNbError, match=r"^cannot write .*json': .*; give another file$") as told:
        kn.export(staged((1,)), tmp_path / name)

    assert ".part" not in str(told.value)


def single() -> Trace:
    script = Script()
    main = script.orchestrator(role="single")
    main.step()
    main.end()
    return script.end()


def test_a_comparison_the_wrong_way_round_says_so() -> None:
    with pytest.raises(UsageFault, match="has 2 sub-agents: give the single agent second"):
        kn.compare(single(), staged((1, 1)))

    with pytest.raises(UsageFault, match=r"run the goal once more with single=True$"):
        kn.compare(staged((1, 1)), staged((1, 1)))


def test_a_comparison_of_a_run_that_goes_on_says_how_to_get_an_answer() -> None:
    with pytest.raises(UsageFault, match=r"first run is running: .*\(await it, or kn\.resume it\)"):
        kn.compare(staged((1,))[:3], single())


def test_goals_that_differ_late_are_shown_where_they_do() -> None:
    before = "For each CSV file in the folder, give the number of rows and the highest price. "
    first, second = (Script(goal=before + word) for word in ("Sorted by north.", "As a list."))

    with pytest.raises(UsageFault) as told:
        kn.compare(first.trace(), second.trace())

    assert "price. Sorted by north.'" in str(told.value)
    assert "price. As a list.'" in str(told.value)
