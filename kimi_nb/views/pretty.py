"""Long and structured texts of models and tools, as a page shows them."""

from __future__ import annotations

import json

from kimi_nb.views.text import clean

__all__ = ["cut", "pretty"]

LONGEST = 20_000
"""Characters of one text."""


def cut(text: str, most: int = LONGEST) -> str:
    """`text` cleaned; of a longer one the first `most` characters and how many more there are."""
    left = len(text) - most
    return clean(text) if left <= 0 else f"{clean(text[:most])}\n… {left:,} more characters"


def pretty(text: str) -> str:
    """JSON with a line for each value; what is none, or no object or list, as it is. Cut."""
    if len(text) > LONGEST or text.lstrip()[:1] not in {"{", "["}:
        return cut(text)

    try:
        value = json.loads(text, object_pairs_hook=_each_once)
        shown = json.dumps(value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return cut(text)

    return cut(shown)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)

    if len(found) < len(pairs):
        message = "a name that stands twice would be shown once"
        raise ValueError(message)

    return found
