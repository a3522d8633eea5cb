"""Facts in the text of a document, each by a rule that goes by its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

__all__ = ["facts_in"]

_AMOUNT = r"\d[\d.,]*\d|\d"
_DAY = r"(?:\d{4}-\d\d-\d\d|\d{1,2} [A-Z][a-z]+ \d{4})"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_SHEET = re.compile(r"^## Sheet .*$", re.MULTILINE)
_IN_FORCE = re.compile(r"\bin force on (\d{4}-\d\d-\d\d)")


def facts_in(text: str, wanted: str) -> dict[str, str]:
    """What stands in a document, by the names of facts; `wanted` is how they were asked for."""
    found = {name: rule(text) for name, rule in _RULES.items()}
    found |= _price_list(text, wanted)
    return {name: value for name, value in found.items() if value}


def _amount(text: str) -> str:
    """With two decimals and a point; "" if it is none."""
    comma, point = text.rfind(","), text.rfind(".")
    plain = text.replace(".", "").replace(",", ".") if comma > point else text.replace(",", "")

    try:
        return f"{float(plain):.2f}"
    except ValueError:
        return ""


def _day(text: str) -> str:
    """As YYYY-MM-DD; "" if it is none."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text

    day, _, rest = text.partition(" ")
    month, _, year = rest.partition(" ")
    return f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}" if month in _MONTHS else ""


def _last(pattern: str, shape: Callable[[str], str]) -> Callable[[str], str]:
    """What stands last is what holds: totals follow their parts, amendments what they amend."""
    compiled = re.compile(pattern)

    def rule(text: str) -> str:
        hits = compiled.findall(text)
        return shape(hits[-1]) if hits else ""

    return rule


def _approved(text: str) -> str:
    """The sum of what sentences or the column of amounts say was approved."""
    hits = re.findall(rf"\bapproved ({_AMOUNT}) (?:EUR|€)", text)

    for cells in _rows(text):
        if "approved" in cells[1:-1]:
            hits += re.findall(_AMOUNT, cells[-1])[:1]

    values = [_amount(hit) for hit in hits]
    return f"{sum(round(100 * float(value)) for value in values if value) / 100:.2f}" * bool(hits)


def _rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| ") and line.endswith(" |"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])]


def _price_list(text: str, wanted: str) -> dict[str, str]:
    """Of the sheet that is in force on the day that is asked for."""
    asked = _IN_FORCE.search(wanted)
    latest, prices = "", list[float]()

    for sheet in _SHEET.split(text)[1:]:
        valid, found = _sheet(list(_rows(sheet)))

        if found and latest < valid <= (asked[1] if asked else "9999"):
            latest, prices = valid, found

    if not prices:
        return {}

    return {"articles": str(len(prices)), "highest price": f"{max(prices):.2f}"}


def _sheet(rows: list[list[str]]) -> tuple[str, list[float]]:
    """From when it is valid, and the prices that are not withdrawn."""
    valid = next((row[1] for row in rows if row[0] == "Valid from" and len(row) > 1), "")
    start = next((n for n, row in enumerate(rows) if "Price" in row), len(rows))
    column = rows[start].index("Price") if start < len(rows) else 0
    kept = [
        row[column]
        for row in rows[start + 1 :]
        if len(row) > column and "withdrawn" not in " ".join(row[column + 1 :]).lower()
    ]
    amounts = [_amount(cell) for cell in kept]
    return valid, [float(value) for value in amounts if value]


_RULES: dict[str, Callable[[str], str]] = {
    "total": _last(rf"(?m)^(?:Grand total|Total|Amount due)\b.*?({_AMOUNT})$", _amount),
    "due": _last(rf"(?i:\b(?:to be paid until|due(?: date| on)?|payable by)):? ({_DAY})", _day),
    "monthly rent": _last(
        rf"(?i:monthly rent|rent per month)\b[^\d\n]*({_AMOUNT}) (?:EUR|€)", _amount
    ),
    "ends": _last(rf"\b(?:ends on|runs until|expires on) ({_DAY})", _day),
    "approved": _approved,
    "next meeting": _last(rf"(?i:next meeting|meet again)\b[^\d\n]*({_DAY})", _day),
}
