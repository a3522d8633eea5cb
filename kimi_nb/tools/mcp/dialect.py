"""JSON Schema as the world writes it, in the dialect that Kimi accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["moonshot"]

Schema = dict[str, Any]
DEPTH = 12
"""Levels below which a schema is taken as "any object": no model fills in deeper ones."""
LONGEST = 1_000
"""Characters of a parameter's description."""
LARGEST = 2_000
"""Parts of one schema, references followed: a small one can unfold into billions."""
ROOM = 50_000
"""Characters of one schema, which stands in every prompt."""
ANYTHING: Schema = {
    "anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "object", "array")]
}
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def moonshot(schema: Mapping[str, Any]) -> Schema:
    """The schema of a tool's arguments without $ref, oneOf, allOf, not, pattern and type lists.

    Every property has a type. What the dialect cannot say is left to the server, which checks
    the arguments itself: so is one that is no schema, or unfolds into too much.
    """
    try:
        found = _plain(schema, _Whole(schema), 0)
    except (AttributeError, LookupError, TypeError, ValueError):  # no JSON Schema, or too large
        found = {}

    if found.get("type") == "object" and len(repr(found)) <= ROOM:
        return {"properties": {}, **found}

    return {"type": "object", "properties": {}}


class _Whole:
    """The schema that references point into, and how much of it may still be laid out."""

    __slots__ = ("left", "schema")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.left = LARGEST

    def take(self) -> None:
        """One part of it. Raises ValueError when that is too much."""
        self.left -= 1

        if self.left < 0:
            raise ValueError(f"more than {LARGEST:,} parts")


def _plain(schema: Any, whole: _Whole, depth: int) -> Schema:
    whole.take()

    if not isinstance(schema, Mapping):
        return dict(ANYTHING)

    known = cast("Mapping[str, Any]", schema)
    text = str(known.get("description") or "")[:LONGEST]
    found = {"type": "object"} if depth > DEPTH else _structure(known, whole, depth)

    if "default" in known and isinstance(known["default"], str | int | float | bool):
        found = {**found, "default": known["default"]} if "type" in found else found

    return {**found, "description": text} if text else found


def _structure(schema: Mapping[str, Any], whole: _Whole, depth: int) -> Schema:
    if "$ref" in schema:
        return _plain(_target(str(schema["$ref"]), whole), whole, depth + 1)

    if schema.get("allOf") and depth <= DEPTH:
        return _structure(_merged(schema, whole), whole, depth + 1)

    branches = schema.get("anyOf") or schema.get("oneOf")

    if not branches and isinstance(schema.get("type"), list):
        rest = {key: each for key, each in schema.items() if key not in {"default", "description"}}
        branches = [{**rest, "type": kind} for kind in schema["type"]]

    if branches:
        return _union([_plain(each, whole, depth + 1) for each in branches])

    if "const" in schema or schema.get("enum"):
        return _choice(schema.get("enum") or [schema["const"]])

    return _typed(schema, whole, depth)


def _typed(schema: Mapping[str, Any], whole: _Whole, depth: int) -> Schema:
    kind = schema.get("type") or _guess(schema)

    match kind:
        case "object":
            return _object(schema, whole, depth)
        case "array":
            return {"type": "array", "items": _plain(schema.get("items", {}), whole, depth + 1)}
        case "string" | "number" | "integer" | "boolean" | "null":
            return {"type": kind}
        case _:
            return dict(ANYTHING)


def _object(schema: Mapping[str, Any], whole: _Whole, depth: int) -> Schema:
    found: Schema = {"type": "object"}
    properties: dict[str, Any] = schema.get("properties") or {}

    if properties:
        found["properties"] = {
            name: _plain(each, whole, depth + 1) for name, each in properties.items()
        }

    if required := [name for name in schema.get("required") or () if name in properties]:
        found["required"] = required

    extra = schema.get("additionalProperties")

    if isinstance(extra, Mapping) and extra:
        found["additionalProperties"] = _plain(cast("Any", extra), whole, depth + 1)

    return found


def _union(branches: list[Schema]) -> Schema:
    flat: list[Schema] = []

    for each in branches:
        for branch in each.get("anyOf", [each]):
            if branch not in flat:
                flat.append(branch)

    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def _choice(values: list[Any]) -> Schema:
    by_kind: dict[str, list[Any]] = {}

    for value in values:
        kind = next((kind for cls, kind in _KINDS if isinstance(value, cls)), "null")
        by_kind.setdefault(kind, []).append(value)

    return _union(
        [
            {"type": kind} if kind == "null" else {"type": kind, "enum": each}
            for kind, each in by_kind.items()
        ]
    )


def _merged(schema: Mapping[str, Any], whole: _Whole) -> Schema:
    """One object with what all parts of an allOf ask for."""
    found: Schema = {key: value for key, value in schema.items() if key != "allOf"}

    for part in schema["allOf"]:
        whole.take()
        each: Any = _target(str(part["$ref"]), whole) if "$ref" in part else part

        if isinstance(each, Mapping):
            more = cast("Mapping[str, Any]", each)
            found = {
                **more,
                **found,
                "properties": {**(more.get("properties") or {}), **(found.get("properties") or {})},
                "required": _each_once(more.get("required"), found.get("required")),
            }

    return found if found["properties"] else {k: v for k, v in found.items() if k != "properties"}


def _each_once(*lists: Any) -> list[Any]:
    """What a schema that refers to itself would repeat without end."""
    return list(dict.fromkeys(name for names in lists for name in names or ()))


def _target(ref: str, whole: _Whole) -> Any:
    """What a local reference points to; a foreign one, or none, is anything."""
    at: Any = whole.schema

    for step in ref.removeprefix("#/").split("/") if ref.startswith("#/") else ():
        name = step.replace("~1", "/").replace("~0", "~")

        if not isinstance(at, Mapping) or name not in at:
            return {}

        at = cast("Any", at[name])

    return at if at is not whole.schema else {"type": "object"}


def _guess(schema: Mapping[str, Any]) -> str:
    if "properties" in schema or "additionalProperties" in schema:
        return "object"

    return "array" if "items" in schema else ""
