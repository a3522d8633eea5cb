"""What `kn.check` says to a learner whose answer is none of the known wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kimi_nb.errors import UsageFault
from kimi_nb.teach.check import Checked, check, given
from kimi_nb.teach.curriculum import exercise
from kimi_nb.teach.difference import difference
from kimi_nb.teach.plain import Raised


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KIMI_NB_HOME", str(tmp_path))
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "en")


def told(checked: Checked) -> str:
    return "\n".join(checked.lines())


def test_a_function_without_a_return_is_asked_for_one() -> None:
    def span(cost: Any, after: Any) -> None:
        del cost, after

    assert "with a return" in told(check("ex04.span", span))


def test_a_function_that_forgets_one_case_is_shown_that_case() -> None:
    def critical_steps(stages: list[list[int]]) -> int | None:
        return exercise("ex03.critical").solve(stages) if len(stages) > 1 else None  # type: ignore[return-value]

    checked = check("ex03.critical", critical_steps)
    assert checked.verdict.key == "wrong"
    assert "critical_steps([[6, 9, 4, 7]]) it gave None" in told(checked)
    assert checked.case == [[[6, 9, 4, 7]]]


def test_a_wrong_kind_is_named() -> None:
    assert "It is a text; asked for is a number." in told(check("ex00.speed-up", "1.5x"))
    assert "It is a text; asked for is a list." in told(check("ex02.plan", "none"))


def test_a_long_case_can_be_run_by_the_line_that_is_shown() -> None:
    def run_agent(goal: Any, replies: Any, results: Any) -> Any:
        return exercise("ex01.loop").solve(goal, replies, results)[:2]  # type: ignore[index]

    checked = check("ex01.loop", run_agent)
    assert 'run_agent(*kn.check("ex01.loop", run_agent).case)' in told(checked)
    assert "At [2] there is nothing; asked for is a dict." in told(checked)
    assert checked.case is not None
    assert run_agent(*checked.case)


def test_an_error_that_is_a_known_mistake_is_shown_as_well() -> None:
    def run_agent(goal: Any, replies: Any, results: Any) -> Any:
        return [results[call["tool"]] for reply in replies for call in reply["calls"]] and exercise(
            "ex01.loop"
        ).solve(goal, replies, results)

    said = told(check("ex01.loop", run_agent))
    assert "A model may ask for a tool that there is not" in said
    assert "It raised KeyError" in said


@pytest.mark.parametrize(
    ("gave", "true", "says"),
    [
        ([1, [2, 3]], [1, [2, 4]], "The first difference is at [1][1]."),
        ({"a": [1]}, {"a": [1], "b": 2}, "At ['b'] there is nothing; asked for is a number."),
        ([1, 2, 3], [1, 2], "At [2] there is a number; asked for is nothing."),
        (1.45, 16 / 11, "It is rounded: give the number as it is."),
        ([0], [False], "At [0] there is a number; asked for is True or False."),
    ],
)
def test_a_difference_is_placed(gave: object, true: object, says: str) -> None:
    found = difference(gave, true)
    assert found is not None
    assert found.says is not None
    assert found.says.en == says


@pytest.mark.parametrize(("gave", "true"), [(1, 1.0), ([1], [1]), (Raised("ValueError", ""), 1)])
def test_there_is_no_difference_to_tell(gave: object, true: object) -> None:
    assert difference(gave, true) is None


def test_a_rounded_answer_is_not_called_another_one() -> None:
    def average(intervals: list[list[float]]) -> float:
        return round(exercise("ex05.concurrency").solve(intervals), 2)  # type: ignore[call-overload]

    said = told(check("ex05.concurrency", average))
    assert "It is rounded: give the number as it is." in said
    assert "another one" not in said


def test_a_wrong_number_is_not_told_by_how_much() -> None:
    found = difference(1, 2)
    assert found is not None
    assert found.says is None


def test_the_data_of_a_function_are_not_given_beforehand():
    with pytest.raises(UsageFault, match=r"kn\.check\(.ex03\.critical., critical_steps\)"):
        given("ex03.critical")
