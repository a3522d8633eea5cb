"""Whose notebooks lie in a folder, read as what strangers wrote: never through a link."""

from __future__ import annotations

import json
import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import orjson

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.teach.text import Language
from kimi_nb.tools.beneath import Entry, Folder
from kimi_nb.views.text import one_line

__all__ = ["LESSON", "Cell", "Notebook", "Submission", "submissions"]

SUFFIX = ".ipynb"
LESSON = "lesson"
"""Role of a cell that came with the notebook and is no exercise's."""
LESSONS = re.compile(r"lesson\d\d.*|\d\d-[a-z].*")
"""Names of our own notebooks, which are no students'."""
LARGEST = 50_000_000
"""Bytes of a notebook; its outputs count."""
CODE = 200_000
"""Characters of all its code."""
CELLS = 500
"""Of code, in a notebook."""
MOST = 60
"""Notebooks of one student."""
NONE = f"there is no {SUFFIX} file (links, pipes and devices are not opened)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of code."""

    source: str
    exercise: str = ""
    """Id; "" for a cell of no exercise."""
    role: str = ""
    """"answer" and "check" of an exercise; "" for a cell that came with no curriculum."""

    @property
    def added(self) -> bool:
        """Whether a learner may have added it."""
        return not self.exercise and not self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """What is graded of a file."""

    path: str
    """Below the folder of submissions; printable."""
    language: Language | None
    """None where it does not say."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """All that one student handed in."""

    student: str
    notebooks: tuple[Notebook, ...]
    """By name."""
    faults: tuple[str, ...]
    """What could not be read, and why."""

    @property
    def language(self) -> Language:
        for notebook in self.notebooks:
            if notebook.language is not None:
                return notebook.language

        return "en"


def submissions(path: Path) -> list[Submission]:
    """By student: each folder is one, and each STUDENT.ipynb or STUDENT_anything.ipynb is one's.

    Raises UsageFault where there is no such folder, or nothing in it.
    """
    if not path.is_dir():
        why = "is a file" if path.exists() else "is not there"
        raise UsageFault(f"{str(path)!r} {why}; kimi-nb grade SUBMISSIONS/ wants a folder")

    if (inside := path / "submitted").is_dir() and not list(path.glob(f"*{SUFFIX}")):
        raise UsageFault(f"{str(path)!r} is a course; type: kimi-nb grade {inside}")

    try:
        with Folder(path) as folder:
            found = list(_all(folder))
    except ToolError as error:
        raise UsageFault(f"{error}; kimi-nb grade SUBMISSIONS/ wants a folder") from None

    if found and all(LESSONS.fullmatch(each.student) for each in found):
        raise UsageFault(
            f"{str(path)!r} has lessons, not students: give the folder around it, with a folder "
            "for each student"
        )

    if not found:
        raise UsageFault(
            f"{str(path)!r} has no submissions: give it a folder for each student, "
            "or files named STUDENT.ipynb"
        )

    found.sort(key=lambda each: each.student)
    grouped = groupby(found, key=lambda each: each.student)
    return [_joined(student, list(each)) for student, each in grouped]


def _all(folder: Folder) -> Iterator[Submission]:
    for entry in folder.entries(()):
        name = entry.parts[-1]

        if name.startswith("."):
            continue

        if entry.is_folder:
            yield _of(folder, _named(name), _inside(folder, entry))
        elif name.endswith(SUFFIX):
            yield _of(folder, _named(name.removesuffix(SUFFIX).partition("_")[0]), [entry])


def _named(name: str) -> str:
    """As one types it: macOS takes letters apart from their accents."""
    return unicodedata.normalize("NFC", one_line(name)) or "?"


def _inside(folder: Folder, entry: Entry) -> Iterable[Entry]:
    """The notebooks of a student's folder. May raise ToolError on the way."""
    if entry.is_link:
        return

    for each in folder.walk(entry.parts):
        hidden = any(part.startswith(".") for part in each.parts)

        if not hidden and not each.is_folder and each.parts[-1].endswith(SUFFIX):
            yield each


def _of(folder: Folder, student: str, entries: Iterable[Entry]) -> Submission:
    notebooks: list[Notebook] = []
    faults: list[str] = []

    try:
        for count, entry in enumerate(entries):
            if count == MOST:
                faults.append(f"more than {MOST} notebooks: the rest is left out")
                break

            try:
                notebooks.append(_read(folder, entry))
            except ToolError as error:
                faults.append(one_line(str(error)))
    except ToolError as error:
        faults.append(one_line(str(error)))

    if not notebooks and not faults:
        faults.append(NONE)

    ordered = tuple(sorted(notebooks, key=lambda notebook: notebook.path))
    return Submission(student=student, notebooks=ordered, faults=tuple(faults))


def _joined(student: str, parts: list[Submission]) -> Submission:
    notebooks = [notebook for part in parts for notebook in part.notebooks]
    faults = [fault for part in parts for fault in part.faults]
    return Submission(student=student, notebooks=tuple(notebooks), faults=tuple(faults))


def _read(folder: Folder, entry: Entry) -> Notebook:
    if entry.is_link:
        raise ToolError(f"{entry.path!r} is a link, and none is followed")

    try:
        whole = _json(folder.read(entry.parts, LARGEST).removeprefix(BOM_UTF8))
    except (ValueError, RecursionError):
        raise ToolError(f"{entry.path!r} is no notebook: it is not JSON") from None

    match whole:
        case {"cells": list()}:
            found = tuple(_cells(whole["cells"]))
        case _:
            raise ToolError(f"{entry.path!r} is no notebook of format 4: it has no cells")

    if len(found) > CELLS or sum(len(cell.source) for cell in found) > CODE:
        raise ToolError(
            f"{entry.path!r} has more than {CODE:,} characters of code or {CELLS} cells"
        )

    return Notebook(path=entry.path, language=_language(whole, entry), cells=found)


def _json(data: bytes) -> Any:
    """As Jupyter reads it: NaN and half letters, which outputs may have, are no JSON elsewhere."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def _cells(cells: list[Any]) -> Iterator[Cell]:
    for cell in cells:
        match cell:
            case {"cell_type": "code", "source": str(source)}:
                text = source
            case {"cell_type": "code", "source": list()}:
                text = "".join(row for row in cell["source"] if isinstance(row, str))
            case _:
                continue

        whole = text.encode(errors="replace").decode()
        yield _tagged(whole, cell.get("metadata"))


def _tagged(text: str, metadata: Any) -> Cell:
    match metadata:
        case {"kimi_nb": {"exercise": str(exercise), "role": str(role)}}:
            return Cell(source=text, exercise=exercise, role=role)
        case {"kimi_nb": _}:
            return Cell(source=text, role=LESSON)
        case _:
            return Cell(source=text)


def _language(whole: Any, entry: Entry) -> Language | None:
    """As its metadata say; else by a folder named en or zh."""
    match whole:
        case {"metadata": {"kimi_nb": {"language": "en" | "zh" as said}}}:
            return said
        case _:
            named = [part for part in reversed(entry.parts[:-1]) if part in {"en", "zh"}]
            return cast("Language", named[0]) if named else None
