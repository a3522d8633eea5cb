"""`kimi-nb grade`: a class's notebooks, each answer in a sandbox."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from kimi_nb.cli.output import print_json, tell
from kimi_nb.cli.progress import rewrite
from kimi_nb.errors import UsageFault
from kimi_nb.teach.grade import Graded, grade
from kimi_nb.teach.grade.feedback import feedback, file_name
from kimi_nb.teach.grade.tables import believed, csv_text, grades, nbgrader_rows, summary
from kimi_nb.views.export import write_whole
from kimi_nb.views.text import fit

__all__ = ["grade_class"]

SEED = "KIMI_NB_SEED"
"""Environment variable for the secret that draws the hidden cases."""
EVERY = 50
"""Exercises between two lines of progress in a file."""
NAME = 24
"""Columns of a student's name."""
SHOWN = 70


def grade_class(asked: argparse.Namespace) -> int:
    """Grade, write what was asked for, and print the class. 0 whatever the grades are."""
    if asked.seconds <= 0:
        raise UsageFault(f"--seconds {asked.seconds:g} is no time; 10 is usual")

    seed, drawn = _seed(asked.seed)
    found = grade(
        Path(asked.submissions),
        seed=seed,
        lessons=asked.lessons,
        file=Path(asked.exercises) if asked.exercises else None,
        seconds=asked.seconds,
        told=_progress(),
    )

    if found.unknown:
        tell(f"grade: not graded, for no exercise has that id: {', '.join(found.unknown[:10])}")

    _write(asked, found)

    if asked.json:
        told = {"seed": seed} if drawn else {}
        print_json({**told, **_as_dict(found)})
    else:
        print("\n".join(_lines(found)))

    if drawn:
        tell(f"grade: hidden cases of a seed drawn now; for the same ones again: --seed {seed}")

    return 0


def _seed(typed: str) -> tuple[str, bool]:
    """The secret, and whether it was drawn just now. Raises UsageFault for an empty file."""
    if typed.startswith("@"):
        typed = Path(typed[1:]).read_text("utf-8").strip()

        if not typed:
            raise UsageFault("the file with the seed is empty; write a secret word into it")

    known = typed or os.environ.get(SEED, "")
    return (known, False) if known else (secrets.token_hex(8), True)


class _Progress:
    """One line on a terminal, now and then one in a file."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal

    def __call__(self, done: int, of: int) -> None:
        if self.terminal or done % EVERY == 0 or done == of:
            rewrite(f"grade: {done} of {of} answers", terminal=self.terminal)

        if self.terminal and done == of:
            rewrite("", terminal=True)


def _progress() -> _Progress:
    return _Progress(terminal=sys.stderr.isatty())


def _write(asked: argparse.Namespace, found: Graded) -> None:
    tables = ((asked.out, grades), (asked.nbgrader, nbgrader_rows))

    for path, rows in tables:
        if path:
            # Excel takes a file for UTF-8 only if it says so.
            mark = "\ufeff" if path == asked.out else ""
            write_whole(Path(path), (mark + csv_text(rows(found))).encode())
            tell(f"grade: {path}")

    if asked.feedback:
        folder = Path(asked.feedback)
        folder.mkdir(parents=True, exist_ok=True)
        names = _names([student.student for student in found.students])

        for student in found.students:
            page = feedback(found, student)
            write_whole(folder / names[student.student], page.encode())

        tell(f"grade: {folder}/, a page for each of {len(found.students)} students")


def _names(students: list[str]) -> dict[str, str]:
    """A file's name for each student; the second one of a name gets a number."""
    taken: set[str] = set()
    names: dict[str, str] = {}

    for student in students:
        name, number = file_name(student), 1

        while name.casefold() in taken:
            number += 1
            name = f"{file_name(student).removesuffix('.html')} {number}.html"

        taken.add(name.casefold())
        names[student] = name

    return names


def _as_dict(found: Graded) -> dict[str, object]:
    return {
        "grades": list(grades(found)),
        "exercises": [{**asdict(each), "keys": dict(each.keys)} for each in summary(found)],
        "faults": {each.student: list(each.faults) for each in found.students if each.faults},
        "unknown": list(found.unknown),
    }


def _lines(found: Graded) -> Iterator[str]:
    yield f"{'student':<{NAME}} points"

    for student in found.students:
        marks = found.of(student.student)
        points, most = (sum(getattr(mark, name) for mark in marks) for name in ("points", "most"))
        wrong = [f"{m.exercise} {m.key}" for m in marks if not m.passed and m.key != "unanswered"]
        told = fit(", ".join(wrong), SHOWN).rstrip()
        yield f"{fit(student.student, NAME)} {points:>3} of {most:<3} {told}".rstrip()

        for fault in student.faults:
            yield f"{'':<{NAME}}  {fit(fault, SHOWN).rstrip()}"

    yield ""
    yield f"{'exercise':<{NAME}} answered  right   what went wrong"

    for each in summary(found):
        yield f"{fit(each.exercise, NAME)} {each.answered:>8}  {each.passed:>5}"

        for key, count in each.keys:
            told = fit(believed(found, key, each.exercise), SHOWN).rstrip()
            yield f"{'':<{NAME}} {count:>3} × {key}: {told}"
