"""A tool call while it arrives."""

from __future__ import annotations

import re

import orjson

__all__ = ["Draft"]

_MARKS = re.compile(r'\\.?|["{}]', re.DOTALL)
"""What the end of a JSON object depends on; a backslash takes the character after it along."""


class Draft:
    """What has arrived of one call."""

    __slots__ = ("_carry", "_depth", "_quoted", "complete", "id", "name", "parts", "position")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.parts: list[str] = []
        self.position = -1
        """Its index once it is announced."""
        self.complete = False
        """Its arguments are one whole JSON object."""
        self._depth = 0
        self._quoted = False
        self._carry = ""

    @property
    def arguments(self) -> str:
        return "".join(self.parts)

    @property
    def empty(self) -> bool:
        return not self.name and not self.arguments.strip()

    def add(self, text: str) -> None:
        """Take more arguments. Linear: it parses only where the outermost brace has closed."""
        self.parts.append(text)
        marks = _MARKS.findall(self._carry + text)
        self._carry = ""

        for mark in marks:
            if mark == '"':
                self._quoted = not self._quoted
            elif mark == "\\":  # the last character so far; what it escapes is still to come
                self._carry = mark
            elif not self._quoted and len(mark) == 1:
                self._depth += 1 if mark == "{" else -1

        if not self._depth and "}" in marks:
            self.complete = _is_object(self.arguments)


def _is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except ValueError:
        return False
