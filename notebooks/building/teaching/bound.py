"""Which exercises, quiz items and predictions a misconception shows itself in."""

from __future__ import annotations

from typing import NamedTuple

from kimi_nb.teach.curriculum import exercises, quizzes
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.quiz import Quiz, QuizItem

__all__ = ["PREDICTED", "Bound", "bound"]

PREDICTED = {
    "p00.critical": ("M9", "M12"),
    "p01.tokens": ("M11",),
    "p02.critical": ("M3", "M9"),
    "p03.critical": ("M3", "M9"),
    "p04.fourth": ("M1", "M6"),
    "p05.average": ("M2", "M8"),
    "p07.farmed": ("M15",),
    "p08.alone": ("M13",),
    "p08.constant": ("M15",),
    "p09.learned": ("M1",),
    "p10.tokens": ("M11",),
    "p11.budget": ("M2", "M8"),
    "p12.cents": ("M5",),
    "p13.average": ("M8", "M10"),
    "p13.wall": ("M1", "M10"),
    "p14.critical": ("M9", "M12"),
}
"""By a question's id, which misconceptions a wrong prediction most often comes from: our
judgement, for a prediction is a number and does not say why."""


class Bound(NamedTuple):
    """Where one misconception shows itself."""

    exercises: tuple[str, ...]
    """Ids, of those that know it as a mistake."""
    options: tuple[tuple[Quiz, int, QuizItem], ...]
    """Quiz, number from 1, item; of those that have it as an option."""
    predictions: tuple[str, ...]
    """Ids."""


def bound() -> dict[str, Bound]:
    """By misconception, in their order."""
    return {key: _bound(key) for key in MISCONCEPTIONS}


def _bound(key: str) -> Bound:
    known = (each.id for each in exercises() if any(m.key == key for m in each.mistakes))
    items = (
        (quiz, number, item)
        for quiz in quizzes()
        for number, item in enumerate(quiz.items, 1)
        if any(option.key == key for option in item.options)
    )
    predicted = (identity for identity, keys in PREDICTED.items() if key in keys)
    return Bound(tuple(known), tuple(items), tuple(predicted))
