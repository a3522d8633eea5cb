"""From an answer to its mark: run in the sandbox, compared with the truth here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_nb.teach.exercise import UNANSWERED, WRONG, Args, Exercise
from kimi_nb.teach.grade.mark import MISSING, OTHERS, UNREAD, Mark, said
from kimi_nb.teach.grade.program import Program
from kimi_nb.teach.grade.sandboxed import run_answer, run_judge
from kimi_nb.teach.grade.submissions import Submission
from kimi_nb.teach.grade.wire import as_json, from_json
from kimi_nb.teach.plain import Odd, Raised
from kimi_nb.teach.student import NOBODY
from kimi_nb.tools.native.process import Hold

__all__ = ["Marking", "Task"]

JUDGED = 30.0
"""Seconds for a judge."""
STRANGERS = tuple(f"stranger {number}" for number in range(20))
"""Whose data nobody has: no student's name has a space."""
GIVEN = re.compile(r"""\bgiven\(\s*["']([^"']+)""")
"""Whose data a cell asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One exercise of one student."""

    student: Submission
    asked: Exercise
    program: Program | None
    """None where no notebook has the exercise."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of an answer."""

    key: str
    gave: Any = None
    right: int = 0
    cases: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Marking:
    """Marks answers; may be used by several threads at once."""

    students: Sequence[str]
    seed: str
    seconds: float
    file: Path | None
    known: Mapping[str, Exercise]

    def mark(self, task: Task, hold: Hold) -> Mark:
        """Run and judge one answer. Raises ToolError where the sandbox does not start."""
        asked, student, program = task.asked, task.student.student, task.program
        found = self._found(task, hold)
        notes = [program.note if program else "", found.detail]
        passed = not found.key
        return Mark(
            student=student,
            exercise=asked.id,
            points=asked.difficulty if passed else 0,
            most=asked.difficulty,
            passed=passed,
            key=found.key,
            says=said(asked, found.key, found.gave, student, self.seconds),
            detail="; ".join(filter(None, notes)),
            right=found.right,
            cases=found.cases,
        )

    def _found(self, task: Task, hold: Hold) -> _Found:
        program = task.program

        if program is None:
            return _Found(MISSING, detail="; ".join(task.student.faults))

        if program.trouble:
            raised = Raised("SyntaxError", program.trouble)
            return _Found("raised", raised, detail=program.trouble)

        if not program.cells:
            return _Found(UNANSWERED)

        cases = self._cases(task.asked, task.student.student)
        outcome = run_answer(self._plan(task, program, cases), self.seconds, hold)

        if outcome.why:
            return _Found(outcome.why)

        outputs = from_json(outcome.found)

        if outputs is not None and len(outputs) == 1:  # of all cases
            outputs *= len(cases)

        if outputs is None or len(outputs) != len(cases):
            return _Found(UNREAD)

        return self._judged(task, outputs, cases, hold)

    def _cases(self, asked: Exercise, student: str) -> list[Args]:
        """Hidden ones for a function; for a value those that the student had."""
        return asked.drawn(student if asked.form == "value" else self.seed)

    def _plan(self, task: Task, program: Program, cases: list[Args]) -> dict[str, Any]:
        """All that the child gets to know."""
        asked, student = task.asked, task.student.student
        named = {asked.id, *GIVEN.findall("\n".join(program.cells))}
        others = [self.known[each] for each in named if each in self.known]
        given = {each.id: each.drawn(student)[0][0] for each in others if each.form == "value"}
        return {
            "cells": program.cells,
            "name": program.name,
            "cases": None if asked.form == "value" else cases,
            "given": given,
            "student": student,
        }

    def _judged(self, task: Task, outputs: list[Any], cases: list[Args], hold: Hold) -> _Found:
        asked = task.asked

        if asked.judge is None:
            verdict = asked.verdict(outputs, cases)
            key, share = verdict.key, verdict.share
        else:
            plan = {
                "exercise": asked.id,
                "file": str(self.file.resolve()) if self.file else "",
                "outputs": as_json(outputs),
                "cases": cases,
            }
            judged = run_judge(plan, JUDGED, hold)

            match judged.found:
                case {"key": str(key), "share": float() | int() as share}:
                    pass
                case _:
                    return _Found("unjudged", detail=judged.why)

        first = next((each for each in outputs if isinstance(each, Raised | Odd)), None)
        detail = f"{first.error}: {first.text}" if isinstance(first, Raised) else ""
        detail = first.what if isinstance(first, Odd) else detail

        if key == WRONG and (whose := self._whose(task, outputs)):
            key, detail = OTHERS, f"right for the data of {whose}"

        right = round(share * len(cases))
        return _Found(key, first, right=right, cases=len(cases), detail=detail)

    def _whose(self, task: Task, outputs: list[Any]) -> str:
        """Whose data a wrong value would be right for; "" for nobody's, and for many's.

        Of two options each is right for somebody: that tells nothing.
        """
        asked, student = task.asked, task.student.student

        if asked.form != "value" or asked.judge is not None:
            return ""

        if any(asked.verdict(outputs, asked.drawn(who)).passed for who in STRANGERS):
            return ""

        for other in (NOBODY, *self.students):
            if other != student and asked.verdict(outputs, asked.drawn(other)).passed:
                return f"{other!r}" if other != NOBODY else "who never called kn.student(…)"

        return ""
