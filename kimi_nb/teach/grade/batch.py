"""A whole class: every exercise of every student, several at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from kimi_nb.errors import UsageFault
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.grade.asked import catalogue, of_lessons, remembering
from kimi_nb.teach.grade.mark import Mark
from kimi_nb.teach.grade.marking import Marking, Task
from kimi_nb.teach.grade.program import chosen, work
from kimi_nb.teach.grade.sandboxed import refuse_without
from kimi_nb.teach.grade.submissions import Submission, submissions
from kimi_nb.tools.native.process import Hold
from kimi_nb.views.text import fit

__all__ = ["SECONDS", "Graded", "grade"]

SECONDS = 10.0
"""Of an exercise's answer, in wall time."""
HEARTBEAT = 0.2
"""Seconds until Ctrl-C is noticed at the latest."""
NAMED = 40
"""Characters of an id that is told; it may be a stranger's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What came of a class."""

    marks: tuple[Mark, ...]
    """By student, then by exercise."""
    exercises: tuple[Exercise, ...]
    students: tuple[Submission, ...]
    unknown: tuple[str, ...]
    """Ids in the submissions that no exercise has."""
    left: tuple[str, ...] = ()
    """Students who were not graded, for Ctrl-C came first; they are in no other field."""

    def of(self, student: str) -> list[Mark]:
        return [mark for mark in self.marks if mark.student == student]


def grade(
    folder: Path,
    *,
    seed: str,
    lessons: str = "",
    file: Path | None = None,
    seconds: float = SECONDS,
    jobs: int | None = None,
    told: Callable[[int, int], object] | None = None,
) -> Graded:
    """Grade all submissions of a folder, each exercise that occurs in any of them.

    seed: draws the hidden cases; keep it secret. lessons: "03,04"; all for "". file: a module with
    exercises of one's own. jobs: processes at once; as many as there are processors. told: hears
    how many of how many exercises are done. Ctrl-C ends it with those students who are graded.
    Raises UsageFault where there is nothing to grade, and where there is no sandbox;
    KeyboardInterrupt where nobody is graded yet.
    """
    refuse_without()
    known = catalogue(file)
    students = submissions(folder)
    works = [work(each) for each in students]
    there = {identity for each in works for one in each for identity in one.exercises()}
    wanted = [each for each in of_lessons(list(known.values()), lessons) if each.id in there]

    if not wanted:
        raise UsageFault(
            f"no notebook in {str(folder)!r} has an exercise that is to be graded; it has "
            f"{', '.join(_told(there)[:20]) or 'none at all'}"
        )

    asked = tuple(map(remembering, wanted))
    marking = Marking([each.student for each in students], seed, seconds, file, known)
    tasks = [
        Task(student=student, asked=each, program=chosen(its, each))
        for student, its in zip(students, works, strict=True)
        for each in asked
    ]
    marks = _all(marking, tasks, jobs or os.cpu_count() or 1, told)
    unknown = tuple(_told(there - known.keys()))
    left = _unfinished(tasks, marks)
    return Graded(
        marks=tuple(mark for mark in marks if mark is not None and mark.student not in left),
        exercises=asked,
        students=tuple(each for each in students if each.student not in left),
        unknown=unknown,
        left=tuple(each.student for each in students if each.student in left),
    )


def _told(identities: set[str]) -> list[str]:
    return [fit(each, NAMED).rstrip() for each in sorted(identities)]


def _all(
    marking: Marking, tasks: Sequence[Task], jobs: int, told: Callable[[int, int], object] | None
) -> list[Mark | None]:
    """The marks in order; None for what Ctrl-C left. Raises KeyboardInterrupt if that is too much.

    What was killed has a mark, too, and an unfair one: only what ended before counts.
    """
    holds = [Hold() for _ in tasks]
    marks: list[Mark | None] = [None] * len(tasks)

    with ThreadPoolExecutor(jobs) as pool:
        places: dict[Future[Mark], int] = {}

        try:
            for place, pair in enumerate(zip(tasks, holds, strict=True)):
                places[pool.submit(marking.mark, *pair)] = place

            for done, future in enumerate(_as_completed(places), 1):
                marks[places[future]] = future.result()

                if told is not None:
                    told(done, len(tasks))
        except BaseException as error:
            for future, place in list(places.items()):
                if future.done() and future.exception() is None:
                    marks[place] = future.result()

            pool.shutdown(wait=False, cancel_futures=True)

            for hold in holds:
                hold.kill()

            everyone = {task.student.student for task in tasks}

            if not isinstance(error, KeyboardInterrupt) or _unfinished(tasks, marks) == everyone:
                raise

    return marks


def _as_completed(futures: Iterable[Future[Mark]]) -> Iterator[Future[Mark]]:
    """Each as it ends. A Ctrl-C just before a wait does not end that wait: none may be for long."""
    left = set(futures)

    while left:
        done, left = wait(left, HEARTBEAT, FIRST_COMPLETED)
        yield from done


def _unfinished(tasks: Sequence[Task], marks: Sequence[Mark | None]) -> set[str]:
    """The students of whom not all is graded."""
    return {task.student.student for task, mark in zip(tasks, marks, strict=True) if mark is None}
