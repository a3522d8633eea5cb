"""Long and structured texts of models and tools, as a page shows them."""

from __future__ import annotations

import json
import re

from kimi_nb.views.text import clean

__all__ = ["cut", "pretty"]

LONGEST = 20_000
"""Characters of one text."""
SHORT = 60
"""Characters of JSON that stays on one line."""
ESCAPED = re.compile(r"\\(.)")


def cut(text: str, most: int = LONGEST) -> str:
    """`text` cleaned; of a longer one the first `most` characters and how many more there are."""
    left = len(text) - most
    return clean(text) if left <= 0 else f"{clean(text[:most])}\n… {left:,} more characters"


def pretty(text: str) -> str:
    """JSON on one line if it is short, else with a line for each value, and its texts in lines.

    What is no object or list, or would lose something, stays as it is. Cut.
    """
    if len(text) > LONGEST or text.lstrip()[:1] not in {"{", "["}:
        return cut(text)

    try:
        value = json.loads(text, object_pairs_hook=_each_once)
        line = json.dumps(value, ensure_ascii=False)

        if len(line) > SHORT or r"\n" in line:
            line = ESCAPED.sub(_broken, json.dumps(value, indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return cut(text)

    return cut(line)


def _broken(escaped: re.Match[str]) -> str:
    """A line's end as one; what else is escaped stays so, or a quote would seem to end its text."""
    return "\n" if escaped[1] == "n" else escaped[0]


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)

    if len(found) < len(pairs):
        message = "a name that stands twice would be shown once"
        raise ValueError(message)

    return found
