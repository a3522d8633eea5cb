"""A reader for a schema that was written by hand or came from elsewhere, such as MCP."""

from __future__ import annotations

from typing import Any

from kimi_nb.tools import arguments, scalars
from kimi_nb.tools.arguments import Field
from kimi_nb.tools.scalars import Reader

__all__ = ["reader_of"]

_SCALARS: dict[str, Reader] = {
    "string": scalars.text,
    "integer": scalars.integer,
    "number": scalars.number,
    "boolean": scalars.boolean,
    "null": scalars.null,
}


def reader_of(schema: dict[str, Any]) -> Reader:
    """A reader of what `schema` describes; parts that it does not know take anything."""
    if "anyOf" in schema:
        return arguments.union([reader_of(each) for each in schema["anyOf"]], "another type")

    if "enum" in schema:
        return arguments.choice([(value, value) for value in schema["enum"]])

    kind = schema.get("type")

    if kind == "array":
        return arguments.array_of(reader_of(schema.get("items", {})))

    if kind == "object":
        return _object(schema)

    return _SCALARS.get(str(kind), scalars.whatever)


def _object(schema: dict[str, Any]) -> Reader:
    properties: dict[str, Any] | None = schema.get("properties")

    if properties is None:
        extra: Any = schema.get("additionalProperties")
        return arguments.map_of(scalars.whatever if extra in (None, True) else reader_of(extra))

    required = schema.get("required", ())
    return arguments.record(
        {
            name: Field(reader=reader_of(each), required=name in required)
            for name, each in properties.items()
        }
    )
