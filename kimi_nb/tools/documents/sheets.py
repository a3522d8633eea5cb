"""Excel workbooks as lines."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from kimi_nb.errors import ToolError
from kimi_nb.tools.documents.archive import Archive

__all__ = ["row_line", "workbook_text"]

MOST_CELLS = 2_000_000


def workbook_text(archive: Archive, sheet: str) -> str:
    """All sheets, or one, as rows. Raises ToolError."""
    import openpyxl

    def opened(*, stored: bool) -> Any:
        return openpyxl.load_workbook(io.BytesIO(archive.data), read_only=True, data_only=stored)

    values = opened(stored=True).worksheets
    formulas = opened(stored=False).worksheets if archive.has_formulas else repeat(None)
    known = [each.title for each in values]
    wanted = [name for name in known if name.casefold() == sheet.casefold()] if sheet else known

    if not wanted:
        names = ", ".join(map(repr, known)) or "none"
        raise ToolError(f"has no sheet {sheet!r}; there are: {names}")

    lines: list[str] = []

    for found, written in zip(values, formulas, strict=False):
        if found.title in wanted:
            rows = list(_rows(found, written))
            hidden = "" if found.sheet_state == "visible" else ", hidden"
            lines += [f"## Sheet {found.title!r}: {len(rows)} rows{hidden}", *rows, ""]

    return "\n".join(lines)


def row_line(cells: Sequence[str]) -> str:
    """A row of a table in one line."""
    shown = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"


def _rows(found: Any, written: Any) -> Iterator[str]:
    """The rows down to the last that has something; a sheet's own word on its size is not taken."""
    found.reset_dimensions()
    waiting: list[str] = []
    rest: Iterator[Any] = repeat(())

    if written is not None:
        written.reset_dimensions()
        rest = written.iter_rows(values_only=True)

    room = MOST_CELLS

    for values, sources in zip(found.iter_rows(values_only=True), rest, strict=False):
        room -= max(1, len(values))

        if room < 0:
            raise ToolError(f"has more than {MOST_CELLS:,} cells in sheet {found.title!r}")

        cells = [_shown(value, source) for value, source in _paired(values, sources)]

        while cells and not cells[-1]:
            cells.pop()

        waiting.append(row_line(cells) if cells else "")

        if cells:
            yield from waiting
            waiting = []


def _paired(values: Sequence[Any], sources: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(values, [*sources, *repeat(None, len(values) - len(sources))], strict=False)


def _shown(value: Any, source: Any) -> str:
    match value:
        case None:
            formula = getattr(source, "text", source)
            is_formula = isinstance(formula, str) and formula.startswith("=")
            return f"{formula} [not calculated]" if is_formula else ""
        case bool():
            return str(value).upper()
        case float():
            return f"{value:.15g}"
        case dt.datetime():
            whole = value.time() == dt.time()
            return value.date().isoformat() if whole else value.isoformat(" ", "seconds")
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)
