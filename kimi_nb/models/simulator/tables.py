"""Small Markdown tables, out and in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Table", "read_tables", "write_table"]

_CELL_END = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"^\s*\|?(\s*:?-{3,}:?\s*\|)*\s*:?-{3,}:?\s*\|?\s*$")


@dataclass(frozen=True, slots=True)
class Table:
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as long as the headers."""


def write_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars and line ends within a cell are escaped."""
    lines = [_line(headers), _line(["---"] * len(headers))]
    lines += [_line(row) for row in rows]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(cell: str) -> str:
    text = " ".join(cell.split())
    return text.replace("\\", "\\\\").replace("|", "\\|") or " "


def _unescape(cell: str) -> str:
    return re.sub(r"\\([\\|])", r"\1", cell.strip())


def read_tables(text: str) -> list[Table]:
    """Every Markdown table in `text`."""
    lines = text.splitlines()
    found: list[Table] = []
    rules = [n for n, line in enumerate(lines) if n and "|" in line and _RULE.match(line)]

    for rule in rules:
        if "|" not in lines[rule - 1]:
            continue

        headers = _cells(lines[rule - 1])
        rows: list[tuple[str, ...]] = []

        for line in lines[rule + 1 :]:
            if "|" not in line:
                break

            cells = _cells(line)[: len(headers)]
            rows.append(cells + ("",) * (len(headers) - len(cells)))

        found.append(Table(headers, tuple(rows)))

    return found


def _cells(line: str) -> tuple[str, ...]:
    bare = line.strip().removeprefix("|")
    parts = _split(bare)

    if parts and not parts[-1].strip():
        parts.pop()

    return tuple(_unescape(part) for part in parts)


def _split(line: str) -> list[str]:
    """Split at bars that no backslash escapes; a doubled backslash escapes nothing."""
    parts, start, position = [""], 0, 0

    while position < len(line):
        if line[position] == "\\":
            position += 2
            continue

        if line[position] == "|":
            parts[-1] = line[start:position]
            parts.append("")
            start = position + 1

        position += 1

    parts[-1] = line[start:]
    return parts
