"""The exercises that a class is graded by: the curriculum's and a teacher's own."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from kimi_nb.errors import UsageFault
from kimi_nb.teach.curriculum import exercise, exercises
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.plain import called

__all__ = ["catalogue", "of_lessons", "one", "remembering"]

EXAMPLE = "EXERCISES = (Exercise(id='ex90.mine', …),)"


def catalogue(file: Path | None) -> dict[str, Exercise]:
    """All exercises by id; with a file, those that it defines as EXERCISES, too.

    The file's code runs here. Raises UsageFault for one that cannot be read or has no exercises,
    and for an id that is there already.
    """
    known = {each.id: each for each in exercises()}

    for each in _own(file) if file is not None else ():
        if each.id in known:
            raise UsageFault(
                f"{file}: there is an exercise {each.id!r} already; give it another id"
            )

        _try(each, file)
        known[each.id] = each

    return known


def one(identity: str, file: Path | None) -> Exercise:
    """The exercise of that id, by reading its lesson only. Raises UsageFault for none."""
    own = _own(file) if file is not None else []
    return next((each for each in own if each.id == identity), None) or exercise(identity)


def _own(file: Path) -> list[Exercise]:
    try:
        found: Any = runpy.run_path(str(file)).get("EXERCISES", ())
    except OSError as error:
        raise UsageFault(f"{file}: {error.strerror}") from error
    except Exception as error:  # whatever a teacher's module raises
        raise UsageFault(f"{file}: {type(error).__name__}: {error}") from error

    if not found or not all(isinstance(each, Exercise) for each in found):
        raise UsageFault(f"{file} defines no exercises; write {EXAMPLE}")

    return list(found)


def _try(own: Exercise, file: Path | None) -> None:
    """Raises UsageFault for one by which nobody can be graded."""
    try:
        cases = own.drawn("a trial")
        orjson.dumps(cases)
        verdict = own.verdict([called(own.solve, args) for args in cases], cases)
        some = bool(cases) and (own.form == "function" or [len(args) for args in cases] == [1])
    except Exception as error:  # noqa: BLE001 -- whatever a teacher's functions raise
        why = f"{type(error).__name__}: {error}"
    else:
        wrong = "" if verdict.passed else f"what its solve gives is not right ({verdict.key})"
        why = wrong if some else "it needs cases; of the form value one with one argument"

    if why:
        raise UsageFault(f"{file}, {own.id}: {why}; mend it, nobody is graded yet")


def of_lessons(known: Collection[Exercise], chosen: str) -> list[Exercise]:
    """Those of the lessons "03,04"; all for "". Raises UsageFault for a lesson that has none."""
    found = list(known)
    lessons = [lesson.strip() for lesson in chosen.split(",") if lesson.strip()]

    for lesson in lessons:
        if not any(each.id.startswith(f"ex{lesson}.") for each in known):
            there = ", ".join(sorted({each.id[2:4] for each in known}))
            raise UsageFault(f"no lesson {lesson!r} has exercises; there are {there}")

    wanted = tuple(f"ex{lesson}." for lesson in lessons)
    return [each for each in found if not wanted or each.id.startswith(wanted)]


def remembering(asked: Exercise) -> Exercise:
    """The same exercise, which works out each truth and each known mistake once only."""
    mistakes = tuple(replace(mistake, wrong=_once(mistake.wrong)) for mistake in asked.mistakes)
    return replace(asked, solve=_once(asked.solve), mistakes=mistakes)


def _once(function: Callable[..., object]) -> Callable[..., object]:
    return partial(_remembered, function, {})


def _remembered(function: Callable[..., object], known: dict[bytes, object], *args: Any) -> object:
    key = orjson.dumps(args)

    if key not in known:
        known[key] = function(*args)

    return known[key]
