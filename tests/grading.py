"""Submissions as files, and exercises of a teacher's own to grade them by."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kimi_nb.teach.grade.mark import Mark
from kimi_nb.teach.grade.marking import Marking, Task
from kimi_nb.tools.native.process import Hold

__all__ = ["OWN", "TOTAL", "answer", "notebook", "short_for", "submit"]

TOTAL = "ex90.total"
"""The function that most tests answer: the sum of a list."""
OWN = '''
from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text


def said(text):
    return Text(text, text + "。中文")


def total(numbers):
    return sum(numbers)


def lists(dice):
    return [[[dice.randint(1, 10**9) for _ in range(4)]] for _ in range(3)]


def bounded(output, args):
    """A judge that one can keep busy."""
    count = 0
    while count < output:
        count += 1
    return "" if count == args[0] + 1 else "far"


COMMON = dict(task=said("Do it"), minutes=2, hints=(said("a"), said("b")), stub="x = None")
EXERCISES = (
    Exercise(
        id="ex90.total", title=said("Total"), difficulty=2, form="function", name="total",
        cases=lists, solve=total, solution="def total(numbers): return sum(numbers)",
        mistakes=(
            Mistake(key="M3", wrong=lambda n: sum(n) / 4, says=said("That is the mean.")),
            Mistake(key="first", wrong=lambda n: n[0], says=said("That is the first.")),
        ),
        **COMMON,
    ),
    Exercise(
        id="ex90.double", title=said("Double"), difficulty=3, form="value", name="doubled",
        cases=lambda dice: [[dice.randint(1, 10**9)]], solve=lambda n: 2 * n,
        mistakes=(Mistake(key="half", wrong=lambda n: n / 2, says=said("Half <b>.")),),
        **COMMON,
    ),
    Exercise(
        id="ex91.next", title=said("Next"), difficulty=1, form="value", name="following",
        cases=lambda dice: [[dice.randint(1, 99)]], solve=lambda n: n + 1, judge=bounded,
        mistakes=(Mistake(key="far", wrong=lambda n: n + 9, says=said("Too far.")),),
        **COMMON,
    ),
)
'''


def answer(exercise: str, source: str, role: str = "answer") -> dict[str, Any]:
    """A cell of an exercise, as our notebooks have it."""
    return code(source, kimi_nb={"exercise": exercise, "role": role})


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def notebook(*cells: dict[str, Any] | str, language: str = "") -> str:
    """A file's text; a str is a cell that the learner added."""
    about = {"kimi_nb": {"language": language}} if language else {}
    made = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    return json.dumps({"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5})


def submit(folder: Path, student: str, *cells: dict[str, Any] | str, language: str = "") -> Path:
    """A student's notebook, in a folder of their own."""
    path = folder / student / "work.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook(*cells, language=language), "utf-8")
    return path


def short_for(students: Collection[str], patch: pytest.MonkeyPatch, seconds: float = 1.0) -> None:
    """What never ends gets little time; all else gets as much as the busiest machine needs."""
    mark = Marking.mark

    def marked(self: Marking, task: Task, hold: Hold) -> Mark:
        endless = task.asked.id == TOTAL and task.student.student in students
        return mark(replace(self, seconds=seconds) if endless else self, task, hold)

    patch.setattr(Marking, "mark", marked)
