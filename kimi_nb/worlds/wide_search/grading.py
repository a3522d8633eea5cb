"""Item-F1, as WideSearch has it (Wong et al. 2025): cells that are right, by row and column.

An item is a cell, the key's among them. A row counts where its key is one of the truth's. With
c right cells, p cells in the answer's rows and t in the truth's: precision c/p, recall c/t, and
F1 their harmonic mean, 2c / (p + t). A row that says no more than another counts once with it,
as in a second table of the tallest. Where two rows of one key differ, all count as given and the
worst as found: guessing twice does not pay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from kimi_nb.worlds.tables import rows_in
from kimi_nb.worlds.wide_search.coast import COLUMNS, Coast

__all__ = ["Score", "Truth", "grade_rows", "grade_text", "key_of", "truth_of"]

_NUMBER = re.compile(
    r"(?:about |approx\.? |c\. ?|ca\.? |~|≈)?(\d[\d, ']{0,14})(?:\.0{1,3})?", re.IGNORECASE
)
_UNITS = {
    "Height (m)": r"m|metres?|meters?|米",
    "First lit": r"年|ad|ce",
    "Range (nmi)": r"nmi|nm|nautical miles?|海里",
    "Visitors": r"visitors?|people|人次|人",
}
_TAILS = {
    column: re.compile(rf"\s*(?:{units})?(?:\s*\([^()]*\))?\.?", re.IGNORECASE)
    for column, units in _UNITS.items()
}


class Truth(NamedTuple):
    """The rows of the truth by key, in normal form."""

    rows: Mapping[str, tuple[str, ...]]


class Score(NamedTuple):
    """How much of a table is right."""

    right: int
    """Cells."""
    given: int
    wanted: int
    whole: int
    """Rows of which every cell is right."""

    @property
    def precision(self) -> float:
        return self.right / self.given if self.given else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted

    @property
    def f1(self) -> float:
        """Item-F1, in [0, 1]."""
        return 2 * self.right / (self.given + self.wanted)

    @property
    def perfect(self) -> bool:
        """Every row is there and right, and no other row is."""
        return self.right == self.given == self.wanted


def truth_of(coast: Coast) -> Truth:
    """What `grade_rows` holds a table against."""
    return Truth({key_of(each.row[0]): _normal(each.row) for each in coast.lighthouses})


def grade_rows(rows: Iterable[tuple[str, ...]], truth: Truth) -> Score:
    """The score of rows with a cell for each of `COLUMNS`, in any order."""
    known: dict[str, set[tuple[str, ...]]] = {}

    for row in rows:
        if any(row):
            known.setdefault(key_of(row[0]), set()).add(_normal(row))

    known = {key: _distinct(alike) for key, alike in known.items()}
    width = len(COLUMNS)
    right = whole = 0

    for key, alike in known.items():
        if key in truth.rows:
            worst = min(_right(row, truth.rows[key]) for row in alike)
            right += worst
            whole += worst == width

    given = width * sum(map(len, known.values()))
    return Score(right, given, width * len(truth.rows), whole)


def grade_text(text: str, truth: Truth) -> Score:
    """The score of all tables in a text."""
    return grade_rows(rows_in(text, COLUMNS), truth)


def key_of(name: str) -> str:
    """A name as it is compared: small letters, digits and single spaces."""
    words = "".join(char if char.isalnum() else " " for char in name.casefold()).split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def _distinct(alike: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """The fullest row, and those that say something else."""
    fullest = max(sorted(alike), key=lambda row: sum(map(bool, row)))
    others = (
        row for row in alike if any(a not in {"", b} for a, b in zip(row, fullest, strict=True))
    )
    return {fullest, *others}


def _right(row: tuple[str, ...], true: tuple[str, ...]) -> int:
    return sum(a == b != "" for a, b in zip(row, true, strict=True))


@lru_cache(maxsize=4096)
def _normal(row: tuple[str, ...]) -> tuple[str, ...]:
    """Each cell as it is compared; "" for one that says nothing, or in another unit."""
    return tuple(
        _number(cell, column)
        if column in _UNITS
        else key_of(cell.replace("'", "").replace("’", ""))
        for cell, column in zip(row, COLUMNS, strict=True)
    )


def _number(cell: str, column: str) -> str:
    found = _NUMBER.match(cell)

    if found is None or not _TAILS[column].fullmatch(cell[found.end() :]):
        return ""

    return str(int(re.sub(r"\D", "", found[1])))
