"""A function's signature as the JSON Schema that Kimi accepts, with a reader for each part.

Moonshot's dialect wants a type on every property, none beside anyOf, and neither $ref nor
allOf, oneOf, not or pattern. So dataclasses are written out in place, and a recursive one
cannot be expressed.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, NewType, NotRequired, Required, Union, cast

from kimi_nb.errors import UsageFault
from kimi_nb.tools import arguments, scalars
from kimi_nb.tools.annotations import (
    CONTAINERS,
    MAPPINGS,
    has_null,
    note,
    refusal,
    without_null,
)
from kimi_nb.tools.arguments import Field
from kimi_nb.tools.scalars import Reader

__all__ = ["Shape", "object_shape", "shape_of"]

Schema = dict[str, Any]
Parents = tuple[type[Any], ...]
"""The classes that are being written out, outermost first."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One type, for the model and for us."""

    schema: Schema
    reader: Reader


_SCALARS: dict[Any, Shape] = {
    str: Shape({"type": "string"}, scalars.text),
    int: Shape({"type": "integer"}, scalars.integer),
    float: Shape({"type": "number"}, scalars.number),
    bool: Shape({"type": "boolean"}, scalars.boolean),
    None: Shape({"type": "null"}, scalars.null),
    type(None): Shape({"type": "null"}, scalars.null),
}
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def shape_of(annotation: Any, where: str, parents: Parents = ()) -> Shape:
    """The shape of a type. `where` names the parameter in the message of a UsageFault."""
    if isinstance(annotation, NewType):
        return shape_of(annotation.__supertype__, where, parents)

    if annotation in _SCALARS:
        found = _SCALARS[annotation]
        return Shape(dict(found.schema), found.reader)

    if isinstance(annotation, type) and not typing.get_args(annotation):
        return _class(annotation, where, parents)

    return _generic(annotation, where, parents)


def object_shape(
    hints: Mapping[str, Any],
    defaults: Mapping[str, Any],
    described: Mapping[str, str],
    where: str,
    parents: Parents = (),
    build: Callable[..., Any] = dict,
) -> Shape:
    """The shape of an object with these keys; a key that has a default is not required."""
    properties: Schema = {}
    fields: dict[str, Field] = {}

    for name, annotation in hints.items():
        path = f"{where}.{name}" if where else name
        optional = name in defaults
        inner = shape_of(without_null(annotation) if optional else annotation, path, parents)
        reader = _or_null(inner) if optional and has_null(annotation) else inner.reader
        properties[name] = _described(inner.schema, note(annotation) or described.get(name, ""))

        if optional:
            _add_default(properties[name], defaults[name])

        fields[name] = Field(reader=reader, required=not optional)

    schema: Schema = {"type": "object", "properties": properties}

    if required := [name for name in hints if name not in defaults]:
        schema["required"] = required

    return Shape(schema, arguments.record(fields, build))


def _class(cls: type[Any], where: str, parents: Parents) -> Shape:
    if cls in parents:
        raise UsageFault(
            f"parameter {where!r}: {cls.__name__} contains itself, which Kimi's schemas cannot "
            f"express; write dict[str, str] or a flat list of them"
        )

    if issubclass(cls, Enum):
        return _choice([(each.value, each) for each in cls], where)

    if _is_typed_dict(cls):
        return _typed_dict(cls, where, parents)

    if dataclasses.is_dataclass(cls):
        return _dataclass(cls, where, parents)

    raise refusal(where, cls)


def _generic(annotation: Any, where: str, parents: Parents) -> Shape:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)

    if origin in (Annotated, Required, NotRequired):
        return shape_of(inner[0], where, parents)

    if origin is Literal:
        return _choice([(value, value) for value in inner], where)

    if origin in (Union, types.UnionType):
        return _union(inner, where, parents)

    if origin is tuple and inner[1:] != (...,):
        raise refusal(where, annotation)

    if origin in CONTAINERS:
        item = shape_of(inner[0], f"{where}[]", parents)
        reader = arguments.array_of(item.reader, CONTAINERS[origin])
        return Shape({"type": "array", "items": item.schema}, reader)

    if origin in MAPPINGS and inner[0] is str:
        return _mapping(inner[1], where, parents)

    raise refusal(where, annotation)


def _mapping(value: Any, where: str, parents: Parents) -> Shape:
    if value is Any:
        return Shape({"type": "object"}, arguments.map_of(scalars.whatever))

    inner = shape_of(value, f"{where}.*", parents)
    schema = {"type": "object", "additionalProperties": inner.schema}
    return Shape(schema, arguments.map_of(inner.reader))


def _union(members: tuple[Any, ...], where: str, parents: Parents) -> Shape:
    shapes = [shape_of(each, where, parents) for each in members]
    branches: list[Schema] = []

    for shape in shapes:  # a nested union is written flat
        branches += shape.schema.get("anyOf", [shape.schema])

    if len(branches) == 1:
        return shapes[0]

    expected = " or ".join(dict.fromkeys(str(branch["type"]) for branch in branches))
    reader = arguments.union([shape.reader for shape in shapes], expected)
    return Shape({"anyOf": branches}, reader)


def _choice(pairs: list[tuple[Any, Any]], where: str) -> Shape:
    by_type: dict[type[Any], list[Any]] = {}

    for value, _ in pairs:
        if type(value) not in _NAMES:
            raise UsageFault(
                f"parameter {where!r}: {value!r} cannot be written in JSON; "
                f"use strings or numbers as the values"
            )

        kind = cast("type[Any]", type(value))
        by_type.setdefault(kind, []).append(value)

    branches = [_listed(kind, values) for kind, values in by_type.items()]
    schema = branches[0] if len(branches) == 1 else {"anyOf": branches}
    return Shape(schema, arguments.choice(pairs))


def _listed(kind: type[Any], values: list[Any]) -> Schema:
    if kind is type(None):
        return {"type": "null"}

    return {"type": _NAMES[kind], "enum": values}


def _dataclass(cls: type[Any], where: str, parents: Parents) -> Shape:
    hints = _hints(cls, where)
    fields = [field for field in dataclasses.fields(cls) if field.init]
    defaults = {
        field.name: field.default
        for field in fields
        if field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
    }
    kept = {field.name: hints[field.name] for field in fields}
    return object_shape(kept, defaults, {}, where, (*parents, cls), cls)


def _typed_dict(cls: type[Any], where: str, parents: Parents) -> Shape:
    hints = _hints(cls, where)
    # Where annotations are strings, the class itself takes NotRequired keys for required ones.
    stated: frozenset[str] = vars(cls)["__optional_keys__"]
    optional = {
        name
        for name, hint in hints.items()
        if typing.get_origin(hint) is NotRequired
        or (name in stated and typing.get_origin(hint) is not Required)
    }
    defaults = dict.fromkeys(optional, dataclasses.MISSING)
    return object_shape(hints, defaults, {}, where, (*parents, cls))


def _hints(cls: type[Any], where: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise UsageFault(
            f"parameter {where!r}: the fields of {cls.__name__} mention {error.name!r}, which is "
            f"not defined in its module; define it there, above the class"
        ) from error


def _is_typed_dict(cls: type[Any]) -> bool:
    # typing_extensions has a TypedDict of its own, which typing.is_typeddict does not know.
    return "__required_keys__" in vars(cls)


def _or_null(shape: Shape) -> Reader:
    """Takes null as well, which the schema of a parameter with a default leaves out."""
    branches = shape.schema.get("anyOf", [shape.schema])
    expected = " or ".join(dict.fromkeys(str(branch["type"]) for branch in branches))
    return arguments.union([scalars.null, shape.reader], f"{expected} or null")


def _described(schema: Schema, text: str) -> Schema:
    return {**schema, "description": text} if text else schema


def _add_default(schema: Schema, default: Any) -> None:
    value = default.value if isinstance(default, Enum) else default

    if "type" in schema and isinstance(value, str | int | float | bool):
        schema["default"] = value
