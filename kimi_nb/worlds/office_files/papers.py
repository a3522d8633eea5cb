"""What all kinds of files have in common: a path, what is true of it, how it is written."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "BRANCHES",
    "FIXED",
    "MONTHS",
    "SUPPLIERS",
    "Paper",
    "Value",
    "amount",
    "any_day",
    "cents",
    "in_words",
    "packed",
]

Value = int | float | str | dt.date
"""A count, an amount in euros rounded to cents, a name, or a day."""

BRANCHES = (
    *("lyon", "porto", "gdansk", "turin", "leipzig", "bergen"),
    *("malmo", "zagreb", "utrecht", "graz", "cork", "seville"),
)
SUPPLIERS = (
    *("arden", "borealis", "cobalt", "delphi", "elmwood", "falke"),
    *("granite", "hanse", "isar", "juniper", "kestrel", "lindgren"),
)
FIXED = (1980, 1, 1, 0, 0, 0)
"""The time of all parts of an archive, so that the same seed gives the same bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file of the folder."""

    path: str
    """From the folder; its folder is its kind."""
    facts: dict[str, Value]
    """What is asked about it, by the names that the goal uses."""
    data: Callable[[], bytes]
    """The file itself, made only when it is needed."""

    @property
    def kind(self) -> str:
        return self.path.partition("/")[0]

    @property
    def group(self) -> str:
        """The branch or supplier: the first word of its name."""
        return self.path.partition("/")[2].partition("-")[0]


def cents(draw: random.Random, low: int, high: int) -> int:
    """A price in cents between two numbers of euros."""
    return draw.randint(low * 100, high * 100)


def amount(value: int, *, comma: bool = False, grouped: bool = True) -> str:
    """Cents as a person writes them: 1,234.50, or 1.234,50 with a decimal comma."""
    text = f"{value / 100:,.2f}" if grouped else f"{value / 100:.2f}"
    return text.translate(str.maketrans(",.", ".,")) if comma else text


def any_day(draw: random.Random, first: int, last: int) -> dt.date:
    """A day between the begins of two years."""
    begin = dt.date(first, 1, 1)
    return begin + dt.timedelta(days=draw.randrange((dt.date(last, 1, 1) - begin).days))


def in_words(day: dt.date) -> str:
    """14 March 2025, whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def packed(data: bytes) -> bytes:
    """The same archive without the time at which it was made."""
    out = io.BytesIO()

    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            content = old.read(part)

            if part.filename == "docProps/core.xml":
                content = _STAMP.sub(b"1980-01-01T00:00:00Z", content)

            info = zipfile.ZipInfo(part.filename, FIXED)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)

    return out.getvalue()
