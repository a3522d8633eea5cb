"""What a report claims: the rows of its tables, as values that can be compared."""

from __future__ import annotations

import datetime as dt
import re

from kimi_nb.worlds.office_files.papers import MONTHS, Value
from kimi_nb.worlds.tables import rows_in

__all__ = ["Claim", "claims", "matches"]

Claim = tuple[str, str, str]
"""File, fact and value, as they stand in the report."""
HEADERS = ("file", "fact", "value")
LONGEST = 300
"""Characters of a cell that is looked at."""
MOST = 50_000
"""Lines that are looked at."""
_NUMBER = re.compile(
    r"(?P<whole>-?\d{1,3}(?:(?P<mark>[,.'\u2019 ])\d{3}(?:(?P=mark)\d{3})*)?|-?\d+)"
    r"(?:[.,](?P<part>\d+))?",
    re.ASCII,
)
_UNIT = re.compile(r"(?i)^(?:eur|euros?|€)|(?:eur|euros?|€)$")


def claims(text: str) -> list[Claim]:
    """The rows of all tables with the columns file, fact and value, each once."""
    rows = rows_in("\n".join(text.splitlines()[:MOST]), HEADERS)
    return list(dict.fromkeys(_claim(*row) for row in rows if all(row)))


def _claim(file: str, fact: str, value: str) -> Claim:
    return file.removeprefix("/data/").removeprefix("./"), fact.casefold(), value


def matches(said: str, truth: Value) -> bool:
    """What was said is what is true, however it is written."""
    match truth:
        case str():
            return _words(said) == _words(truth)
        case dt.date():
            return _day(said) == truth
        case _:
            number = _number(said)
            return number is not None and abs(number - truth) < 0.005


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


def _number(text: str) -> float | None:
    """1,234.50 and 1.234,50 and 1 234.5; a mark before three digits parts thousands."""
    found = _NUMBER.fullmatch(_UNIT.sub("", _words(text)).strip())

    if found is None:
        return None

    digits = re.sub(r"[^\d-]", "", found["whole"])
    return float(f"{digits}.{found['part'] or 0}")


def _day(text: str) -> dt.date | None:
    """2025-03-14, 14 March 2025, March 14, 2025 and 14.03.2025."""
    words = re.findall(r"[0-9]+|[a-z]+", text[:LONGEST].casefold())
    months = [n for n, name in enumerate(MONTHS, start=1) if name.casefold() in words]

    match words, months:
        case [str(year), str(month), str(day)], [] if len(year) == 4 and "-" in text:
            pass
        case [str(day), str(month), str(year)], [] if "." in text:
            pass
        case [str(day), str(), str(year)], [int(month)] if day.isdigit():
            pass
        case [str(), str(day), str(year)], [int(month)]:
            pass
        case _:
            return None

    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
