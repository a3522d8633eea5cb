"""What the notebooks ask, by its id: exercises, predictions and quizzes."""

from __future__ import annotations

import pkgutil
import re
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.teach import exercises as package
from kimi_nb.teach.exercise import Exercise

__all__ = ["exercise", "exercises", "lessons"]


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
    chosen = lessons() if lesson is None else {lesson: lessons().get(lesson, ())}
    return [
        each for modules in chosen.values() for name in modules for each in _of(name, "EXERCISES")
    ]


def exercise(identity: str) -> Exercise:
    """The exercise of that id. Raises UsageFault, with what it could have been."""
    for each in exercises(identity[2:4] if identity[2:4] in lessons() else None):
        if each.id == identity:
            return each

    raise UsageFault(unknown("exercise", identity, [each.id for each in exercises()]))


def unknown(kind: str, identity: str, known: list[str]) -> str:
    """The message for an id that nothing has."""
    near = get_close_matches(identity, known, 1)
    meant = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known) or 'none'}"
    return f"no {kind} has the id {identity!r}; {meant}"


def _of(module: str, name: str) -> tuple[Any, ...]:
    return tuple(getattr(import_module(f"{package.__name__}.{module}"), name, ()))
