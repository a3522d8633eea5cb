"""The process that reads documents: one request a line, and the file's bytes after it.

It dies of a document that takes too long, by a signal that no parser can hold off, and leaves
after one that broke a parser: that may have used up its memory.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import Any, BinaryIO

import orjson

from kimi_nb.errors import ToolError
from kimi_nb.tools.documents.archive import Archive
from kimi_nb.tools.documents.pages import pdf_text
from kimi_nb.tools.documents.sheets import workbook_text
from kimi_nb.tools.documents.words import word_text

__all__ = ["answered"]

MEMORY = 1_000_000_000
"""Bytes of address space, interpreter and libraries included."""
MOST_TEXT = 20_000_000
"""Characters of one document."""
PACKAGES = {"openpyxl": "openpyxl", "docx": "python-docx", "pypdf": "pypdf"}


def text_of(data: bytes, part: str) -> str:
    """The document, or its part, as lines. Raises ToolError."""
    if b"%PDF-" in data[:1024]:
        return pdf_text(data, part)

    if data.startswith(b"PK"):
        archive = Archive(data)

        if archive.has("xl/workbook.xml"):
            return workbook_text(archive, part)

        if archive.has("word/document.xml"):
            return word_text(archive, part)

    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise ToolError(
            "is an Office file with a password, or one of before 2007; save it again as .xlsx or "
            ".docx, without a password"
        )

    raise ToolError("is not an Excel, Word or PDF file, or is broken; try read_file")


def answered(data: bytes, part: str) -> dict[str, Any]:
    """What goes back: the text or an error, and whether this process should be the last."""
    try:
        return {"text": text_of(data, part)[:MOST_TEXT]}
    except ToolError as error:
        return {"error": str(error)}
    except ModuleNotFoundError as error:
        package = PACKAGES.get((error.name or "").partition(".")[0], error.name)
        return {"error": f"needs {package} to be read: pip install 'kimi-nb[office]'"}
    except (MemoryError, RecursionError):
        return {"error": "is too large to read, or broken", "last": True}
    except Exception as error:  # noqa: BLE001 - a parser may fail in any way on a broken file
        said = " ".join(str(error).split())[:200]
        return {"error": f"is broken: {type(error).__name__}: {said}", "last": True}


def _limited() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system has them
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _serve(source: BinaryIO, sink: BinaryIO) -> None:
    last = False

    while not last and (line := source.readline()):
        head = orjson.loads(line)
        data = source.read(head["size"])
        signal.setitimer(signal.ITIMER_PROF, head["seconds"])
        answer = answered(data, head["part"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        last = answer.get("last", False)
        sink.write(orjson.dumps(answer) + b"\n")
        sink.flush()


if __name__ == "__main__":
    _limited()
    _serve(sys.stdin.buffer, sys.stdout.buffer)
