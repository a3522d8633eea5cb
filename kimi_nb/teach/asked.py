"""What every kind of prediction can do: check a value, put it into words, hold it against a run."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from math import isfinite
from numbers import Integral, Real
from typing import Any, NamedTuple, Protocol

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold

__all__ = ["Apart", "Kind", "Points", "Value", "real"]

Points = tuple[tuple[float, int], ...]
"""A curve of steps: from each time on, so many agents, until the next."""
Value = int | float | str | Points


def real(value: object) -> int | float | None:
    """A finite number as Python's own; None for what is none. True and False are none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None

    number = int(value) if isinstance(value, Integral) else float(value)
    return number if isinstance(number, int) or isfinite(number) else None


class Apart(NamedTuple):
    """How far a prediction is from the truth."""

    words: str
    """In a sentence or two, with units."""
    off: float | None
    """Of a number: predicted − true, in its unit. Of a curve: the mean distance, in agents. Of a
    choice: None."""
    right: bool
    """To the digits shown."""


class Kind(Protocol):
    """A number, a choice or a curve: how it is asked for, and what is true of a run."""

    @property
    def name(self) -> str:
        """One of number, choice and curve."""
        ...

    @property
    def key(self) -> Hashable:
        """Equal where the same is asked; a function that one types again is the same."""
        ...

    @property
    def example(self) -> str:
        """What one types to lock a prediction from code."""
        ...

    def check(self, value: object) -> Value:
        """The value as it is kept. Raises UsageFault, with what to give, where it is none."""
        ...

    def said(self, value: Any) -> str:
        """The value in words, with its unit."""
        ...

    def truth(self, run: Fold | Iterable[Record], state: Fold) -> Value | None:
        """What came of the run; None where its trace does not say. `state` is its fold."""
        ...

    def apart(self, value: Any, truth: Any) -> Apart:
        """The prediction against the truth."""
        ...

    def form(self) -> dict[str, Any]:
        """What a page needs to ask for it, as JSON."""
        ...

    def drawn(self, value: Any) -> Any:
        """A value, as JSON for a page to draw."""
        ...
