"""Invoices of suppliers: PDF files whose total stands on the last page."""

from __future__ import annotations

import datetime as dt
import io
import random
from typing import Any, NamedTuple

from kimi_nb.worlds.office_files.papers import Paper, amount, any_day, cents, in_words

__all__ = ["FACTS", "invoices"]

FACTS = "`total`, the amount to pay with VAT, and `due`, the day until which it is to be paid."
FIRST, FOLLOWING = 24, 32
"""Positions on the first page and on each other one."""
_GOODS = ("toner", "paper A4", "envelopes", "stapler", "cleaning", "coffee", "cable", "battery")
_UNTIL = ("To be paid until", "Payable by", "Due date:")
_TOTAL = ("Total in EUR", "Amount due", "Grand total")


class _Position(NamedTuple):
    what: str
    number: int
    price: int
    """Cents."""


class _Invoice(NamedTuple):
    supplier: str
    number: str
    day: dt.date
    due: dt.date
    positions: list[_Position]
    comma: bool
    until: str
    total: str

    @property
    def net(self) -> int:
        """Cents."""
        return sum(each.number * each.price for each in self.positions)

    @property
    def tax(self) -> int:
        """19 % of it, in cents, halves up."""
        return (self.net * 19 + 50) // 100


def invoices(draw: random.Random, supplier: str, number: int) -> Paper:
    """An invoice of a supplier."""
    day = any_day(draw, 2024, 2025)
    positions = [
        _Position(draw.choice(_GOODS), draw.randint(1, 20), cents(draw, 2, 180))
        for _ in range(draw.randint(5, 70))
    ]
    due = day + dt.timedelta(days=draw.choice((10, 14, 30)))
    said = draw.choice(_UNTIL), draw.choice(_TOTAL)
    comma = draw.random() < 0.3
    found = _Invoice(supplier, f"R-{1000 + number}", day, due, positions, comma, *said)
    facts = {"total": (found.net + found.tax) / 100, "due": due}
    path = f"invoices/{supplier}-{number:03}.pdf"
    return Paper(path=path, facts={**facts}, data=lambda: _document(found))


def _document(invoice: _Invoice) -> bytes:
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    page = _Page(canvas, invoice)
    page.head()

    for number, position in enumerate(invoice.positions, start=1):
        page.position(number, position)

    page.foot()
    canvas.save()
    return out.getvalue()


class _Page:
    """The page that is being written, and what was carried forward to it."""

    __slots__ = ("_canvas", "_invoice", "_left", "_sum", "_y")

    def __init__(self, canvas: Any, invoice: _Invoice) -> None:
        self._canvas = canvas
        self._invoice = invoice
        self._left = FIRST
        self._sum = 0
        self._y = 800

    def head(self) -> None:
        """Who writes, and when."""
        invoice = self._invoice
        self._line(f"{invoice.supplier.title()} Ltd")
        self._line(f"Invoice {invoice.number} of {in_words(invoice.day)}")
        self._line(f"{invoice.until} {in_words(invoice.due)}, without deduction.")
        self._columns("Pos.", "Article", "Number", "Price", "Amount")

    def position(self, place: int, position: _Position) -> None:
        """One row, on a new page if this one is full."""
        if not self._left:
            self._columns("", "Carried forward", "", "", self._money(self._sum))
            self._canvas.showPage()
            self._y, self._left = 800, FOLLOWING
            self._columns("", "Brought forward", "", "", self._money(self._sum))

        value = position.number * position.price
        cells = (str(position.number), self._money(position.price), self._money(value))
        self._columns(str(place), position.what, *cells)
        self._sum += value
        self._left -= 1

    def foot(self) -> None:
        """What is to be paid."""
        invoice = self._invoice
        self._columns("", "Net", "", "", self._money(invoice.net))
        self._columns("", "VAT 19 %", "", "", self._money(invoice.tax))
        self._columns("", invoice.total, "", "", self._money(invoice.net + invoice.tax))
        self._line("Thank you for your order.")

    def _money(self, value: int) -> str:
        return amount(value, comma=self._invoice.comma)

    def _line(self, text: str) -> None:
        self._columns(text, "", "", "", "")

    def _columns(self, *cells: str) -> None:
        for x, cell in zip((60, 100, 330, 420, 520), cells, strict=True):
            if x < 300:
                self._canvas.drawString(x, self._y, cell)
            else:
                self._canvas.drawRightString(x, self._y, cell)

        self._y -= 20
