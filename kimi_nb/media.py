"""What an image is, by its bytes, whatever its name says; and a small one of it."""

from __future__ import annotations

import io
import re
import struct
import zlib

__all__ = ["BROKEN", "FORMATS", "MOST_PIXELS", "described", "image_size", "image_type", "thumbnail"]

_FIRST = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
"""SVG is none of them: it may hold scripts."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
"""By Pillow's names. It knows dozens more, and each is a parser that hostile bytes would reach."""
BROKEN = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError, EOFError),
    *(AttributeError, RuntimeError, MemoryError, struct.error, zlib.error),
)
"""What Pillow's decoders raise for bytes that are no image."""
SIDE = 160
"""Pixels of the longer side of a small image."""
MOST_PIXELS = 50_000_000
"""Of an image that is decoded: 200 MB."""
_FRAMES = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]..\x08", re.DOTALL)
"""The head of a JPEG's picture, with 8 bits a sample."""


def image_type(data: bytes) -> str:
    """The MIME type of a PNG, JPEG, GIF or WebP image; "" for anything else."""
    return next((kind for first, kind in _FIRST if first.match(data)), "")


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, as its head has them; None where that is not plain."""
    try:
        match image_type(data):
            case "image/png":
                return struct.unpack_from(">II", data, 16)
            case "image/gif":
                return struct.unpack_from("<HH", data, 6)
            case "image/jpeg":
                return _of_jpeg(data)
            case _:
                return None
    except struct.error:
        return None


def described(name: str, data: bytes) -> str:
    """The image in words: "image: NAME, 640×480"."""
    size = image_size(data)
    return f"image: {name}, {size[0]}×{size[1]}" if size else f"image: {name}"


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    """From part to part, as the lengths in their heads say."""
    place = 2

    while data[place : place + 1] == b"\xff":
        if found := _FRAMES.match(data, place):
            height, width = struct.unpack_from(">HH", data, found.end())
            return width, height

        place += 2 + struct.unpack_from(">H", data, place + 2)[0]

    return None


def thumbnail(data: bytes) -> bytes:
    """A small WebP of an image; b"" where there is no Pillow, or where it can read none."""
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError:
        return b""

    width, height = image_size(data) or (0, 0)

    if width * height > MOST_PIXELS:
        return b""

    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:  # of a WebP the head was not read
                return b""

            image.draft("RGB", (SIDE, SIDE))
            small = PIL.ImageOps.exif_transpose(image).convert("RGBA")
    except (*BROKEN, PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        return b""

    small.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    small.save(out, "WEBP")
    return out.getvalue()
