"""Truth about generated folders, computed without the package."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_nb.models.simulator.tables import read_tables

Rows = list[dict[str, str]]
Fact = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    goal: str
    truth: dict[str, list[Any]]
    """File name → what its row must say; "" → what the text must say."""
    folder: str = "."
    """The working folder, from the world's root."""


def write(path: Path, head: list[str], rows: Iterable[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def load(folder: Path) -> dict[str, Rows]:
    tables = {}

    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            tables[path.name] = list(csv.DictReader(file))

    return tables


def texts(folder: Path, pattern: str) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob(pattern))}


def each(items: dict[str, Any], *facts: Fact) -> dict[str, list[Any]]:
    return {name: [fact(item) for fact in facts] for name, item in items.items()}


def numbers(rows: Rows, column: str) -> list[float]:
    return [float(row[column]) for row in rows]


def top(column: str) -> Fact:
    return lambda rows: max(numbers(rows, column))


def low(column: str) -> Fact:
    return lambda rows: min(numbers(rows, column))


def total(column: str, when: Fact = bool) -> Fact:
    return lambda rows: sum(numbers([row for row in rows if when(row)], column))


def mean(column: str, when: Fact = bool) -> Fact:
    def fact(rows: Rows) -> float:
        kept = numbers([row for row in rows if when(row)], column)
        return sum(kept) / len(kept)

    return fact


def having(when: Fact) -> Fact:
    return lambda rows: sum(1 for row in rows if when(row))


def different(column: str) -> Fact:
    return lambda rows: len({row[column] for row in rows})


def first(pattern: str) -> Fact:
    return lambda text: re.search(pattern, text, re.MULTILINE)[1]


def found(pattern: str) -> Fact:
    return lambda text: len(re.findall(pattern, text, re.MULTILINE))


def every(pattern: str) -> Fact:
    return lambda text: list(dict.fromkeys(re.findall(pattern, text, re.MULTILINE)))


def words(text: str) -> int:
    return len(text.split())


def lines(text: str) -> int:
    return len(text.splitlines())


def faults(answer: str, truth: dict[str, list[Any]]) -> list[str]:
    """What of the truth the answer does not say, and what it says beyond it."""
    if set(truth) == {""}:
        return [f"{value} is not said" for value in truth[""] if not _said(answer, value)]

    tables = read_tables(answer)

    if len(tables) != 1:
        return [f"{len(tables)} tables"]

    rows = {Path(row[0]).name: _cells(tables[0].headers, row) for row in tables[0].rows}
    wrong = [] if set(rows) == set(truth) else [f"rows {sorted(rows)}, not {sorted(truth)}"]

    for name, values in truth.items():
        cells = list(rows.get(name, ()))

        for value in values:
            hit = next((cell for cell in cells if _same(cell, value)), None)

            if hit is None:
                wrong.append(f"{name} lacks {value}")
            else:
                cells.remove(hit)

        wrong += [f"{name} has {cell!r} too" for cell in cells]

    return wrong


def _cells(headers: tuple[str, ...], row: tuple[str, ...]) -> list[str]:
    extra = {"source", "note", "来源", "备注"}
    pairs = zip(headers[1:], row[1:], strict=True)
    return [cell for name, cell in pairs if name not in extra]


def _same(cell: str, value: Any) -> bool:
    if isinstance(value, list):
        return sorted(re.split(r"[,;] ", cell)) == sorted(value)

    if isinstance(value, int | float):
        return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None and abs(float(cell) - value) < 1e-5

    return re.sub(r" \([-\d.]+\)$", "", cell) == value


def _said(answer: str, value: Any) -> bool:
    """A number stands above the table; a name anywhere but as a row of it."""
    head = answer.partition("\n| ")[0]

    if isinstance(value, int | float):
        return any(float(number) == value for number in re.findall(r"-?\d+(?:\.\d+)?", head))

    return value in (head if value.endswith((".csv", ".py")) else answer)
