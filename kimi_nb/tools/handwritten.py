"""A reader for a schema that was written by hand or came from elsewhere, such as MCP."""

from __future__ import annotations

from typing import Any

from kimi_nb.tools import arguments
from kimi_nb.tools.arguments import Field, Reader

__all__ = ["reader_of"]

_SCALARS: dict[str, Reader] = {
    "string": arguments.text,
    "integer": arguments.integer,
    "number": arguments.number,
    "boolean": arguments.boolean,
    "null": arguments.null,
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

    return _SCALARS.get(str(kind), arguments.whatever)


def _object(schema: dict[str, Any]) -> Reader:
    properties: dict[str, Any] | None = schema.get("properties")

    if properties is None:
        extra = schema.get("additionalProperties")
        return arguments.map_of(reader_of(extra) if isinstance(extra, dict) else arguments.whatever)

    required = schema.get("required", ())
    return arguments.record(
        {
            name: Field(reader=reader_of(each), required=name in required)
            for name, each in properties.items()
        }
    )
