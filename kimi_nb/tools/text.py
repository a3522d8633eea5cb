"""Bytes of a file as text."""

from __future__ import annotations

import codecs

from kimi_nb.errors import ToolError

__all__ = ["decoded"]


def decoded(data: bytes, path: str) -> tuple[str, bool]:
    """The text, and whether all of it could be decoded. Raises ToolError for a binary file."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _tried(data, "utf-16")

    if b"\0" in data[:100_000]:
        raise ToolError(f"{path!r} is binary")

    return _tried(data, "utf-8-sig")


def _tried(data: bytes, encoding: str) -> tuple[str, bool]:
    try:
        return data.decode(encoding), True
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), False
