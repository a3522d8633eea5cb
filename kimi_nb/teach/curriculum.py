"""What the notebooks ask, by its id: exercises, predictions and quizzes."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any, Protocol, TypeVar, cast

from kimi_nb.errors import UsageFault
from kimi_nb.teach import exercises as package
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Quiz

__all__ = ["exercise", "exercises", "lessons", "question", "questions", "quiz", "quizzes"]


@cache
def lessons() -> dict[str, tuple[str, ...]]:
    """The modules of each notebook, by its number: {"03": ("ex03_stages", …)}."""
    found: dict[str, tuple[str, ...]] = {}

    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if number := re.match(r"ex(\d\d)", module):
            found[number[1]] = (*found.get(number[1], ()), module)

    return found


def exercises(lesson: str | None = None) -> list[Exercise]:
    """Of one notebook, "03", or of all, in their order."""
    return _all("EXERCISES", lesson)


def questions(lesson: str | None = None) -> list[Question]:
    """What is predicted in one notebook, "03", or in all, in their order."""
    return _all("PREDICTIONS", lesson)


def quizzes(lesson: str | None = None) -> list[Quiz]:
    """Of one notebook, "03", or of all, in their order."""
    return _all("QUIZ", lesson)


def exercise(identity: str) -> Exercise:
    """The exercise of that id. Raises UsageFault, with what it could have been."""
    return _one("exercise", identity, exercises)


def question(identity: str) -> Question:
    """The question of that id. Raises UsageFault, with what it could have been."""
    return _one("question", identity, questions)


def quiz(identity: str) -> Quiz:
    """The quiz of that id. Raises UsageFault, with what it could have been."""
    return _one("quiz", identity, quizzes)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_Kind = TypeVar("_Kind", bound=_Named)


def _one(kind: str, identity: str, among: Callable[[str | None], list[_Kind]]) -> _Kind:
    """Only the notebook's own modules are imported, where its number is in the id."""
    lesson = (re.findall(r"\d\d", str(identity)) or [None])[0]
    chosen = among(lesson if lesson in lessons() else None)

    if found := next((each for each in chosen if each.id == identity), None):
        return found

    raise UsageFault(unknown(kind, identity, [each.id for each in among(None)]))


def unknown(kind: str, identity: str, known: list[str]) -> str:
    """The message for an id that nothing has."""
    near = get_close_matches(str(identity), known, 1)
    meant = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known) or 'none'}"
    return f"no {kind} has the id {identity!r}; {meant}"


def _all(name: str, lesson: str | None) -> list[Any]:
    chosen = lessons() if lesson is None else {lesson: lessons().get(lesson, ())}
    return [each for modules in chosen.values() for module in modules for each in _of(module, name)]


def _of(module: str, name: str) -> tuple[Any, ...]:
    """What a module has under that name: several things, one, or none."""
    found: Any = getattr(import_module(f"{package.__name__}.{module}"), name, ())
    return cast("tuple[Any, ...]", found) if isinstance(found, tuple) else (found,)
