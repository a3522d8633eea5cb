"""A picture of one colour, as a model gets it."""

from __future__ import annotations

import base64
import re
import struct
import zlib

__all__ = ["COLOURS", "data_url", "named"]

COLOURS: dict[str, tuple[tuple[int, int, int], tuple[str, ...]]] = {
    "red": ((220, 30, 30), ("red", "红", "紅", "赤")),
    "green": ((30, 160, 60), ("green", "绿", "綠")),
    "blue": ((30, 70, 220), ("blue", "蓝", "藍", "青")),
    "yellow": ((240, 220, 40), ("yellow", "黄", "黃")),
}
"""The colours that may be shown, and how answers name them."""
SIZE = 64
"""Pixels of a side: some models refuse what is much smaller."""


def data_url(colour: str) -> str:
    """A PNG of one of COLOURS as a data URL."""
    return "data:image/png;base64," + base64.b64encode(_png(COLOURS[colour][0])).decode()


def named(text: str) -> set[str]:
    """Which of COLOURS an answer names."""
    said = set(re.findall("[a-z]+", text.lower()))
    return {
        name
        for name, (_, words) in COLOURS.items()
        if any(word in (said if word.isascii() else text) for word in words)
    }


def _png(colour: tuple[int, int, int]) -> bytes:
    row = b"\0" + bytes(colour) * SIZE
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(row * SIZE)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
