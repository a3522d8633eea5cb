"""A lesson's exercises as an assignment for nbgrader: source, and what it releases of it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat

from building.cells import Cell, cells, code, prose
from building.source import Pair, Piece
from building.write import KERNEL
from kimi_nb.teach.curriculum import exercises
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.text import Language, Text

__all__ = ["COURSE", "assignment", "assignments", "released"]

COURSE = Path(__file__).resolve().parents[1] / "exercises"
CONFIG = "nbgrader_config.py"
SCHEMA = 3
TITLE = Text(
    """\
# Lesson {lesson}: exercises

Write your name, as your teacher knows it, in place of `anyone` and run the cell: your data depend
on it. Then answer in the cells below. Each must run by itself, with its imports.

The checks run in your own kernel: they are for you to see how far you are.""",
    """\
# 第 {lesson} 课：练习

请把 `anyone` 换成老师登记的你的名字，然后运行这个单元格：你拿到的数据取决于它。\
再在下面的单元格里作答。每个单元格都要能单独运行，需要的 import 也写在里面。

这些检查在你自己的内核里运行：它们只是让你看看自己做到了哪一步。""",
)
WHO = 'import kimi_nb as kn\n\nkn.student("anyone")'
IN_CHINESE = 'import os\n\nos.environ["KIMI_NB_LANGUAGE"] = "zh"\n'


def assignments(lessons: Iterable[str]) -> dict[str, Any]:
    """Source notebooks by the name of their assignment, in both languages."""
    made: dict[str, Any] = {}

    for lesson in lessons:
        if asked := exercises(lesson):
            made[f"lesson{lesson}"] = assignment(lesson, asked, "en")
            made[f"lesson{lesson}-zh"] = assignment(lesson, asked, "zh")

    return made


def assignment(lesson: str, asked: Iterable[Exercise], language: Language) -> Any:
    """The source of one, as nbformat has it: with the solutions, between nbgrader's marks."""
    head = prose("title", TITLE.said(language).format(lesson=lesson), **_tagged("title"))
    who = f"{IN_CHINESE}{WHO}" if language == "zh" else WHO
    made = [head, code("student", who, kimi_nb={"role": "lesson"})]
    made += [cell for each in asked for cell in _exercise(each, language)]
    metadata = {
        "kernelspec": KERNEL,
        "kimi_nb": {"notebook": lesson, "language": language},
        "language_info": {"name": "python"},
    }
    whole = {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    found = nbformat.from_dict(whole)
    nbformat.validate(found)
    return found


def _exercise(asked: Exercise, language: Language) -> list[Cell]:
    """Task, answer and test. The hints, and the solution once more, stand in the lesson."""
    task, answer, test, _ = cells([Pair(Piece(kind="exercise", text=asked.id, line=0))], language)
    task["metadata"] |= _tagged(task["id"])
    answer["metadata"] |= _tagged(answer["id"], solution=True)
    answer["source"] += f"\n\n### BEGIN SOLUTION\n{asked.code()}\n### END SOLUTION"
    test["metadata"] |= _tagged(test["id"], points=asked.difficulty)
    test["source"] = (
        f'import kimi_nb as kn\n\nchecked = kn.check("{asked.id}", {asked.name})\n'
        "assert checked, checked"
    )
    return [task, answer, test]


def _tagged(identity: str, *, solution: bool = False, points: int = 0) -> dict[str, Any]:
    """The metadata of nbgrader: an answer, a test with points, or a text that stays as it is."""
    tagged = {
        "grade": points > 0,
        "grade_id": identity,
        "locked": not solution,
        "schema_version": SCHEMA,
        "solution": solution,
        "task": False,
    }
    return {"nbgrader": tagged | ({"points": points} if points else {})}


def released(sources: dict[str, Any]) -> dict[str, str]:
    """What nbgrader makes of them for students: the files' texts, by assignment.

    Raises RuntimeError with nbgrader's words for one that it refuses.
    """
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    course = Path(tempfile.mkdtemp(prefix="kimi_nb-"))
    # It calls a program, alembic, that lies beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    try:
        config = PyFileConfigLoader(CONFIG, path=str(COURSE)).load_config()
        config.CourseDirectory.root = str(course)
        config.Exchange.root = str(course / "exchange")
        api = NbGraderAPI(config=config)

        for name, made in sources.items():
            place = course / "source" / name / f"{name}.ipynb"
            place.parent.mkdir(parents=True)
            nbformat.write(made, place)
            result = api.generate_assignment(name)

            if not result["success"]:
                raise RuntimeError(f"{name}: {result.get('log') or result.get('error')}")

        return {name: (course / "release" / name / f"{name}.ipynb").read_text() for name in sources}
    finally:
        shutil.rmtree(course, ignore_errors=True)
