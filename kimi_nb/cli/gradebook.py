"""The files that `kimi-nb grade` writes: tried before a class is graded, written after."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from kimi_nb.cli.output import tell
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.teach.grade import Graded
from kimi_nb.teach.grade.feedback import feedback, file_name
from kimi_nb.teach.grade.tables import csv_text, grades, nbgrader_rows
from kimi_nb.views.export import write_whole

__all__ = ["try_places", "write_tables"]


def try_places(out: str, nbgrader: str, pages: str) -> None:
    """Make the folders that are missing; each argument may be "".

    Raises UsageFault where no file can be: minutes of grading would be lost.
    """
    for name in filter(None, (out, nbgrader)):
        if Path(name).is_dir():
            raise UsageFault(f"{name} is a folder; give a file, as {name.rstrip('/')}/grades.csv")

        _try(Path(name).parent, name)

    if pages:
        _try(Path(pages), pages)


def _try(folder: Path, named: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)

        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageFault(f"cannot write {named!r}: {error.strerror}; give another place") from None


def write_tables(found: Graded, out: str, nbgrader: str, pages: str) -> None:
    """Write those that were asked for, and tell so. Raises KimiNbError for the first that fails.

    Of a class that was stopped, tables go beside the whole one: that may be there from before.
    """
    failed: KimiNbError | None = None

    for name, rows in ((out, grades), (nbgrader, nbgrader_rows)):
        if name:
            # Excel takes a file for UTF-8 only if it says so.
            mark = "\ufeff" if rows is grades else ""
            whole = Path(name)
            path = whole.with_stem(f"{whole.stem}.partial") if found.left else whole

            try:
                write_whole(path, (mark + csv_text(rows(found))).encode())
            except KimiNbError as error:
                failed = failed or error
            else:
                tell(f"grade: {path}")

    if failed is not None:
        raise failed

    if pages:
        for path, page in _pages(found, Path(pages)):
            write_whole(path, page.encode())

        tell(f"grade: {Path(pages)}/, a page for each of {len(found.students)} students")


def _pages(found: Graded, folder: Path) -> Iterator[tuple[Path, str]]:
    """A file for each student; the second one of a name gets a number."""
    taken: set[str] = set()

    for student in found.students:
        name, number = file_name(student.student), 1

        while name.casefold() in taken:
            number += 1
            name = f"{file_name(student.student).removesuffix('.html')} {number}.html"

        taken.add(name.casefold())
        yield folder / name, feedback(found, student)
