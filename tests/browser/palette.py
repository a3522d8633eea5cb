"""A screenshot with a palette: a third of the bytes, for a page that many open."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from playwright.sync_api import Page

__all__ = ["with_palette"]

COLOURS = 128
COUNT = """async (png) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const often = new Map();
  for (const pixel of pixels) { often.set(pixel, (often.get(pixel) ?? 0) + 1); }
  const parts = (c) => [c & 255, (c >> 8) & 255, (c >> 16) & 255];
  const kinds = new Set();
  const again = ([colour]) => kinds.size === kinds.add(colour & 0xf0f0f0).size;
  const sorted = [...often].sort((a, b) => b[1] - a[1]);
  const rest = sorted.splice(48);
  const alike = new Set(rest.filter(again));
  const first = [...sorted, ...rest.filter((one) => !alike.has(one)), ...alike];
  const palette = first.slice(0, COLOURS).map(([colour]) => parts(colour));
  const nearest = (colour) => {
    const own = parts(colour);
    const far = palette.map((other) => other.reduce((sum, x, i) => sum + (x - own[i]) ** 2, 0));
    return far.indexOf(Math.min(...far));
  };
  const at = new Map([...often.keys()].map((colour) => [colour, nearest(colour)]));
  let rows = "";
  for (const pixel of pixels) { rows += String.fromCharCode(at.get(pixel)); }
  return { width, height, palette: palette.flat(), rows: btoa(rows) };
}"""
"""The colours that are there most often, and of the others one of each kind before
any has two; what is left becomes the nearest of these."""


def with_palette(page: Page, png: bytes) -> bytes:
    """The same picture as a PNG of few colours; `page` is any page, which counts them."""
    found = page.evaluate(COUNT.replace("COLOURS", f"{COLOURS}"), base64.b64encode(png).decode())
    width, height = found["width"], found["height"]
    rows = base64.b64decode(found["rows"])
    lines = b"".join(b"\0" + rows[y * width : (y + 1) * width] for y in range(height))
    chunks: list[tuple[bytes, Any]] = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(found["palette"])),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
