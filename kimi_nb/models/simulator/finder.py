"""A goal's text while the words that say where the items are get cut out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kimi_nb.models.simulator.lexicon import tokenise
from kimi_nb.models.simulator.literals import EXTENSIONS, Literals
from kimi_nb.models.simulator.patterns import JOINT

__all__ = ["Finder", "asks", "has_suffix", "split_list"]

_ASKING = frozenset({"agg", "metric", "rows", "distinct", "count"})


@dataclass(slots=True)
class Finder:
    """Cuts out of the text, piece by piece, what says where the items are."""

    text: str
    literals: Literals

    def cut(self, match: re.Match[str], joint: str = " ") -> None:
        """Put `joint` where the match was."""
        self.text = self.text[: match.start()] + joint + self.text[match.end() :]

    def take(self, pattern: re.Pattern[str]) -> bool:
        """Cut the first match out; False if there is none."""
        match = pattern.search(self.text)

        if match:
            self.cut(match)

        return match is not None


def split_list(text: str, literals: Literals) -> tuple[str, ...]:
    """The items of `a, b and c`, literals in place."""
    parts = re.split(JOINT, text)
    items = [literals.show(part).strip(" .?!。") for part in parts]
    return tuple(dict.fromkeys(item for item in items if item))


def asks(text: str) -> bool:
    """It names things to measure rather than items."""
    return any(token.kind in _ASKING for token in tokenise(text))


def has_suffix(item: str) -> bool:
    """It looks like a file's name."""
    return re.search(rf"(?i)\.(?:{EXTENSIONS})$", item) is not None
