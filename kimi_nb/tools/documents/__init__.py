"""A tool that reads what people write in offices: Excel, Word and PDF files.

Such files may come from anybody, and their parsers were not written to be attacked: each file
is read in a process of its own kind, with a limit of time and memory, which may die of it.
"""

from __future__ import annotations

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import Tool, ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.documents.readers import Readers
from kimi_nb.tools.paging import page, split_lines

__all__ = ["document_tool"]

LARGEST = 50_000_000
"""Bytes of a file."""


def document_tool() -> Tool:
    """A `read_document` tool with processes of its own, which its `close` ends."""
    readers = Readers()

    @tool(private=True, untrusted=True, close=readers.close)
    def read_document(
        context: ToolContext, path: str, part: str = "", offset: int = 0, limit: int = 400
    ) -> str:
        """Read an Excel (.xlsx), Word (.docx) or PDF file as lines of text.

        Rows of tables are lines | like | this |, dates are YYYY-MM-DD, formulas show the value
        that was stored with them. If more remains, the last line says how to get it.

        Args:
            path: The file, from the working folder.
            part: A sheet's name or a page's number; left out: all of them, one after the other.
            offset: How many lines to skip.
            limit: How many lines to give at most.
        """
        with Folder(context.folder) as root:
            data = root.read(root.parts(path), LARGEST)

        try:
            text = readers.text(data, part.strip())
        except ToolError as error:
            raise ToolError(f"{path!r} {error}") from None

        return page(split_lines(text), offset, limit, what="document")

    return read_document
