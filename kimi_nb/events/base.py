"""What all facts have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from kimi_nb.redact import hide

__all__ = ["Fact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Base of all facts."""

    def without_keys(self) -> Self:
        """The same with every key in its texts as `[key]`; itself where there is none."""
        texts = {n: v for n in self.__slots__ if isinstance(v := getattr(self, n), str)}
        together = "\0".join(texts.values())

        if hide(together) == together:  # one look for all: every fact of a run comes by here
            return self

        changed: dict[str, Any] = {name: hide(text) for name, text in texts.items()}
        return replace(self, **changed)
