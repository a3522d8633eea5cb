"""Places in an order: second highest, top 3, the oldest; and what their words compare with."""

from __future__ import annotations

import re
from dataclasses import replace

from kimi_nb.models.simulator.lexicon import Token
from kimi_nb.models.simulator.measure import Filter, Measure

__all__ = ["place_of", "same_column", "stem", "superlative", "value_is"]

_ORDERS = frozenset({"<", "<=", ">", ">="})
_LOW = re.compile(r"lowest|smallest|cheapest|bottom|低|小", re.IGNORECASE)
_PLACES = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "二": 2, "三": 3, "四": 4, "五": 5}
_NUMBERS = {"two": 2, "three": 3, "five": 5, "ten": 10, "三": 3, "五": 5, "十": 10}


def place_of(head: Token) -> int:
    """Which place `second highest` or `top 3` names; negative from the bottom, 0 for none."""
    sign = -1 if _LOW.search(head.text) else 1

    if head.value == "nth":
        places = [n for word, n in _PLACES.items() if word in head.text.lower()]
        digits = re.findall(r"\d", head.text)
        return sign * (int(digits[0]) if digits else places[0])

    if head.value == "top":
        digits = re.findall(r"\d+", head.text)
        words = [n for word, n in _NUMBERS.items() if word in head.text.lower()]
        return sign * (int(digits[0]) if digits else (words or [3])[0])

    return 0


def superlative(op: str, column: str, given: str) -> Measure:
    """Oldest, cheapest: the word itself gives the column; another named one is what it is about."""
    same = stem(column) in {stem(given), "cost", "age", "person", "people"}
    about = "" if same or not column else column
    op = {"max": "argmax", "min": "argmin"}[op] if about else op
    return Measure(op, given, number=1 if about else 0, about=about)


def value_is(names: list[str]) -> tuple[Filter, ...]:
    """The condition that some column has this value."""
    return (Filter("", "=", (" ".join(names),)),)


def same_column(filters: tuple[Filter, ...], before: Measure) -> tuple[Filter, ...]:
    """Greater than 10 and less than 20: the second is about the column of the first."""
    named = [f.column for f in before.filters if f.column]
    return tuple(
        replace(f, column=named[-1]) if named and not f.column and f.op in _ORDERS else f
        for f in filters
    )


def stem(name: str) -> str:
    """A name without case and plural."""
    return name.casefold().removesuffix("s")
