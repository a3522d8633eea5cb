"""A number that is predicted: one of the measures of a run, or what a function makes of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.teach.asked import Apart, real
from kimi_nb.teach.language import here
from kimi_nb.teach.quantity import PLAIN, QUANTITIES, Quantity
from kimi_nb.teach.words import said as say
from kimi_nb.trace import Record
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import Fold

__all__ = ["Number"]

MOST = 1e12
"""What is larger is a slip of the finger."""
NEAR = 1.05
"""Times as much that are still told as a share."""


@dataclass(frozen=True, slots=True)
class Number:
    """How much of something a run takes."""

    of: str | Callable[[Any], object]
    """A key of `Metrics.as_dict`, or a function of the run."""
    most: float | None = None
    """What a number that a function gives cannot exceed, nor be negative; None: it may be any."""
    name: str = "number"

    @property
    def key(self) -> Hashable:
        return self.name, self.of if isinstance(self.of, str) else "function"

    @property
    def example(self) -> str:
        return ".lock(12)" if self.most is None else f".lock({self.most / 5:g})"

    @property
    def quantity(self) -> Quantity:
        if isinstance(self.of, str):
            return QUANTITIES[self.of]

        if self.most is None:
            return PLAIN

        return PLAIN._replace(far=self.most, step=self.most / 100, least=0.0)

    def check(self, value: object) -> int | float:
        unit = self.quantity.unit.en or "a number"
        least = self.quantity.least

        number = real(value)

        if number is None:
            kind = type(value).__name__
            raise UsageFault(f"this {kind} is no number: give {unit} in digits: {self.example}")

        most = MOST if self.most is None else self.most

        if abs(number) > most or (least is not None and number < least):
            start = "up to" if least is None else f"from {least:g} to"
            raise UsageFault(f"give {unit} {start} {most:,.0f}")

        if not self.quantity.whole:
            return float(number)

        if number != int(number):
            raise UsageFault(f"{number:g} is no whole number: {unit} are counted")

        return int(number)

    def said(self, value: float) -> str:
        return self.quantity.words(value)

    def truth(self, run: Fold | Iterable[Record], state: Fold) -> int | float | None:
        if isinstance(self.of, str):
            return metrics(state).as_dict()[self.of]

        found = self.of(run)

        if found is None:
            return None

        number = real(found)

        if number is None:
            kind = type(found).__name__
            raise UsageFault(f"the function in of= has to give a number, not this {kind}")

        return number

    def apart(self, value: float, truth: float) -> Apart:
        off = round(value - truth, 6)
        said, true = self.said(value), self.said(truth)

        if said == true:
            name = "exact" if value == truth else "near"
            return Apart(say(name, said=said), off, right=True)

        amount = self.quantity.words(abs(off)) if not self.quantity.whole else f"{abs(off):,.0f}"
        side = here(self.quantity.less if off < 0 else self.quantity.more)
        words = say("off", said=said, true=true, amount=amount, side=side)
        return Apart(words + _ratio(value, truth), off, right=False)

    def form(self) -> dict[str, Any]:
        told = self.quantity
        return {
            "unit": here(told.unit),
            "whole": told.whole,
            "far": told.far,
            "step": told.step,
            "least": told.least,
        }

    def drawn(self, value: float) -> float:
        return value


def _ratio(value: float, truth: float) -> str:
    """How many times as much, in words; "" where one is nothing, or of another sign."""
    if value <= 0 or truth <= 0:
        return ""

    times = max(value, truth) / min(value, truth)

    if times < NEAR:
        return say("close")

    shown = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"

    return say("times more" if truth > value else "times less", times=shown)
