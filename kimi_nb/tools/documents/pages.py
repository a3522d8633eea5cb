"""PDF files as lines."""

from __future__ import annotations

import io
import re
from typing import Any

from kimi_nb.errors import ToolError

__all__ = ["pdf_text"]

_GAP = re.compile(r" {4,}")


def pdf_text(data: bytes, part: str) -> str:
    """All pages, or one, row by row as they are printed. Raises ToolError."""
    import pypdf
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))

        # Many files that anybody may read are encrypted, with an empty password.
        if reader.is_encrypted and not reader.decrypt(""):
            raise ToolError("has a password; save a copy without one")

        return "\n".join(_pages(reader, part))
    except DependencyError as error:
        raise ToolError("is encrypted: pip install cryptography, or save a copy") from error
    except PyPdfError as error:
        raise ToolError(f"is a broken PDF file: {error}") from error


def _pages(reader: Any, part: str) -> list[str]:
    number = len(reader.pages)
    wanted = range(1, number + 1)

    if part:
        if not (part.isascii() and part.isdigit() and 1 <= int(part[:9]) <= number):
            raise ToolError(f"has no page {part!r}; give a number from 1 to {number}")

        wanted = (int(part),)

    lines: list[str] = []

    for page in wanted:
        text = _page(reader.pages[page - 1])
        shown = text or "[no text on this page; it may be a picture]"
        lines += [f"## Page {page} of {number}", *shown.splitlines()]

    return lines


def _page(page: Any) -> str:
    """Its text with what stands in one row in one line; turned text is left to the plain way."""
    text = page.extract_text(extraction_mode="layout") or page.extract_text()
    rows = (_GAP.sub("   ", line.strip()) for line in text.splitlines())
    return "\n".join(row for row in rows if row)
