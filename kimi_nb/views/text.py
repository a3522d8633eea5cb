"""Text from models and tools, made safe to print and measured in columns of a terminal."""

from __future__ import annotations

import html
import unicodedata

__all__ = ["clean", "escape", "fit", "one_line", "width"]

UNSEEN = "\ufffd"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BREAKS = "\x0b\x0c\x85\u2028\u2029"

_TABLE: dict[int, str | None] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},  # ␀ … ␛ …: seen, and without effect
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), UNSEEN),
    **dict.fromkeys(range(0xD800, 0xE000), UNSEEN),  # lone surrogates cannot be encoded
    **dict.fromkeys(range(0xE0000, 0xE0080), None),  # tag characters: text that nobody sees
    **{ord(char): UNSEEN for char in BIDI},
    **{ord(char): "\n" for char in BREAKS},
    ord("\n"): "\n",
    ord("\t"): "    ",
    ord("\ufeff"): None,
}


def clean(text: str) -> str:
    """`text` without anything that moves a cursor, rings, colours, hides or reverses.

    Control characters become visible symbols, marks of direction U+FFFD. Lines stay lines.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_TABLE)


def one_line(text: str) -> str:
    """`text` cleaned, all white space as single spaces."""
    return " ".join(clean(text).split())


def escape(text: str) -> str:
    """`text` cleaned and escaped for HTML, in content and in quoted attributes."""
    return html.escape(clean(text), quote=True)


def width(text: str) -> int:
    """Columns that `text` takes in a terminal."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0

    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def fit(text: str, columns: int, *, right: bool = False) -> str:
    """`text` as one clean line in exactly that many columns: cut with "…" or padded."""
    line = one_line(text)

    if width(line) > columns:
        line = _cut(line, columns - 1) + "…" if columns > 0 else ""

    pad = " " * (columns - width(line))
    return pad + line if right else line + pad


def _cut(line: str, columns: int) -> str:
    used = 0

    for index, char in enumerate(line):
        used += _columns(char)

        if used > columns:
            return line[:index]

    return line
