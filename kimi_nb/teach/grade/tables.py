"""Grades as tables: for a teacher's spreadsheet, and as nbgrader exports its own."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kimi_nb.teach.exercise import ODD, RAISED, Exercise
from kimi_nb.teach.grade.batch import Graded
from kimi_nb.teach.grade.mark import OTHERS, Mark
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.views.export import FORMULAS
from kimi_nb.views.text import one_line

__all__ = ["Difficulty", "believed", "csv_text", "grades", "nbgrader_rows", "summary"]

OF_ONE = {
    RAISED: "It raised an error; the table (--out) has each one's words.",
    ODD: "It is no number, text, list or dict; the table (--out) has what it is.",
    OTHERS: "It is right for another student's data; the table (--out) has whose.",
}
"""Of what differs from student to student, what is the same."""
ASSIGNMENT = "lesson"
"""Begin of the name of a lesson's assignment in nbgrader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """How the class did in one exercise."""

    exercise: str
    answered: int
    passed: int
    keys: tuple[tuple[str, int], ...]
    """What went wrong and how often, the most frequent first."""


def grades(graded: Graded) -> Iterator[dict[str, Any]]:
    """A row for each exercise of each student."""
    for mark in graded.marks:
        message = "; ".join(filter(None, [mark.says.en, mark.detail]))
        yield {
            "student": mark.student,
            "exercise": mark.exercise,
            "points": mark.points,
            "max": mark.most,
            "passed": mark.passed,
            "key": mark.key,
            "message": one_line(message),
        }


def nbgrader_rows(graded: Graded) -> Iterator[dict[str, Any]]:
    """A row for each lesson of each student, with the columns of `nbgrader export`."""
    lessons = sorted({_lesson(each) for each in graded.exercises})

    for lesson in lessons:
        for student in graded.students:
            its = [mark for mark in graded.of(student.student) if mark.exercise[2:4] == lesson]
            score = float(sum(mark.points for mark in its))
            yield {
                "assignment": f"{ASSIGNMENT}{lesson}",
                "duedate": "",
                "timestamp": "",
                "student_id": student.student,
                "last_name": "",
                "first_name": "",
                "email": "",
                "raw_score": score,
                "late_submission_penalty": 0.0,
                "score": score,
                "max_score": float(sum(mark.most for mark in its)),
            }


def _lesson(asked: Exercise) -> str:
    return asked.id[2:4]


def summary(graded: Graded) -> list[Difficulty]:
    """By exercise: how many answered it, how many were right, and what the others believed."""
    return [_difficulty(each, graded.marks) for each in graded.exercises]


def _difficulty(asked: Exercise, marks: Sequence[Mark]) -> Difficulty:
    its = [mark for mark in marks if mark.exercise == asked.id]
    keys = Counter(mark.key for mark in its if mark.key)
    none = keys["unanswered"] + keys["missing"]
    return Difficulty(
        exercise=asked.id,
        answered=len(its) - none,
        passed=sum(mark.passed for mark in its),
        keys=tuple(keys.most_common()),
    )


def believed(graded: Graded, key: str, exercise: str) -> str:
    """What a key stands for: a misconception of the catalogue, or its exercise's message."""
    if key in MISCONCEPTIONS:
        return MISCONCEPTIONS[key].belief.en

    if key in OF_ONE:
        return OF_ONE[key]

    found = next(m for m in graded.marks if (m.exercise, m.key) == (exercise, key))
    return one_line(found.says.en)


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """As CSV; what a spreadsheet would compute is kept a text. At least one row."""
    listed = [{name: _inert(value) for name, value in row.items()} for row in rows]
    file = io.StringIO(newline="")
    table = csv.DictWriter(file, list(listed[0]))
    table.writeheader()
    table.writerows(listed)
    return file.getvalue()


def _inert(value: Any) -> Any:
    formula = isinstance(value, str) and value.lstrip().startswith(tuple(FORMULAS))
    return f"'{value}" if formula else value
