"""One thing that is asked about every item."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Filter", "Measure", "Reading"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on rows."""

    column: str
    """"" where none was named: any column, or for a number the only numeric one."""
    op: str
    """=, !=, <, <=, >, >=, contains, starts, blank or filled."""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        column = self.column or ("any column" if self.op in {"=", "!="} else "the value")
        joint = " and " if self.op == "between" else " or "
        return f"{column} {self.op} {joint.join(self.values)}".strip()


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the answer."""

    op: str
    """rows, max, min, mean, sum, median, mode, nth, top, distinct, argmax, argmin, values,
    count, field, occurrences, or the name of a metric of text."""
    column: str = ""
    """The column, field or word it is about."""
    number: int = 0
    """Of nth and top; negative counts from the smallest. Of argmax and argmin, 1: said by one word
    such as cheapest, where `about` may as well be the column itself."""
    filters: tuple[Filter, ...] = ()
    guessed: bool = False
    """The column may be a word of the goal that names no column."""
    about: str = ""
    """argmax, argmin: the column whose value is wanted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood, and what not."""

    measures: tuple[Measure, ...]
    ignored: tuple[str, ...]
    best: tuple[tuple[int, str], ...] = ()
    """Measures' places and max, min or sum: what is asked about all items together."""
