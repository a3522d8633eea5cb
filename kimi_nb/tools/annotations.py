"""Reading type annotations: what they hold, and what to write instead of some."""

from __future__ import annotations

import types
import typing
from collections import abc
from collections.abc import Callable
from typing import Annotated, Any, NotRequired, Union

from kimi_nb.errors import UsageFault

__all__ = ["CONTAINERS", "MAPPINGS", "has_null", "note", "refusal", "without_null"]

CONTAINERS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    abc.Sequence: list,
    abc.MutableSequence: list,
    abc.Iterable: list,
    abc.Collection: list,
    abc.Set: frozenset,
    abc.MutableSet: set,
}
MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)


def note(annotation: Any) -> str:
    """The first string in Annotated[…], "" if there is none."""
    if typing.get_origin(annotation) is not Annotated:
        return ""

    return next((each for each in typing.get_args(annotation)[1:] if isinstance(each, str)), "")


def has_null(annotation: Any) -> bool:
    """It is T | None, perhaps annotated."""
    plain = _plain(annotation)
    return _is_union(plain) and type(None) in typing.get_args(plain)


def without_null(annotation: Any) -> Any:
    """T for T | None."""
    if not has_null(annotation):
        return annotation

    kept = tuple(each for each in typing.get_args(_plain(annotation)) if each is not type(None))
    return Union[kept]  # noqa: UP007 - built from a tuple


def refusal(where: str, annotation: Any) -> UsageFault:
    """The error for a type that has no schema."""
    shown = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    shown = shown.replace("typing.", "")
    return UsageFault(
        f"parameter {where!r}: {shown} cannot be described to a model; {_instead(annotation)}"
    )


def _instead(annotation: Any) -> str:
    origin = typing.get_origin(annotation) or annotation

    if origin in CONTAINERS:
        return "write list[str], or another type for its items"

    if origin in MAPPINGS:
        return "write dict[str, str], or another type for its values"

    return (
        "write str, int, float, bool, list[…], dict[str, …], Literal[…], an Enum, a dataclass "
        "or a TypedDict, and convert inside the function"
    )


def _plain(annotation: Any) -> Any:
    while typing.get_origin(annotation) in (Annotated, NotRequired):
        annotation = typing.get_args(annotation)[0]

    return annotation


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (Union, types.UnionType)
