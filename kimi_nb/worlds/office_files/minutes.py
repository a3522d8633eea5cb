"""Minutes of meetings: Word documents with the decisions in sentences or in a table."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from kimi_nb.worlds.office_files.papers import Paper, amount, any_day, cents, in_words, packed

if TYPE_CHECKING:
    from docx.table import Table

__all__ = ["FACTS", "minutes"]

FACTS = (
    "`approved`, the sum of all amounts that the meeting approved (not of those asked for, nor "
    "of those turned down), and `next meeting`, its day."
)
_PEOPLE = ("A. Duarte", "M. Lindqvist", "P. Novak", "S. Okafor", "T. Brandt", "Y. Chen")
_WISHES = ("new shelves", "a delivery van", "training", "repairs to the roof", "a till", "signs")

_AGAIN = ("The next meeting is on", "The next meeting will be held on", "We meet again on")


class _Request(NamedTuple):
    what: str
    asked: int
    granted: int
    """Cents; 0: turned down."""


def minutes(draw: random.Random, branch: str, number: int) -> Paper:
    """The minutes of a meeting of a branch."""
    day = any_day(draw, 2024, 2025)
    following = day + dt.timedelta(days=draw.randint(20, 90))
    requests = [_request(draw, what) for what in draw.sample(_WISHES, draw.randint(2, 4))]
    first = requests[0]
    requests[0] = first._replace(granted=first.granted or first.asked)
    as_table = draw.random() < 0.5
    present = draw.sample(_PEOPLE, 3)
    again = draw.choice(_AGAIN)
    facts = {"approved": sum(each.granted for each in requests) / 100, "next meeting": following}
    path = f"minutes/{branch}-{number:03}.docx"

    def data() -> bytes:
        return _document(
            branch, (day, following), present, requests, as_table=as_table, again=again
        )

    return Paper(path=path, facts={**facts}, data=data)


def _request(draw: random.Random, what: str) -> _Request:
    asked = cents(draw, 400, 20_000)
    granted = draw.choice((asked, asked // 2, asked * 4 // 5, 0))
    return _Request(what, asked, granted)


def _document(
    branch: str,
    days: tuple[dt.date, dt.date],
    present: Sequence[str],
    requests: list[_Request],
    *,
    as_table: bool,
    again: str,
) -> bytes:
    import docx

    document = docx.Document()
    document.add_heading(f"Minutes of the meeting in {branch.title()}", level=1)
    document.add_paragraph(f"Held on {in_words(days[0])}. Present:")

    for name in present:
        document.add_paragraph(name, style="List Bullet")

    document.add_heading("Requests", level=2)

    if as_table:
        _as_table(document.add_table(len(requests) + 1, 4), requests)
    else:
        for request in requests:
            document.add_paragraph(_sentence(request))

    document.add_paragraph(f"The accounts of last year were read. {again} {in_words(days[1])}.")
    out = io.BytesIO()
    document.save(out)
    return packed(out.getvalue())


def _as_table(table: Table, requests: list[_Request]) -> None:
    rows = [("Request", "Asked for", "Decision", "Amount")]
    rows += [
        (
            each.what,
            f"{amount(each.asked)} EUR",
            "approved" if each.granted else "rejected",
            f"{amount(each.granted)} EUR" if each.granted else "–",
        )
        for each in requests
    ]

    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text


def _sentence(request: _Request) -> str:
    asked = f"{amount(request.asked)} EUR were asked for {request.what}"

    if not request.granted:
        return f"{asked}; the request was rejected."

    return f"{asked}; the meeting approved {amount(request.granted)} EUR."
