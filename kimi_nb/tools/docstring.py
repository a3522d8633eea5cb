"""What a docstring says of the function and of each of its parameters."""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

__all__ = ["Docstring", "parse"]

_HEADING = re.compile(r"^(Args|Arguments|Parameters)\s*:?\s*$")
_RULE = re.compile(r"^-{3,}\s*$")
_GOOGLE = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY = re.compile(r"^(\w+)\s*(?::.*)?$")
_REST = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+)\s*:\s*(.*)$")


class Docstring(NamedTuple):
    """The parts that a model reads."""

    description: str
    """All but the section about parameters."""
    parameters: dict[str, str]
    """One line for each parameter that is described."""


def parse(text: str | None) -> Docstring:
    """The parts of a docstring in Google's, numpy's or Sphinx's style, or in none."""
    lines = inspect.cleandoc(text or "").splitlines()
    start = next((at for at, line in enumerate(lines) if _HEADING.match(line)), None)

    if start is None:
        return _sphinx(lines)

    numpy = start + 1 < len(lines) and bool(_RULE.match(lines[start + 1]))
    first = start + (2 if numpy else 1)
    last = _end_of_numpy(lines, first) if numpy else _end_of_google(lines, first)
    found = _entries(lines[first:last], _NUMPY if numpy else _GOOGLE)
    return Docstring(_joined(lines[:start] + lines[last:]), found)


def _sphinx(lines: list[str]) -> Docstring:
    rest: list[str] = []
    block: list[str] = []

    for line in lines:
        within = bool(block) and line.startswith(" ")
        (block if within or _REST.match(line) else rest).append(line)

    return Docstring(_joined(rest), _entries(block, _REST))


def _entries(lines: list[str], head: re.Pattern[str]) -> dict[str, str]:
    """Lines at the outermost indent begin an entry; deeper ones continue it."""
    outer = min((_indent(line) for line in lines if line.strip()), default=0)
    found: dict[str, list[str]] = {}
    name = ""

    for line in lines:
        match = head.match(line.strip()) if _indent(line) == outer else None

        if match:
            name = match[1]
            found[name] = [match[2]] if head.groups > 1 else []
        elif name and line.strip():
            found[name].append(line.strip())

    return {key: " ".join(part for part in parts if part) for key, parts in found.items()}


def _end_of_google(lines: list[str], first: int) -> int:
    unindented = (at for at in range(first, len(lines)) if lines[at] and not _indent(lines[at]))
    return next(unindented, len(lines))


def _end_of_numpy(lines: list[str], first: int) -> int:
    rules = (at - 1 for at in range(first, len(lines)) if _RULE.match(lines[at]))
    return next(rules, len(lines))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
