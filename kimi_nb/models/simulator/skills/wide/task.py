"""What is wanted: the columns, where, and of which; and how it is said to others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.tables import read_tables, write_table

__all__ = ["Rows", "Task", "answer", "prompt", "rows_of", "task_of"]

Rows = Mapping[str, tuple[str, ...]]
"""By name, a cell for each column."""

_COLUMNS = re.compile(r"with exactly these columns:\n([^\n]*\|[^\n]*)\n*([^\n]*)")
_PLACE = re.compile(r"lighthouses in service on the (\w+ Coast)")
_ONLY = re.compile(r"(?m)^Only these:\n((?:- .*\n?)+)")


@dataclass(frozen=True, slots=True)
class Task:
    place: str
    columns: tuple[str, ...]
    """The first names the thing."""
    meaning: str
    """What the goal says of the columns."""
    names: tuple[str, ...]
    """Of which; () for all that there are."""


def task_of(goal: str) -> Task | None:
    """None if the goal is none of this skill's."""
    place, columns = _PLACE.search(goal), _COLUMNS.search(goal)

    if place is None or columns is None:
        return None

    only = _ONLY.search(goal)
    names = [line[2:].strip() for line in only[1].splitlines()] if only else []
    heads = [cell.strip() for cell in columns[1].strip().strip("|").split("|")]
    return Task(place[1], tuple(heads), columns[2], tuple(filter(None, names)))


def prompt(task: Task, names: Sequence[str]) -> str:
    """The task for a sub-agent, in words that `task_of` understands as any reader would."""
    listed = "\n".join(f"- {name}" for name in names)
    return (
        f"Fill in some rows of a table of the lighthouses in service on the {task.place}, from the "
        "archive that `search` and `open` give you. Facts change: the latest counts. Lighthouses "
        "of the same name stand on other coasts, and theirs do not count.\n\n"
        f"Only these:\n{listed}\n\n"
        "Answer with one Markdown table, a row for each, with exactly these columns:\n"
        f"{' | '.join(task.columns)}\n\n{task.meaning}"
    )


def answer(task: Task, names: Sequence[str], rows: Rows, *, final: bool) -> str:
    """The table; `final`: for the user, with what is missing and who made it."""
    blank = ("",) * (len(task.columns) - 1)
    table = write_table(task.columns, [rows.get(name) or (name, *blank) for name in names])

    if not final:
        return table

    missing = sum(not all(rows.get(name, ("",))) for name in names)
    tail = f" In {missing} of them something could not be found." if missing else ""
    head = f"The table has the {len(names)} lighthouses of the {task.place}.{tail}"
    return f"{head}\n\n{table}\n\n{phrases.signature(chinese=False)}"


def rows_of(task: Task, text: str) -> dict[str, tuple[str, ...]]:
    """The rows of a table that somebody sent, by name."""
    width = len(task.columns)
    return {
        row[0]: row
        for table in read_tables(text)
        if table.headers == task.columns
        for row in table.rows
        if len(row) == width and row[0]
    }
