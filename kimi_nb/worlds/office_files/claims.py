"""What a report claims: the rows of its tables, as values that can be compared."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from kimi_nb.worlds.office_files.papers import MONTHS, Value

__all__ = ["Claim", "claims", "matches"]

Claim = tuple[str, str, str]
"""File, fact and value, as they stand in the report."""
HEADERS = ["file", "fact", "value"]
LONGEST = 300
"""Characters of a cell that is looked at."""
MOST = 50_000
"""Lines that are looked at."""
_BAR = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"\[([^\][]*)\]\([^)(]*\)")
_NUMBER = re.compile(
    r"(?P<whole>-?\d{1,3}(?:(?P<mark>[,.'\u2019 ])\d{3}(?:(?P=mark)\d{3})*)?|-?\d+)"
    r"(?:[.,](?P<part>\d+))?",
    re.ASCII,
)
_UNIT = re.compile(r"(?i)^(?:eur|euros?|€)|(?:eur|euros?|€)$")


def claims(text: str) -> list[Claim]:
    """The rows of all tables with the columns file, fact and value, each once."""
    return list(dict.fromkeys(_rows(text.splitlines()[:MOST])))


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


def _rows(lines: Sequence[str]) -> Iterator[Claim]:
    places: list[int] = []

    for number, line in enumerate(lines):
        if "|" not in line:
            places = []
            continue

        cells = [_plain(cell) for cell in _cells(line)]
        titles = [cell.casefold() for cell in cells]

        if set(HEADERS) <= set(titles) and _is_rule(lines, number + 1):
            places = [titles.index(name) for name in HEADERS]
        elif places and not _is_rule(lines, number) and len(cells) > max(places):
            file, fact, value = (cells[place] for place in places)
            yield file.removeprefix("/data/").removeprefix("./"), fact.casefold(), value


def _is_rule(lines: Sequence[str], number: int) -> bool:
    text = lines[number] if number < len(lines) else ""
    return "-" in text and set(text) <= set("|:- \t")


def _cells(line: str) -> list[str]:
    bare = line[: 10 * LONGEST].strip().removeprefix("|").removesuffix("|")
    return [cell[:LONGEST] for cell in _BAR.split(bare)]


def _plain(cell: str) -> str:
    """Without the marks of Markdown."""
    text = _LINK.sub(r"\1", cell).replace("\\|", "|")
    return " ".join(text.replace("**", "").replace("`", "").split())


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
