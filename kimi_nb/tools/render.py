"""A tool's result as text: any value, valid unicode, no keys, never longer than agreed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import orjson

from kimi_nb.redact import hide

__all__ = ["capped", "clean", "render"]

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def render(value: Any) -> str:
    """Strings as they are; dicts, lists and dataclasses as JSON; all else as `str` has it."""
    if isinstance(value, str):
        return value

    if value is None:
        return "(nothing)"

    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")

    if _is_structured(value):
        return _json(value)

    return str(value)


def clean(text: str) -> str:
    """The same without keys, and without lone surrogates, which neither JSON nor a log can hold."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    return hide(text)


def capped(text: str, limit: int, advice: str) -> tuple[str, bool]:
    """At most `limit` characters, cut at a line's end and marked; whether it was cut."""
    if len(text) <= limit:
        return text, False

    room = max(limit - 160 - len(advice), 0)
    cut = text.rfind("\n", room // 2, room)
    kept = text[: cut if cut > 0 else room]
    note = f"[truncated: the first {len(kept):,} of {len(text):,} characters; {advice}]"
    return f"{kept}\n{note}", True


def _is_structured(value: object) -> bool:
    if isinstance(value, bool | Mapping | list | tuple | set | frozenset):
        return True

    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates: the slow one takes them
        return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]

    if isinstance(value, set | frozenset):
        return sorted(value, key=str)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}

    return str(value)
