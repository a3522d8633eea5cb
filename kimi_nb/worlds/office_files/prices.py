"""Price lists of suppliers: workbooks of several sheets, of which one is in force."""

from __future__ import annotations

import datetime as dt
import io
import random

from kimi_nb.worlds.office_files.papers import Paper, any_day, cents, packed

__all__ = ["FACTS", "IN_FORCE", "prices"]

IN_FORCE = dt.date(2025, 6, 30)
FACTS = (
    "`articles`, the number of articles, and `highest price`, both of the one sheet that is in "
    f"force on {IN_FORCE}: of the sheets that are valid from that day or earlier, the latest. "
    "Articles marked as withdrawn do not count."
)
_NAMES = ("hinge", "bracket", "castor", "panel", "hook", "rail", "sleeve", "clamp", "gasket")
_SHEETS = ("List A", "List B", "List C", "Draft")

_Rows = list[tuple[str, str, int, str]]
"""Number, name, price in cents, and what is noted."""


def prices(draw: random.Random, supplier: str, number: int) -> Paper:
    """A supplier's price list."""
    days = sorted({any_day(draw, 2022, 2025), any_day(draw, 2022, 2025), dt.date(2025, 2, 1)})
    days.append(any_day(draw, 2026, 2027))
    sheets = [(day, _articles(draw)) for day in days]
    current = [row for row in sheets[-2][1] if not row[3]]
    draw.shuffle(sheets)
    facts = {"articles": len(current), "highest price": max(row[2] for row in current) / 100}
    path = f"prices/{supplier}-{number:03}.xlsx"
    return Paper(path=path, facts={**facts}, data=lambda: _workbook(supplier, sheets))


def _articles(draw: random.Random) -> _Rows:
    rows = [
        (
            f"{draw.choice('KLMN')}-{100 + n}",
            draw.choice(_NAMES),
            cents(draw, 1, 1_900),
            "withdrawn" if draw.random() < 0.15 else "",
        )
        for n in range(draw.randint(6, 12))
    ]
    rows.append(("N-900", "workbench", cents(draw, 1_900, 2_500), "withdrawn"))
    return [*rows, ("K-901", "trolley", cents(draw, 200, 1_900), "")]


def _workbook(supplier: str, sheets: list[tuple[dt.date, _Rows]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    notes = book.active or book.create_sheet()
    notes.title = "Notes"
    notes.append([f"Price lists of {supplier.title()}, in euros, without VAT"])

    for name, (day, rows) in zip(_SHEETS, sheets, strict=False):
        sheet = book.create_sheet(name)
        sheet.append([f"{supplier.title()}: {name}"])
        sheet.append(["Valid from", day])
        sheet.append([])
        sheet.append(["Article", "Name", "Price", "Note"])

        for number, what, price, note in rows:
            sheet.append([number, what, price / 100, note or None])

    out = io.BytesIO()
    book.save(out)
    return packed(out.getvalue())
