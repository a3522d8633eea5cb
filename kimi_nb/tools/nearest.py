"""What someone may have meant by a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["nearest", "suggest"]

FEW = 20


def nearest(word: str, known: Sequence[str], most: int) -> list[str]:
    """At most `most` of `known`: those like `word` first, then the others in their order."""
    near = difflib.get_close_matches(word, known, most, 0.5)
    return [*near, *(each for each in known if each not in near)][:most]


def suggest(word: str, known: Iterable[str]) -> str:
    """What to type instead of `word`: the nearest of `known`, or all of them if few."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 3, 0.5)

    if near:
        return "did you mean " + " or ".join(repr(name) for name in near) + "?"

    shown = ", ".join(names[:FEW]) + (", …" if len(names) > FEW else "")
    return f"there are: {shown}" if names else "there are none"
