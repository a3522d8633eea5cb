"""Readers: each turns one JSON value from a model into the value that a function expects.

Models err in small ways that have only one sensible meaning: "3" for 3, a list of one
without its brackets, an object wrapped in a string. A lenient reader takes those; a strict
one does not, which is how a union finds the member that was meant.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

__all__ = [
    "BadArgument",
    "Field",
    "Reader",
    "array_of",
    "boolean",
    "choice",
    "integer",
    "map_of",
    "nearest",
    "null",
    "number",
    "record",
    "suggest",
    "text",
    "union",
    "whatever",
]

Reader = Callable[[Any, str, bool], Any]
"""(value, where it stands, strict) → value. Raises `BadArgument`."""


class BadArgument(Exception):  # noqa: N818 - it never leaves the package
    """An argument does not fit; the message says which one and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of an object."""

    reader: Reader
    required: bool
    """If not, a null counts as left out where the reader knows no null."""


def mismatch(where: str, expected: str, value: object) -> BadArgument:
    return BadArgument(f"argument {where!r} must be {expected}, not {_shown(value)}")


def text(value: Any, where: str, strict: bool) -> str:
    if isinstance(value, str):
        return value

    raise mismatch(where, "a string", value)


def integer(value: Any, where: str, strict: bool) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value

    found = None if strict else _number(value)

    if found is None or not found.is_integer():
        raise mismatch(where, "an integer", value)

    return int(value) if _is_digits(value) else int(found)


def number(value: Any, where: str, strict: bool) -> float:
    found = _number(value) if not (strict and isinstance(value, str)) else None

    if found is None:
        raise mismatch(where, "a number", value)

    return found


def boolean(value: Any, where: str, strict: bool) -> bool:
    if isinstance(value, bool):
        return value

    if not strict and isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"

    raise mismatch(where, "true or false", value)


def null(value: Any, where: str, strict: bool) -> None:
    if value is not None:
        raise mismatch(where, "null", value)


def whatever(value: Any, where: str, strict: bool) -> Any:
    """Takes anything."""
    return value


def array_of(item: Reader, build: Callable[[list[Any]], Any] = list) -> Reader:
    """A reader of arrays; `build` makes the container."""

    def read(value: Any, where: str, strict: bool) -> Any:
        if not strict:
            value = _as_list(value)

        if not isinstance(value, list):
            raise mismatch(where, "an array", value)

        items = cast("list[Any]", value)
        return build([item(each, f"{where}[{at}]", strict) for at, each in enumerate(items)])

    return read


def map_of(item: Reader) -> Reader:
    """A reader of objects with free keys."""

    def read(value: Any, where: str, strict: bool) -> dict[str, Any]:
        found = as_object(value, where, strict)
        return {key: item(each, f"{where}.{key}", strict) for key, each in found.items()}

    return read


def record(
    fields: Mapping[str, Field],
    build: Callable[..., Any] = dict,
) -> Reader:
    """A reader of objects with known keys; `build` gets them as keyword arguments.

    At the top level, where the path is "", keys are arguments.
    """

    def read(value: Any, where: str, strict: bool) -> Any:
        found = as_object(value, where, strict)
        prefix = f"{where}." if where else ""
        kept: dict[str, Any] = {}

        for key, each in found.items():
            field = fields.get(key)

            if field is None:
                raise BadArgument(_unknown(prefix, key, fields))

            if each is None and not field.required and not _takes_null(field.reader):
                continue

            kept[key] = field.reader(each, prefix + key, strict)

        for key, field in fields.items():
            if field.required and key not in kept:
                raise BadArgument(f"argument {prefix + key!r} is missing")

        return kept if build is dict else _built(build, kept, where)

    return read


def choice(pairs: Sequence[tuple[Any, Any]]) -> Reader:
    """A reader of one of some scalars: the first of each pair, giving the second."""
    expected = "one of " + ", ".join(_shown(value) for value, _ in pairs)
    table = {(type(value), value): result for value, result in pairs}  # keeps 1 and True apart

    def read(value: Any, where: str, strict: bool) -> Any:
        if isinstance(value, str | int | float | None) and (type(value), value) in table:
            return table[type(value), value]

        meant = [result for each, result in pairs if not strict and _alike(each, value)]

        if len(meant) == 1:
            return meant[0]

        raise mismatch(where, expected, value)

    return read


def union(options: Sequence[Reader], expected: str) -> Reader:
    """The first option that fits exactly, else the first that fits leniently."""

    def read(value: Any, where: str, strict: bool) -> Any:
        for rigour in (True,) if strict else (True, False):
            for option in options:
                try:
                    return option(value, where, rigour)
                except BadArgument:
                    continue

        raise mismatch(where, expected, value)

    return read


def suggest(word: str, known: Iterable[str]) -> str:
    """What to type instead of `word`: the nearest of `known`, or all of them if few."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 3, 0.5)

    if near:
        return "did you mean " + " or ".join(repr(name) for name in near) + "?"

    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"there are: {shown}" if names else "there are none"


def nearest(word: str, known: Sequence[str], most: int) -> list[str]:
    """At most `most` of `known`, those like `word` first, the others in their order."""
    near = difflib.get_close_matches(word, known, most, 0.5)
    return [*near, *(each for each in known if each not in near)][:most]


def as_object(value: Any, where: str, strict: bool) -> dict[str, Any]:
    """The object, unwrapped from a string if need be."""
    if isinstance(value, str) and not strict:
        value = _decoded(value, dict)

    if isinstance(value, dict):
        return cast("dict[str, Any]", value)

    if where:
        raise mismatch(where, "an object", value)

    raise BadArgument(f"the arguments must be one JSON object, not {_shown(value)}")


def _as_list(value: Any) -> Any:
    if isinstance(value, str):
        value = _decoded(value, list)

    return value if value is None or isinstance(value, list) else [value]


def _decoded(value: str, kind: type) -> Any:
    if not value.lstrip().startswith("[" if kind is list else "{"):
        return value

    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value

    return found if isinstance(found, kind) else value


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


def _takes_null(reader: Reader) -> bool:
    try:
        reader(None, "", True)
    except BadArgument:
        return False

    return True


def _alike(key: object, value: object) -> bool:
    return str(key).strip().lower() == str(value).strip().lower()


def _built(build: Callable[..., Any], keywords: dict[str, Any], where: str) -> Any:
    try:
        return build(**keywords)
    except (TypeError, ValueError) as error:
        raise BadArgument(f"argument {where!r}: {error}") from error


def _unknown(prefix: str, key: str, fields: Mapping[str, Field]) -> str:
    if not fields:
        return f"unknown argument {prefix + key!r}: there are no arguments"

    return f"unknown argument {prefix + key!r}; {suggest(key, fields)}"


def _shown(value: object) -> str:
    try:
        found = orjson.dumps(value).decode()
    except TypeError:
        found = repr(value)

    return found if len(found) <= 80 else found[:77] + "…"
