"""λ over a training: the shapes keep to their formulas, and what is no schedule is refused."""

from __future__ import annotations

import json
import math
import os
from dataclasses import astuple
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_nb import UsageFault
from kimi_nb.views.anneal import SHAPES, Schedule

LAMBDAS = st.floats(0, 1e6)
UNTIL = st.floats(1e-6, 1)
PARTS = st.floats(0, 1)
PAGE = Path(__file__).parents[1] / "widgets" / "test" / "anneal.json"
"""Schedules and what they are at some parts of a training, for the tests of the page, which draws
them by formulas of its own. Written anew by KIMI_NB_GOLDEN=write."""


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    shape = draw(st.sampled_from(SHAPES))
    start = draw(LAMBDAS)
    return Schedule(start, start if shape == "constant" else draw(LAMBDAS), shape, draw(UNTIL))


@given(schedules())
def test_it_starts_at_start_and_ends_at_end(schedule: Schedule) -> None:
    assert schedule.at(0) == schedule.start
    assert schedule.at(schedule.until) == schedule.end
    assert schedule.at(1) == schedule.end


@given(schedules(), st.lists(PARTS, min_size=2))
def test_it_goes_one_way_and_stays_between(schedule: Schedule, parts: list[float]) -> None:
    values = [schedule.at(part) for part in sorted(parts)]
    low, high = sorted((schedule.start, schedule.end))
    falling = schedule.start >= schedule.end
    slack = (high - low) * 1e-12
    assert all(low <= value <= high for value in values)
    assert all((a - b if falling else b - a) >= -slack for a, b in pairwise(values))


@pytest.mark.parametrize(
    ("shape", "quarter", "half"),
    [
        ("linear", 0.75, 0.5),
        ("cosine", (1 + math.sqrt(0.5)) / 2, 0.5),
        ("exponential", 0.281665, 0.075858),
        ("step", 1, 1),
    ],
)
def test_the_formulas(shape: Any, quarter: float, half: float) -> None:
    falling, rising = Schedule(1, 0, shape, 1), Schedule(0, 1, shape, 0.5)
    assert falling.at(0.25) == pytest.approx(quarter, abs=1e-5)
    assert falling.at(0.5) == pytest.approx(half, abs=1e-5)
    assert rising.at(0.25) == pytest.approx(1 - half, abs=1e-5)


def test_a_constant_is_the_same_everywhere() -> None:
    assert {Schedule(0.5, 0.5, "constant", 1).at(part / 10) for part in range(11)} == {0.5}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.3, 0, "Linear", 1), "shape is one of 'constant', 'linear'"),
        ((0.3, 0, ["linear"], 1), "shape is one of"),
        ((-0.1, 0, "linear", 1), "start is λ, 0 or more, not -0.1"),
        ((0.1, -1, "linear", 1), "end is λ, 0 or more, not -1"),
        (("0.3", 0, "linear", 1), "start is a number, not '0.3': as in Schedule"),
        ((True, 0, "linear", 1), "start is a number, not True"),
        ((0.3, math.nan, "linear", 1), "end is a number, not nan"),
        ((10**400, 0, "linear", 1), "start is a number"),
        ((0.3, 0, "linear", 0), "until is a part of the training, above 0 and up to 1, not 0"),
        ((0.3, 0, "linear", 1.01), "until is a part"),
        ((0.3, 0, "linear", None), "until is a number"),
        ((0.5, 0, "constant", 1), r"type Schedule\(0.5, 0.5, 'constant', 1\)"),
    ],
)
def test_what_is_no_schedule_is_told_what_to_type(values: Any, words: str) -> None:
    with pytest.raises(UsageFault, match=words):
        Schedule(*values)


@pytest.mark.parametrize("progress", [-0.01, 1.01, math.nan])
def test_progress_outside_the_training_is_refused(progress: float) -> None:
    with pytest.raises(UsageFault, match="0 to 1"):
        Schedule(0.3, 0, "linear", 1).at(progress)


def test_it_is_a_value_of_plain_floats_and_reads_well() -> None:
    exact: Any = Fraction(3, 10)
    schedule = Schedule(exact, 0, "linear", 0.7)
    assert schedule == Schedule(0.3, 0, "linear", 0.7)
    assert type(schedule.start) is type(schedule.end) is float
    assert str(schedule) == "0.3 → 0, linear until 70 %"
    assert str(Schedule(0.5, 0.5, "constant", 1)) == "0.5 constant"


def test_the_page_draws_the_same() -> None:
    schedules = [Schedule(0.3, 0, shape, 0.7) for shape in SHAPES if shape != "constant"]
    schedules += [Schedule(0.1, 0.45, shape, 1) for shape in SHAPES if shape != "constant"]
    schedules.append(Schedule(0.5, 0.5, "constant", 1))
    parts = [part / 20 for part in range(21)]
    made = [
        {
            "plan": list(astuple(schedule)),
            "told": str(schedule),
            "at": [[part, round(schedule.at(part), 9)] for part in parts],
        }
        for schedule in schedules
    ]

    if os.environ.get("KIMI_NB_GOLDEN") == "write":
        PAGE.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", "utf-8")

    assert json.loads(PAGE.read_text("utf-8")) == made
