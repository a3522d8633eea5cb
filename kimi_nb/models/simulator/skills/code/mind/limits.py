"""What may be thought through, and how large a thought may grow.

The code comes out of files that anybody may have written. So nothing here is ever executed by
Python: each kind of syntax, each function and each method is named below or is unknown, and
whatever could take for ever or fill the memory is unknown as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "LONGEST",
    "METHODS",
    "MOST_BITS",
    "Raised",
    "Unknown",
    "bounded",
    "check_arguments",
    "held",
]

LONGEST = 5_000
"""Characters of a text, items of a collection."""
MOST_BITS = 2_048
MOST_HELD = 2_000
"""Values that one collection may hold inside another, counted as often as they can be reached."""
MOST_ARGUMENT = 1_000
_HOLDERS = (list, tuple, dict, set)
_SIZED = (str, *_HOLDERS)


class Unknown(Exception):
    """Something that cannot be thought through."""


class Raised(Exception):
    """The code would raise an exception of this class."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        [
            "lower",
            "upper",
            "title",
            "capitalize",
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "splitlines",
            "join",
            "replace",
            "startswith",
            "endswith",
            "isalpha",
            "isdigit",
            "isalnum",
            "isspace",
            "isupper",
            "islower",
            "index",
            "find",
            "count",
            "partition",
            "rpartition",
            "zfill",
            "ljust",
            "rjust",
            "center",
            "removeprefix",
            "removesuffix",
            "swapcase",
        ]
    ),
    list: frozenset(
        ["append", "extend", "insert", "pop", "index", "count", "sort", "reverse", "copy", "remove"]
    ),
    dict: frozenset(["get", "items", "keys", "values", "setdefault", "update", "pop", "copy"]),
    set: frozenset(["add", "discard", "remove", "union", "intersection", "difference", "copy"]),
    tuple: frozenset(("index", "count")),
}
CONSTANTS: Mapping[str, Any] = {"math.pi": math.pi, "math.inf": math.inf, "math.e": math.e}


def _text(value: Any = "") -> str:
    if not isinstance(value, str | int | float | bool | None):
        raise Unknown("the text of a collection")

    return str(value)


def _range(*limits: int) -> range:
    found = range(*limits)

    if len(found) > LONGEST:
        raise Unknown("a long range")

    return found


def _round(number: Any, digits: int = 0) -> Any:
    if not isinstance(number, int | float) or abs(digits) > 50:
        raise Unknown("rounding of this")

    return round(number, digits) if digits else round(number)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (abs, all, any, bool, dict, divmod, enumerate, filter, float, int)},
    **{f.__name__: f for f in (len, list, map, max, min, ord, chr, reversed, set, sorted)},
    **{f.__name__: f for f in (sum, tuple, zip)},
    "str": _text,
    "range": _range,
    "round": _round,
    "math.sqrt": math.sqrt,
    "math.floor": math.floor,
    "math.ceil": math.ceil,
    "math.hypot": math.hypot,
    "math.gcd": math.gcd,
    "math.isclose": math.isclose,
}


def bounded(value: Any) -> Any:
    """`value`. Raises Unknown if it has grown too large."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise Unknown("a large number")

    if isinstance(value, _SIZED) and len(cast("str", value)) > LONGEST:
        raise Unknown("a long value")

    return cast("Any", value)


def held(values: Iterable[Any]) -> None:
    """Raises Unknown if one of the values holds too much to be put into another.

    What is shared counts as often as it can be reached: comparing goes there as often.
    """
    left: list[Any] = [value for value in values if isinstance(value, _HOLDERS)]
    count = 0

    while left:
        value = left.pop()
        inner: list[Any] = [*value, *value.values()] if isinstance(value, dict) else list(value)
        count += len(inner)
        left += [each for each in inner if isinstance(each, _HOLDERS)]

        if count > MOST_HELD:
            raise Unknown("a deep value")


def check_arguments(arguments: Iterable[Any]) -> None:
    """Raises Unknown for a number that a method could take for a length."""
    for value in arguments:
        if isinstance(value, int) and abs(value) > MOST_ARGUMENT:
            raise Unknown("a large argument")
