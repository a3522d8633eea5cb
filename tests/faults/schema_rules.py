"""Moonshot-flavoured JSON Schema: what the platform refuses in a tool's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BANNED = ("allOf", "oneOf", "not", "pattern", "if", "then", "else", "patternProperties")
TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}


def schema_complaint(parameters: Any, tool: str) -> str | None:
    """The platform's words on the first thing wrong with a schema; None: it is in order."""
    wrong = next(_root(parameters), None)
    return wrong and (
        f"Invalid request: function {tool!r} parameters is not a valid moonshot flavored json "
        f"schema, details: <{wrong}>"
    )


def _root(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "At path '': the schema must be an object"
        return

    if schema and schema.get("type") != "object":
        yield "At path '': type must be 'object' at the root"

    defined = schema.get("$defs", {})

    for name, inner in defined.items():
        yield from _walk(inner, f"$defs.{name}", defined)

    yield from _walk({k: v for k, v in schema.items() if k != "$defs"}, "", defined)


def _walk(schema: Any, path: str, defined: dict[str, Any]) -> Iterator[str]:
    """Everything wrong with a schema and with all that it holds."""
    if not isinstance(schema, dict):
        yield f"At path '{path}': a schema must be an object"
        return

    yield from _own(schema, path, defined)
    lower = path and path + "."

    for name, inner in schema.get("properties", {}).items():
        where = f"{lower}properties.{name}"

        if isinstance(inner, dict) and not {"type", "anyOf", "$ref"} & inner.keys():
            yield f"At path '{where}': type is not defined"

        yield from _walk(inner, where, defined)

    if "items" in schema:
        yield from _walk(schema["items"], f"{lower}items", defined)

    for place, inner in enumerate(schema.get("anyOf", ())):
        where = f"{lower}anyOf.{place}"

        if isinstance(inner, dict) and not {"type", "$ref"} & inner.keys():
            yield f"At path '{where}': type is not defined"

        yield from _walk(inner, where, defined)

    if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        yield from _walk(schema["additionalProperties"], f"{lower}additionalProperties", defined)


def _own(schema: dict[str, Any], path: str, defined: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a schema itself."""
    for word in BANNED:
        if word in schema:
            yield f"At path '{path}': keyword '{word}' is not supported"

    if "$defs" in schema or "definitions" in schema:
        yield f"At path '{path}': $defs is only allowed at the root"

    for word in ("anyOf", "$ref"):
        if word in schema and "type" in schema:
            yield f"At path '{path}': when using {word}, type should be defined in its items"

    kind = schema.get("type", "object")

    if not isinstance(kind, str) or kind not in TYPES:
        yield f"At path '{path}': type {kind!r} is not one of {', '.join(sorted(TYPES))}"

    ref = schema.get("$ref")

    if ref is not None and str(ref).removeprefix("#/$defs/") not in defined:
        yield f"At path '{path}': $ref {ref!r} points to nothing under #/$defs/"

    if not isinstance(schema.get("enum", ["x"]), list) or schema.get("enum") == []:
        yield f"At path '{path}': enum must be a list of at least one value"
