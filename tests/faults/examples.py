"""Values that a schema allows, and what there is to see in a picture."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from typing import Any

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (40, 80, 220),
    "yellow": (235, 220, 50),
    "black": (15, 15, 15),
    "white": (245, 245, 245),
    "grey": (128, 128, 128),
}


def example(schema: dict[str, Any], number: int = 0, defined: dict[str, Any] | None = None) -> Any:
    """A value that the schema allows; different ones for different numbers, where it can."""
    defined = defined or schema.get("$defs", {})

    if "$ref" in schema:
        return example(defined[schema["$ref"].rpartition("/")[2]], number, defined)

    if "anyOf" in schema:
        return example(schema["anyOf"][0], number, defined)

    if choices := schema.get("enum"):
        return choices[number % len(choices)]

    if schema.get("type") == "object":
        wanted = schema.get("properties", {})
        needed = [name for name in schema.get("required", ()) if name in wanted]
        return {name: example(wanted[name], number, defined) for name in needed}

    if schema.get("type") == "array":
        count = max(1, schema.get("minItems", 1))
        return [example(schema.get("items", {}), n, defined) for n in range(count)]

    return _scalar(schema, number)


def _scalar(schema: dict[str, Any], number: int) -> Any:
    if "const" in schema:
        return schema["const"]

    low = schema.get("minimum", 0)
    high = schema.get("maximum", low + number)
    size = schema.get("minLength", 0)
    text = f"text {number}".ljust(size, ".")[: schema.get("maxLength")]
    values = {"integer": min(low + number, high), "boolean": True, "null": None}
    values["number"] = values["integer"]
    return values.get(schema.get("type", ""), text)


def dominant_colour(png: bytes) -> str:
    """The name of the commonest colour of a PNG of 8 bits a channel whose rows are unfiltered.

    "something" where it cannot be read.
    """
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        return "something"

    at, data, channels, width = 8, b"", 0, 0

    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + size]
        at += 12 + size

        if kind == b"IHDR":
            width, _, depth, colours = struct.unpack_from(">IIBB", body)
            channels = {0: 1, 2: 3, 6: 4}.get(colours, 0) if depth == 8 else 0
        elif kind == b"IDAT":
            data += body

    if not channels:
        return "something"

    pixels: Counter[tuple[int, ...]] = Counter()
    raw = zlib.decompress(data)
    line = width * channels + 1

    for row in range(0, len(raw), line):
        if raw[row]:
            return "something"

        one = raw[row + 1 : row + line]
        pixels.update(tuple(one[x : x + channels]) for x in range(0, len(one), channels))

    seen = pixels.most_common(1)[0][0]
    rgb = seen * 3 if channels == 1 else seen[:3]
    return min(COLOURS, key=lambda name: _distance(COLOURS[name], rgb))


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
