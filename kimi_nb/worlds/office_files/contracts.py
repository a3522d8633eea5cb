"""Leases of branches: Word documents with a table, clauses, and perhaps an amendment."""

from __future__ import annotations

import datetime as dt
import io
import random
from typing import NamedTuple

from kimi_nb.worlds.office_files.papers import Paper, amount, any_day, cents, in_words, packed

__all__ = ["FACTS", "contracts"]

FACTS = (
    "`monthly rent` and `ends`, the last day of the lease. What an amendment says takes the "
    "place of what was agreed before."
)


class _Lease(NamedTuple):
    branch: str
    area: int
    rent: int
    deposit: int
    begin: dt.date
    end: dt.date
    new_rent: int
    new_end: dt.date
    amended: dt.date
    rent_is: str
    ends: str


def contracts(draw: random.Random, branch: str, number: int) -> Paper:
    """A branch's lease."""
    begin, rent = any_day(draw, 2016, 2020), cents(draw, 900, 4_000)
    end = begin.replace(day=28, year=begin.year + draw.randint(8, 12))
    what = draw.choice(("", "rent", "end", "rent end"))
    lease = _Lease(
        branch=branch,
        area=draw.randint(60, 400),
        rent=rent,
        deposit=rent * draw.choice((2, 3)),
        begin=begin,
        end=end,
        new_rent=rent + cents(draw, 40, 400) if "rent" in what else rent,
        new_end=end.replace(year=end.year + draw.randint(1, 5)) if "end" in what else end,
        amended=any_day(draw, 2021, 2024),
        rent_is=draw.choice(("Monthly rent", "Rent per month")),
        ends=draw.choice(("ends on", "runs until", "expires on")),
    )
    facts = {"monthly rent": lease.new_rent / 100, "ends": lease.new_end}
    path = f"contracts/{branch}-{number:03}.docx"
    return Paper(path=path, facts={**facts}, data=lambda: _document(lease))


def _document(lease: _Lease) -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("Lease of business premises", level=1)
    document.add_paragraph(
        f"between Northgate Estates, the landlord, and the branch in {lease.branch.title()}, the "
        "tenant."
    )
    rows = (
        ("Area", f"{lease.area} m²"),
        (lease.rent_is, f"{amount(lease.rent)} EUR"),
        ("Deposit", f"{amount(lease.deposit)} EUR"),
    )
    table = document.add_table(len(rows), 2)

    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text

    document.add_heading("Term", level=2)
    document.add_paragraph(
        f"The lease begins on {in_words(lease.begin)} and {lease.ends} {in_words(lease.end)}. "
        "Notice is to be given three months before that day."
    )

    for text in _amendments(lease):
        document.add_paragraph(text)

    out = io.BytesIO()
    document.save(out)
    return packed(out.getvalue())


def _amendments(lease: _Lease) -> list[str]:
    agreed = f"Amendment of {in_words(lease.amended)}: "
    texts: list[str] = []

    if lease.new_rent != lease.rent:
        texts.append(
            f"{agreed}the {lease.rent_is.lower()} is {amount(lease.new_rent)} EUR from then on."
        )

    if lease.new_end != lease.end:
        texts.append(f"{agreed}the lease is prolonged and {lease.ends} {in_words(lease.new_end)}.")

    return texts
