"""A question about a run that a notebook asks before it, by its id and in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kimi_nb.teach.text import Text

__all__ = ["Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What `kn.predict(id)` asks."""

    id: str
    """As p03.critical: of notebook 03."""
    asks: Text
    of: str | Callable[[Any], object]
    """A measure of the run, as "critical_steps"; "concurrency" for a curve; or a function of the
    run that gives the true number, or the true one of `choices`: as it stands there, or its
    English text."""
    most: float | None = None
    """Of a number from 0 on that a function gives: the largest that it can be, where there is one,
    as 1 for a share."""
    choices: tuple[Text | str, ...] | None = None
    curve: bool | tuple[float, int] = False
    """True, or (seconds, agents) where its axes end."""
