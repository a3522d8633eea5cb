"""How far a learner has come, notebook by notebook: worked out from the log and the curriculum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kimi_nb.teach.curriculum import exercises, lessons, questions, quizzes
from kimi_nb.teach.progress import Fact

__all__ = ["Standing", "standings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One notebook and one learner."""

    lesson: str
    """As "03"."""
    exercises: int
    passed: int
    tries: int
    """Answers that were checked, right ones and wrong ones."""
    minutes: int
    """What the exercises take that were not passed yet."""
    questions: int
    locked: int
    """Questions with a prediction."""
    items: int
    """Of the quiz."""
    answered: int
    """Items with an answer."""
    right: int
    """Items whose first answer was right."""
    next: str
    """Id of the first thing that is still to do: a question, an exercise, a quiz; "" for none."""


def standings(facts: Iterable[Fact], student: str) -> list[Standing]:
    """What this student did, one row for each notebook of the curriculum."""
    own = [fact for fact in facts if fact.student == student]
    return [_standing(lesson, own) for lesson in lessons()]


def _standing(lesson: str, facts: list[Fact]) -> Standing:
    tasks, asked = exercises(lesson), [question.id for question in questions(lesson)]
    items = [f"{quiz.id}.{n}" for quiz in quizzes(lesson) for n in range(1, len(quiz.items) + 1)]
    checked = [fact for fact in facts if fact.kind == "checked"]
    passed = {fact.id for fact in checked if fact.passed}
    locked = {fact.id for fact in facts if fact.kind == "predicted"}
    first: dict[str, bool] = {}

    for fact in facts:
        if fact.kind == "answered":
            first.setdefault(fact.id, fact.passed is True)

    known = {task.id for task in tasks}
    todo = [
        *(each for each in asked if each not in locked),
        *(task.id for task in tasks if task.id not in passed),
        *(item.rpartition(".")[0] for item in items if item not in first),
    ]
    return Standing(
        lesson=lesson,
        exercises=len(tasks),
        passed=len(known & passed),
        tries=sum(fact.id in known for fact in checked),
        minutes=sum(task.minutes for task in tasks if task.id not in passed),
        questions=len(asked),
        locked=len(locked.intersection(asked)),
        items=len(items),
        answered=len(first.keys() & set(items)),
        right=sum(first.get(item, False) for item in items),
        next=todo[0] if todo else "",
    )
