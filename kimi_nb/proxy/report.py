"""What a class has used, as a table."""

from __future__ import annotations

from collections import Counter

from kimi_nb.proxy.keys import Who
from kimi_nb.proxy.ledger import entries
from kimi_nb.proxy.purse import Purse
from kimi_nb.proxy.seats import Seats
from kimi_nb.proxy.sheet import Sheet

__all__ = ["usage_report"]

HEAD = ("class", "student", "calls", "tokens", "usd", "left")


def usage_report(sheet: Sheet) -> str:
    """A line for each learner, and one for each class, with what is left of the budgets."""
    past = list(entries(sheet.ledger))
    seats = Seats(sheet, past)
    calls = Counter(Who(entry.group, entry.student) for entry in past)
    rows = [HEAD]

    for name, room in seats.rooms.items():
        here = [seat for seat in seats.everybody() if seat.room is room]
        rows += [
            _row(name, seat.who.student, calls[seat.who], seat.purse)
            for seat in sorted(here, key=lambda seat: -seat.purse.spent["tokens"])
        ]
        rows.append(_row(name, "all", sum(calls[seat.who] for seat in here), room.purse))

    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(group: str, student: str, calls: int, purse: Purse) -> tuple[str, ...]:
    left = ", ".join(f"{max(0.0, amount):,.6g} {name}" for name, amount in purse.left().items())
    tokens, usd = f"{purse.spent['tokens']:,.0f}", f"{purse.spent['usd']:.4f}"
    return group, student, f"{calls:,}", tokens, usd, left or "no limit"
