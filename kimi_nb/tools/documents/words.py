"""Word documents as lines."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import ToolError
from kimi_nb.tools.documents.archive import Archive
from kimi_nb.tools.documents.sheets import row_line

if TYPE_CHECKING:
    from docx.table import Table
    from docx.text.paragraph import Paragraph

__all__ = ["word_text"]


def word_text(archive: Archive, part: str) -> str:
    """Paragraphs and tables in the order in which they stand. Raises ToolError."""
    if part:
        raise ToolError(f"is a Word document and has no part {part!r}; leave part out")

    import docx
    from docx.table import Table

    lines: list[str] = []

    for block in docx.Document(io.BytesIO(archive.data)).iter_inner_content():
        lines += [*_table(block), ""] if isinstance(block, Table) else [_paragraph(block)]

    return "\n".join(lines)


def _paragraph(paragraph: Paragraph) -> str:
    style = str(paragraph.style.name if paragraph.style else "")
    heading = re.fullmatch(r"Heading (\d)", style)

    if heading:
        return f"{'#' * int(heading[1])} {paragraph.text}"

    mark = "# " * (style == "Title") + "- " * style.startswith("List ")
    return mark + paragraph.text


def _table(table: Table) -> Iterator[str]:
    for row in table.rows:
        yield row_line(list(_cells(row)))


def _cells(row: Any) -> Iterator[str]:
    """A cell that spans several columns comes once."""
    last = None

    for cell in row.cells:
        if cell._tc is not last:  # noqa: SLF001 - merged cells are one element, and two objects
            yield cell.text

        last = cell._tc  # noqa: SLF001
