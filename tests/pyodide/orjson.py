"""As much of orjson as kimi_nb uses: Pyodide has the real one, but not in its npm package."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import JSONDecodeError
from typing import Any

__all__ = [
    "OPT_APPEND_NEWLINE",
    "OPT_NON_STR_KEYS",
    "OPT_SERIALIZE_NUMPY",
    "OPT_SORT_KEYS",
    "JSONDecodeError",
    "dumps",
    "loads",
]

OPT_APPEND_NEWLINE, OPT_NON_STR_KEYS, OPT_SORT_KEYS, OPT_SERIALIZE_NUMPY = 1, 2, 4, 8


def dumps(
    value: object, default: Callable[[Any], Any] | None = None, option: int | None = None
) -> bytes:
    text = json.dumps(
        value,
        default=default,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
        sort_keys=bool((option or 0) & OPT_SORT_KEYS),
    )
    return (text + "\n" * bool((option or 0) & OPT_APPEND_NEWLINE)).encode()


def loads(text: bytes | str) -> object:
    return json.loads(text if isinstance(text, str) else bytes(text).decode())
