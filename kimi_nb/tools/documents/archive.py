"""The zip archives that .xlsx and .docx files are, looked at before a parser sees them."""

from __future__ import annotations

import io
import zipfile

from kimi_nb.errors import ToolError

__all__ = ["Archive"]

MOST_PARTS = 5_000
LARGEST = 200_000_000
"""Bytes of all parts together, unpacked. A part gives no more than it says it has."""
UNREAD = ("word/media/", "word/embeddings/", "xl/media/", "xl/embeddings/")
"""Folders of parts that nobody parses; pictures as SVG may well have a DTD."""
MARKS = (b"<!DOCTYPE", b"<!ENTITY")
BLOCK = 1 << 20


class Archive:
    """An archive that is not too large, without entities. Raises ToolError otherwise."""

    __slots__ = ("_names", "data", "has_formulas")

    def __init__(self, data: bytes) -> None:
        self.data = data
        """As it was."""
        self.has_formulas = False

        try:
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                parts = file.infolist()
                _check_size(parts)
                self._names = {part.filename for part in parts}

                for part in parts:
                    self._look(file, part)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
            raise ToolError(f"is a broken archive: {error}") from error
        except RuntimeError as error:  # what zipfile says about a password
            raise ToolError("has a password; save it again without one") from error

    def has(self, name: str) -> bool:
        """It has a part of that name."""
        return name in self._names

    def _look(self, file: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
        if part.filename.startswith(UNREAD):
            return

        tail = b""

        with file.open(part) as stream:
            while block := stream.read(BLOCK):
                text = tail + block.replace(b"\0", b"")  # UTF-16 hides no mark

                if any(mark in text for mark in MARKS):
                    raise ToolError(
                        f"has a document type declaration in {part.filename!r}, which no Office "
                        "program writes; it was not read"
                    )

                is_sheet = part.filename.startswith("xl/worksheets/")
                self.has_formulas |= is_sheet and (b"<f>" in text or b"<f " in text)
                tail = text[-16:]


def _check_size(parts: list[zipfile.ZipInfo]) -> None:
    size = sum(part.file_size for part in parts)

    if size > LARGEST or len(parts) > MOST_PARTS:
        raise ToolError(
            f"unpacks to {len(parts):,} parts of {size / 1e6:,.0f} MB together, and "
            f"{MOST_PARTS:,} parts of {LARGEST / 1e6:,.0f} MB can be read"
        )
