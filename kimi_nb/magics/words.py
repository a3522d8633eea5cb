"""The words of a magic's line: as a shell splits it, without what a shell does to paths."""

from __future__ import annotations

import re

__all__ = ["words_of"]

_QUOTED = r"""(?<![^\s=:])(?:"([^"]*)"|'([^']*)')"""
"""At the start of a word or of a value. Elsewhere a quote is an apostrophe, as in Ann's."""
_WORD = re.compile(rf"(?:{_QUOTED}|\S)+")


def words_of(line: str) -> list[str]:
    r"""The words of a line; what stands in quotes is one word, or one value, without them.

    A backslash is itself, as in C:\runs, and so is a quote that nothing closes.
    """
    found = (match[0] for match in _WORD.finditer(line))
    return [re.sub(_QUOTED, lambda quoted: quoted[1] or quoted[2] or "", word) for word in found]
