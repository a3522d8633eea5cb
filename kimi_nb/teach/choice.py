"""A choice that is predicted; a function of the run gives the true one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.teach.asked import Apart
from kimi_nb.teach.words import said as say
from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold
from kimi_nb.views.text import fit, one_line

__all__ = ["Choice"]

MOST = 100
"""Choices."""
SHOWN = 120
"""Columns of a choice: what a function makes of a run may be long."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which one of these it is."""

    of: Callable[[Any], object]
    choices: tuple[str, ...]
    name: str = "choice"

    @classmethod
    def among(cls, of: Callable[[Any], object], choices: Sequence[object]) -> Choice:
        """Raises UsageFault unless there are two choices or more, all different."""
        given = cast("object", choices)

        if isinstance(given, str) or not isinstance(given, Iterable):
            raise UsageFault('choices= takes a list, as in choices=["zoo", "opera", "museum"]')

        texts = tuple(one_line(str(choice)) for choice in choices)

        if not 2 <= len(texts) <= MOST:
            raise UsageFault(f"choices= takes from 2 to {MOST} choices, not {len(texts)}")

        if "" in texts or len(set(texts)) < len(texts):
            raise UsageFault("each of the choices has to be a text of its own")

        return cls(of, texts)

    @property
    def key(self) -> Hashable:
        return self.name, self.choices

    @property
    def example(self) -> str:
        return f".lock({self.choices[0]!r})"

    def check(self, value: object) -> str:
        text = one_line(str(value)) if isinstance(value, str | int | float) else ""

        if text not in self.choices:
            raise UsageFault(f"choose one of these: {', '.join(self.choices)}")

        return text

    def said(self, value: str) -> str:
        return fit(value, SHOWN).rstrip()

    def truth(self, run: Fold | Iterable[Record], state: Fold) -> str | None:  # noqa: ARG002
        found = self.of(run)
        return None if found is None else one_line(str(found))

    def apart(self, value: str, truth: str) -> Apart:
        said, true = self.said(value), self.said(truth)

        if value == truth:
            return Apart(say("so", said=said), None, right=True)

        words = say("was" if truth in self.choices else "stray", said=said, true=true)
        return Apart(words, None, right=False)

    def form(self) -> dict[str, Any]:
        return {"choices": list(self.choices)}

    def drawn(self, value: str) -> str:
        return value
