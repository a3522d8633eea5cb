"""Readers of single JSON values.

Models err in small ways that have only one sensible meaning, such as "3" for 3. A lenient
reader takes those; an exact one does not, which is how a union finds the member that was
meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import Any

import orjson

__all__ = [
    "BadArgument",
    "Fit",
    "Reader",
    "boolean",
    "integer",
    "mismatch",
    "null",
    "number",
    "shown",
    "text",
    "whatever",
]

LONGEST = 80


class Fit(Enum):
    """How a value has to fit."""

    EXACT = "exact"
    LENIENT = "lenient"


Reader = Callable[[Any, str, Fit], Any]
"""(value, where it stands, fit) → value. Raises `BadArgument`."""


class BadArgument(Exception):
    """An argument does not fit; the message says which one and what was expected."""


def mismatch(where: str, expected: str, value: object) -> BadArgument:
    """The error for a value of another kind."""
    return BadArgument(f"argument {where!r} must be {expected}, not {shown(value)}")


def text(value: Any, where: str, _fit: Fit) -> str:
    """A string."""
    if isinstance(value, str):
        return value

    raise mismatch(where, "a string", value)


def integer(value: Any, where: str, fit: Fit) -> int:
    """An integer; leniently also 3.0 and "3"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value

    found = None if fit is Fit.EXACT else _number(value)

    if found is None or not found.is_integer():
        raise mismatch(where, "an integer", value)

    return int(value) if _is_digits(value) else int(found)


def number(value: Any, where: str, fit: Fit) -> float:
    """A finite number; leniently also in a string."""
    found = _number(value) if not (fit is Fit.EXACT and isinstance(value, str)) else None

    if found is None:
        raise mismatch(where, "a number", value)

    return found


def boolean(value: Any, where: str, fit: Fit) -> bool:
    """True or false; leniently also in a string."""
    if isinstance(value, bool):
        return value

    if fit is Fit.LENIENT and isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"

    raise mismatch(where, "true or false", value)


def null(value: Any, where: str, _fit: Fit) -> None:
    """Null only."""
    if value is not None:
        raise mismatch(where, "null", value)


def whatever(value: Any, _where: str, _fit: Fit) -> Any:
    """Takes anything."""
    return value


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None

    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None

    return found if math.isfinite(found) else None


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lstrip("+-").isdecimal()


def shown(value: object) -> str:
    """The value as JSON, shortened."""
    try:
        found = orjson.dumps(value).decode()
    except TypeError:
        found = repr(value)

    return found if len(found) <= LONGEST else found[: LONGEST - 1] + "…"
