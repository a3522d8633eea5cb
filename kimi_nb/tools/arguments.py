"""Readers of JSON structures: each turns what a model sent into what a function expects.

Lenient readers also take a list of one without its brackets, and a list or an object that
was wrapped in a string.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from kimi_nb.tools.nearest import suggest
from kimi_nb.tools.scalars import BadArgument, Fit, Reader, mismatch, shown

__all__ = ["Field", "array_of", "as_object", "choice", "map_of", "record", "union"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of an object."""

    reader: Reader
    required: bool
    """If not, a null counts as left out where the reader knows no null."""


def array_of(item: Reader, build: Callable[[list[Any]], Any] = list) -> Reader:
    """A reader of arrays; `build` makes the container."""

    def read(value: Any, where: str, fit: Fit) -> Any:
        if fit is Fit.LENIENT:
            value = _as_list(value)

        if not isinstance(value, list):
            raise mismatch(where, "an array", value)

        items = cast("list[Any]", value)
        return build([item(each, f"{where}[{at}]", fit) for at, each in enumerate(items)])

    return read


def map_of(item: Reader) -> Reader:
    """A reader of objects with free keys."""

    def read(value: Any, where: str, fit: Fit) -> dict[str, Any]:
        found = as_object(value, where, fit)
        return {key: item(each, f"{where}.{key}", fit) for key, each in found.items()}

    return read


def record(
    fields: Mapping[str, Field],
    build: Callable[..., Any] = dict,
) -> Reader:
    """A reader of objects with known keys; `build` gets them as keyword arguments.

    At the top level, where the path is "", keys are arguments.
    """

    def read(value: Any, where: str, fit: Fit) -> Any:
        found = as_object(value, where, fit)
        prefix = f"{where}." if where else ""
        kept: dict[str, Any] = {}

        for key, each in found.items():
            field = fields.get(key)

            if field is None:
                raise BadArgument(_unknown(prefix, key, fields))

            if each is None and not field.required and not _takes_null(field.reader):
                continue

            kept[key] = field.reader(each, prefix + key, fit)

        for key, field in fields.items():
            if field.required and key not in kept:
                raise BadArgument(f"argument {prefix + key!r} is missing")

        return kept if build is dict else _built(build, kept, where)

    return read


def choice(pairs: Sequence[tuple[Any, Any]]) -> Reader:
    """A reader of one of some scalars: the first of each pair, giving the second."""
    expected = "one of " + ", ".join(shown(value) for value, _ in pairs)
    table: dict[tuple[Any, Any], Any] = {  # by type as well: 1 and True are equal
        (type(value), value): result for value, result in pairs
    }

    def read(value: Any, where: str, fit: Fit) -> Any:
        if isinstance(value, str | int | float | None) and (type(value), value) in table:
            return table[type(value), value]

        meant = [result for each, result in pairs if fit is Fit.LENIENT and _alike(each, value)]

        if len(meant) == 1:
            return meant[0]

        raise mismatch(where, expected, value)

    return read


def union(options: Sequence[Reader], expected: str) -> Reader:
    """The first option that fits exactly, else the first that fits leniently."""

    def read(value: Any, where: str, fit: Fit) -> Any:
        for rigour in (Fit.EXACT, fit):
            for option in options:
                try:
                    return option(value, where, rigour)
                except BadArgument:
                    continue

        raise mismatch(where, expected, value)

    return read


def as_object(value: Any, where: str, fit: Fit) -> dict[str, Any]:
    """The object, unwrapped from a string if need be."""
    if isinstance(value, str) and fit is Fit.LENIENT:
        value = _decoded(value, dict)

    if isinstance(value, dict):
        return cast("dict[str, Any]", value)

    if where:
        raise mismatch(where, "an object", value)

    raise BadArgument(f"the arguments must be one JSON object, not {shown(value)}")


def _as_list(value: Any) -> Any:
    if isinstance(value, str):
        value = _decoded(value, list)

    if value is None or isinstance(value, list):
        return cast("list[Any] | None", value)

    return [value]


def _decoded(value: str, kind: type) -> Any:
    if not value.lstrip().startswith("[" if kind is list else "{"):
        return value

    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value

    return found if isinstance(found, kind) else value


def _takes_null(reader: Reader) -> bool:
    try:
        reader(None, "", Fit.EXACT)
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
