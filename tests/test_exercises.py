"""Every exercise against every known wrong answer, over many learners."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from kimi_nb.teach.curriculum import exercises
from kimi_nb.teach.exercise import UNANSWERED, Exercise
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.plain import Odd, Raised, called, plain

SEEDS = [f"learner {number}" for number in range(25)]
"""Of learners. Where a judge runs a simulation, the first few."""

every = pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)


def seeds(exercise: Exercise) -> list[str]:
    return SEEDS if exercise.judge is None else SEEDS[:3]


def typed(exercise: Exercise, code: str) -> object:
    """What a cell binds, in a namespace of its own."""
    space: dict[str, object] = {}
    exec(compile(code, exercise.id, "exec", dont_inherit=True), space)  # noqa: S102 -- ours
    return space[exercise.name]


@every
def test_the_solution_passes_for_every_learner(
    exercise: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in seeds(exercise):
        monkeypatch.setenv("KIMI_NB_STUDENT", seed)
        cases = exercise.drawn(seed)
        code = exercise.code()

        if exercise.form == "value" and "kn.given" not in code:
            code = f"{exercise.stub}\n{code}"

        outputs = exercise.outputs(typed(exercise, code), cases)
        assert exercise.verdict(outputs, cases).passed, (seed, outputs)


@every
def test_each_known_mistake_fails_with_its_own_message(exercise: Exercise) -> None:
    for seed in seeds(exercise):
        cases = exercise.drawn(seed)

        for mistake in exercise.mistakes:
            outputs = [called(mistake.wrong, args) for args in cases]
            verdict = exercise.verdict(outputs, cases)
            assert (verdict.passed, verdict.key) == (False, mistake.key), (seed, cases)
            assert verdict.says == mistake.says


@every
def test_the_stub_runs_and_is_no_answer(exercise: Exercise) -> None:
    cases = exercise.drawn("anyone")
    verdict = exercise.verdict(exercise.outputs(typed(exercise, exercise.stub), cases), cases)
    assert (verdict.passed, verdict.key) == (False, UNANSWERED)


@every
def test_its_solution_says_nothing_to_a_linter(exercise: Exercise) -> None:
    assert not re.search("noqa|type: ignore", exercise.code())


@every
def test_what_stands_in_it_is_whole(exercise: Exercise) -> None:
    assert re.fullmatch(r"ex\d\d\.[a-z-]+", exercise.id)
    assert 1 <= exercise.difficulty <= 5
    assert 2 <= exercise.minutes <= 40
    assert len(exercise.mistakes) >= 2
    assert len(exercise.hints) >= 2
    assert exercise.form == "value" or exercise.solve.__name__ == exercise.name

    for text in (exercise.title, exercise.task, *exercise.hints):
        assert text.en.strip()
        assert re.search("[\u4e00-\u9fff]", text.zh), text

    keys = [mistake.key for mistake in exercise.mistakes]
    assert len(set(keys)) == len(keys)
    assert all(key in MISCONCEPTIONS or not re.match(r"M\d", key) for key in keys)


@every
def test_the_cases_are_plain_and_each_learner_has_their_own(exercise: Exercise) -> None:
    drawn = [exercise.drawn(seed) for seed in SEEDS]
    assert all(plain(cases) == cases for cases in drawn)
    assert drawn[0] == exercise.drawn(SEEDS[0])

    if exercise.form == "value":
        assert all(len(cases) == 1 and len(cases[0]) == 1 for cases in drawn)

    different = {str(cases) for cases in drawn}
    assert len(different) > len(SEEDS) / 2, "learners can copy from one another"


@every
def test_an_answer_that_is_none_of_the_known_ones_fails(exercise: Exercise) -> None:
    cases = exercise.drawn("anyone")

    for odd in (Odd("a generator"), Raised("ZeroDivisionError", "division by zero"), "nonsense"):
        assert not exercise.verdict([odd] * len(cases), cases).passed


def test_no_id_stands_twice() -> None:
    assert {id: n for id, n in Counter(each.id for each in exercises()).items() if n > 1} == {}
