"""Small changes of a source that could mend it: other operators, numbers and names."""

from __future__ import annotations

import ast
import io
import token
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Edit", "Lines", "applied", "token_edits"]


class Edit(NamedTuple):
    """One change of a text."""

    likely: int
    """0 for what is most often wrong; larger is rarer."""
    start: int
    end: int
    """Characters of the source that go."""
    text: str
    """What comes instead."""


def applied(source: str, edit: Edit) -> str:
    """The source with the change."""
    return source[: edit.start] + edit.text + source[edit.end :]


class Lines:
    """Where the lines of a source begin."""

    __slots__ = ("_lines", "_starts")

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]

        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def place(self, line: int, column: int) -> int:
        """The index of a line from 1 and a column in characters."""
        return self._starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node begins and ends; syntax trees count columns in bytes."""
        end_line, end_column = node.end_lineno or 1, node.end_col_offset or 0
        start = self._characters(node.lineno, node.col_offset)
        end = self._characters(end_line, end_column)
        return self.place(node.lineno, start), self.place(end_line, end)

    def _characters(self, line: int, column: int) -> int:
        return len(self._lines[line - 1].encode()[:column].decode())


_OPERATORS: dict[str, tuple[tuple[int, str], ...]] = {
    "<": ((0, "<="), (1, ">"), (2, ">=")),
    "<=": ((0, "<"), (1, ">="), (2, ">")),
    ">": ((0, ">="), (1, "<"), (2, "<=")),
    ">=": ((0, ">"), (1, "<="), (2, "<")),
    "==": ((0, "!="),),
    "!=": ((0, "=="),),
    "+": ((0, "-"), (1, "*")),
    "-": ((0, "+"), (1, "*"), (1, "%")),
    "*": ((1, "+"), (1, "/"), (2, "-"), (2, "**"), (2, "//")),
    "/": ((1, "//"), (1, "*")),
    "//": ((1, "/"), (1, "%"), (2, "*")),
    "%": ((1, "//"), (2, "/")),
    "**": ((1, "*"),),
    "+=": ((0, "-="), (1, "="), (2, "*=")),
    "-=": ((0, "+="), (1, "=")),
    "*=": ((1, "+="), (1, "/=")),
    "=": ((2, "+="),),
}
_WORDS: dict[str, tuple[tuple[int, str], ...]] = {"and": ((0, "or"),), "or": ((0, "and"),)}
_ALIKE = (
    ("min", "max"),
    ("any", "all"),
    ("max", "sum"),
    ("min", "sum"),
    ("list", "sorted"),
    ("lower", "upper"),
    ("strip", "lstrip", "rstrip"),
    ("append", "extend"),
    ("startswith", "endswith"),
    ("isalpha", "isdigit", "isalnum"),
    ("find", "index", "count"),
    ("keys", "values"),
    ("ljust", "rjust"),
    ("floor", "ceil"),
)
_ENDINGS = "abcdefghijklmnopqrstuvwxyz+-*/%.,;:!? "


def token_edits(source: str, lines: frozenset[int], names: frozenset[str]) -> Iterator[Edit]:
    """Changes of single words and signs in those lines; `names` may stand for one another."""
    places = Lines(source)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    strings = {each.string for each in tokens if each.type == token.STRING}
    before = ""

    for each in tokens:
        if each.start[0] in lines and each.type in _CHANGES:
            start, end = places.place(*each.start), places.place(*each.end)

            for likely, text in _CHANGES[each.type](each.string, before, names | strings):
                if text != each.string:
                    yield Edit(likely, start, end, text)

        before = each.string


def _signs(text: str, before: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    del before, names
    yield from _OPERATORS.get(text, ())


def _words(text: str, before: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    yield from _WORDS.get(text, ())

    if text == "in" and before != "not":
        yield 1, "not in"

    for group in _ALIKE:
        if text in group:
            yield from ((1, other) for other in group)

    if text in names and before not in {"def", "class", "import"}:
        yield from ((2, other) for other in sorted(names) if other.isidentifier())


def _numbers(text: str, before: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    del before

    if text.isdigit():
        number = int(text)
        yield from ((0, str(n)) for n in (number + 1, number - 1) if n >= 0)
        yield from ((1, str(n)) for n in (0, 1, 2, number * 10, number // 10, -1))
        yield from ((3, other) for other in ("3", "7", "0.5", "60", "100"))

    yield from ((2, name) for name in sorted(names) if name.isidentifier())


def _strings(text: str, before: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    del before

    if text[:1] in "\"'" and text[:3] not in {'"""', "'''"} and len(text) > 1:
        yield from ((2, name) for name in sorted(names) if name[:1] in "\"'" and len(name) < 40)
        yield from ((3, f"{text[:-1]}{letter}{text[-1]}") for letter in _ENDINGS)


_CHANGES = {
    token.OP: _signs,
    token.NAME: _words,
    token.NUMBER: _numbers,
    token.STRING: _strings,
}
