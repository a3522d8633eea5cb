"""Markdown tables in a text that nobody has checked: cut, doubled, in another order, or none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

__all__ = ["plain", "rows_in"]

_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[\s:|\-]+")
_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,500}\)")
_MARKS = re.compile(r"\\([|\\*_`])|(<br */?>)|\*{1,3}|`|\[\^?\d{1,3}\]|(?<!\w)_{1,2}|_{1,2}(?!\w)")
LONGEST = 2_000
"""Characters of a line that is looked at; a longer one is no row of a table."""


def rows_in(text: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """The rows of all tables in a text, each with a plain cell for each of the columns.

    Columns are matched by their headings, without units in brackets; others are left out. A cell
    that is missing is "". Rows without a heading count where they have exactly these columns. Of a
    table without the first column nothing counts: its rows cannot be told apart.
    """
    found: list[tuple[str, ...]] = []
    wanted = tuple(map(_bare, columns))
    as_they_stand = tuple(range(len(columns)))
    places: tuple[int, ...] | None = None

    for line, after in pairwise([*text.splitlines(), ""]):
        if "|" not in line or len(line) > LONGEST:
            places = None
            continue

        if _RULE.fullmatch(line):
            continue

        cells = _cells(line)

        if (heading := _heading(cells, wanted)) is not None:
            places = heading
        elif _is_rule(after):
            places = ()
        elif places:
            found.append(_placed(cells, places))
        elif places is None and len(cells) == len(columns):
            found.append(_placed(cells, as_they_stand))

    return found


@lru_cache(maxsize=4096)
def plain(cell: str) -> str:
    """A cell without Markdown's marks, links and footnotes, full-width signs made narrow."""
    text = unicodedata.normalize("NFKC", cell)
    return " ".join(_MARKS.sub(_unmarked, _LINK.sub(r"\1", text)).split())


def _unmarked(mark: re.Match[str]) -> str:
    """The sign that a backslash kept, a space for a new line, nothing for all else."""
    return mark[1] or (" " if mark[2] else "")


def _cells(line: str) -> list[str]:
    bare = line.strip()
    parts = _BAR.split(bare)

    if bare.startswith("|"):
        parts = parts[1:]

    if len(parts) > 1 and not parts[-1].strip() and bare.endswith("|"):
        parts = parts[:-1]

    return [plain(part) for part in parts]


@lru_cache(maxsize=4096)
def _bare(heading: str) -> str:
    """The heading's letters and digits, without what stands in brackets."""
    text = re.sub(r"[(（\[][^()（）\[\]]{0,80}[)）\]]", " ", plain(heading))
    return "".join(char for char in text.casefold() if char.isalnum())


def _is_rule(line: str) -> bool:
    return "|" in line and "--" in line and len(line) <= LONGEST and bool(_RULE.fullmatch(line))


def _heading(cells: Sequence[str], wanted: tuple[str, ...]) -> tuple[int, ...] | None:
    """Where the columns stand, -1 for one that is not there; None if this is no heading."""
    names = [_bare(cell) for cell in cells]

    if wanted[0] not in names or sum(name in names for name in wanted) < 2:
        return None

    return tuple(names.index(name) if name in names else -1 for name in wanted)


def _placed(cells: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    return tuple(cells[place] if 0 <= place < len(cells) else "" for place in places)
