"""`kimi-nb grade`: a class's notebooks, each answer in a sandbox."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from kimi_nb.cli.gradebook import try_places, write_tables
from kimi_nb.cli.output import print_json, tell
from kimi_nb.cli.progress import rewrite
from kimi_nb.errors import UsageFault
from kimi_nb.teach.grade import Graded, grade
from kimi_nb.teach.grade.tables import believed, grades, summary
from kimi_nb.teach.student import is_name
from kimi_nb.views.text import fit

__all__ = ["grade_class", "lines", "notes"]

SEED = "KIMI_NB_SEED"
"""Environment variable for the secret that draws the hidden cases."""
EVERY = 50
"""Exercises between two lines of progress in a file."""
NAME = 24
"""Columns of a student's name."""
SHOWN = 70
LONGEST = 86_400.0
"""Seconds for an answer."""
STOPPED = 130
"""What a shell expects of a program that Ctrl-C ended."""


def grade_class(asked: argparse.Namespace) -> int:
    """Grade, print the class, and write what was asked for. 0 whatever the grades are.

    130 where Ctrl-C stopped it: those who were graded until then are printed and written.
    """
    if not 0 < asked.seconds < LONGEST:
        raise UsageFault(f"--seconds {asked.seconds:g} is no time; 10 is usual")

    seed, drawn = _seed(asked.seed)
    places = (asked.out or "", asked.nbgrader or "", asked.feedback or "")
    try_places(*places)
    found = grade(
        Path(asked.submissions),
        seed=seed,
        lessons=asked.lessons,
        file=Path(asked.exercises) if asked.exercises else None,
        seconds=asked.seconds,
        told=_progress(),
    )

    if asked.json:
        told = {"seed": seed} if drawn else {}
        print_json({**told, **_as_dict(found)})
    else:
        print("\n".join(lines(found)), flush=True)

    for line in notes(found):
        tell(f"grade: {line}")

    if drawn:
        tell(f"grade: hidden cases of a seed drawn now; for the same ones again: --seed {seed}")

    write_tables(found, *places)
    return STOPPED if found.left else 0


def _seed(typed: str) -> tuple[str, bool]:
    """The secret, and whether it was drawn just now. Raises UsageFault for a file without one."""
    if typed.startswith("@"):
        typed = _secret(Path(typed[1:]))

    known = typed or os.environ.get(SEED, "")
    return (known, False) if known else (secrets.token_hex(8), True)


def _secret(file: Path) -> str:
    why = "empty"

    try:
        if word := file.read_text("utf-8-sig").strip():
            return word
    except OSError as error:
        why = error.strerror or "unreadable"
    except UnicodeDecodeError:
        why = "not UTF-8"

    raise UsageFault(f"the file with the seed, {file}: {why}; write a secret word into it")


def notes(found: Graded) -> Iterator[str]:
    """What the teacher has to know besides the grades."""
    if found.unknown:
        yield f"not graded, for no exercise has that id: {', '.join(found.unknown[:10])}"

    odd = [each.student for each in found.students if not is_name(each.student)]

    if odd and any(each.form == "value" for each in found.exercises):
        yield (
            f"no name that kn.student(…) takes: {_listed(odd)}; values are judged by the data of "
            "that name, so rename the folder as the student typed it in kn.student"
        )

    if found.left:
        yield f"stopped; not graded: {_listed(found.left)}; the same command and seed grade all"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(fit(name, NAME).rstrip() for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown


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


def _as_dict(found: Graded) -> dict[str, object]:
    return {
        "grades": list(grades(found)),
        "exercises": [{**asdict(each), "keys": dict(each.keys)} for each in summary(found)],
        "faults": {each.student: list(each.faults) for each in found.students if each.faults},
        "unknown": list(found.unknown),
        "not_graded": list(found.left),
    }


def lines(found: Graded) -> Iterator[str]:
    """The class as a terminal shows it: by student, then by exercise."""
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
