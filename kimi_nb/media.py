"""What an image is, by its first bytes, whatever its name says."""

from __future__ import annotations

import re

__all__ = ["image_type"]

_FIRST = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
"""SVG is none of them: it may hold scripts."""


def image_type(data: bytes) -> str:
    """The MIME type of a PNG, JPEG, GIF or WebP image; "" for anything else."""
    return next((kind for first, kind in _FIRST if first.match(data)), "")
