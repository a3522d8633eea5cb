"""What a learner's code gave, as plain data: numbers, texts, lists, dicts; and when two are equal.

A subclass of float may say that it equals anything, so only exact types are taken.
"""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isclose
from typing import Any, cast

__all__ = ["KIND", "TEXT", "Odd", "Raised", "called", "plain", "raised", "same"]

CLOSE = 1e-6
"""How far numbers may lie apart, relative to the larger, and near zero outright."""
DEEPEST = 20
"""Lists within lists."""
LARGE = 1e300
LARGEST = 10_000
"""Values in an answer."""
KIND = 100
"""Characters of the name of a type."""
TEXT = 300
"""Characters of an error's words."""
DICTS = frozenset({dict, OrderedDict, defaultdict, Counter})
EXACT = (("fractions", "Fraction"), ("decimal", "Decimal"))
"""Numbers of the standard library that are no float, by the module that may not be imported."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A value that is no plain data."""

    what: str
    """What it is, as "a generator"."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A call that gave an error."""

    error: str
    """Its type's name."""
    text: str


def plain(value: object) -> Any:
    """The value as numbers, str, bool, None, lists and dicts of these; an Odd where it is none.

    Tuples, sets and arrays become lists (sets sorted), numpy's numbers Python's own, and
    fractions and decimals floats.
    """
    return _plain(value, 0, [LARGEST])


def _plain(value: object, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    kind = type(value)

    if left[0] < 0 or depth > DEEPEST:
        return Odd("too large to be an answer")

    if value is None or kind in {bool, int, str, float}:
        return (
            value if kind not in {int, float} or _within(cast("float", value)) else Odd("too large")
        )

    if kind in {list, tuple}:
        return _whole([_plain(item, depth + 1, left) for item in cast("list[Any]", value)])

    if kind in {set, frozenset}:
        items = [_plain(item, depth + 1, left) for item in cast("set[Any]", value)]
        return _whole(sorted(items, key=_order))

    if kind in DICTS:
        return _dict(cast("dict[Any, Any]", value), depth, left)

    found = _float(_numpy(value))
    return Odd(_named(value)) if found is value else _plain(found, depth, left)


def _order(item: Any) -> tuple[str, Any]:
    """Numbers by size, the rest by its text."""
    number = isinstance(item, int | float)
    return ("", item) if number else (type(item).__name__, str(item))


def _within(number: float) -> bool:
    """Whether floats can hold it; infinity and nan are none."""
    return -LARGE < number < LARGE


def _whole(items: list[Any]) -> Any:
    return next((item for item in items if isinstance(item, Odd)), items)


def _dict(value: dict[Any, Any], depth: int, left: list[int]) -> Any:
    made: dict[str, Any] = {}

    for key, item in value.items():
        if type(key) not in {str, int}:
            return Odd(f"a dict with the key {_named(key)}")

        found = _plain(item, depth + 1, left)

        if isinstance(found, Odd):
            return found

        made[str(key)] = found

    return made


def _numpy(value: object) -> object:
    """A number or array of numpy as Python's own; anything else as it is."""
    numpy = sys.modules.get("numpy")
    kinds = () if numpy is None else (numpy.ndarray, *numpy.sctypeDict.values())
    return cast("Any", value).tolist() if type(value) in kinds else value


def _float(value: object) -> object:
    """A fraction or a decimal as a float; anything else as it is."""
    kinds = [getattr(sys.modules.get(module), name, None) for module, name in EXACT]

    try:
        return float(cast("Any", value)) if type(value) in kinds else value
    except (OverflowError, ValueError):  # ValueError: a nan that signals
        return inf


def _named(value: object) -> str:
    name = _letters(type(cast("Any", value)).__name__[:KIND])
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def same(given: object, true: object) -> bool:
    """Whether two plain values are equal; numbers to a relative 1e-6, and True is no number."""
    if isinstance(given, Odd | Raised) or isinstance(true, Odd | Raised):
        return _as_errors(given, true)

    if isinstance(given, bool) or isinstance(true, bool):
        return given is true

    if isinstance(given, int | float) and isinstance(true, int | float):
        return isclose(float(given), float(true), rel_tol=CLOSE, abs_tol=CLOSE)

    if isinstance(given, list) and isinstance(true, list):
        mine, other = cast("list[object]", given), cast("list[object]", true)
        return len(mine) == len(other) and all(map(same, mine, other))

    if isinstance(given, dict) and isinstance(true, dict):
        one, two = cast("dict[str, Any]", given), cast("dict[str, Any]", true)
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)

    return type(cast("Any", given)) is type(cast("Any", true)) and given == true


def _as_errors(given: object, true: object) -> bool:
    """Two calls that raised are alike by the kind of error, for its words differ by version."""
    if isinstance(given, Raised) and isinstance(true, Raised):
        return given.error == true.error

    return given == true


def called(function: Callable[..., object], args: list[Any]) -> Any:
    """What the function gives for a copy of the arguments, as plain data; or what it raised."""
    from copy import deepcopy

    try:
        return plain(function(*deepcopy(args)))
    except Exception as error:  # noqa: BLE001 -- whatever a learner's code raises is an answer
        return raised(error)


def raised(error: BaseException) -> Raised:
    """An error as data; its words may be a learner's, too, and fail or be long."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 -- a learner's again
        text = ""

    return Raised(_letters(type(error).__name__[:KIND]), _letters(text[:TEXT]))


def _letters(text: str) -> str:
    """Without halves of letters, which no file can hold."""
    return text.encode(errors="replace").decode()
