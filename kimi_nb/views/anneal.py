"""How the weight λ of an auxiliary reward goes over a training.

PARL's reward is λ1·r_parallel + λ2·r_finish + r_perf, and both weights are annealed to 0 (Kimi K2.5
report, §3). Which values and which shape is not published; the shapes here are the usual ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

from kimi_nb.errors import UsageFault

__all__ = ["SHAPES", "Schedule", "Shape"]

Shape = Literal["constant", "linear", "cosine", "exponential", "step"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

STEEPNESS = 5.0
"""Of the exponential: after a fifth of the way, 1/e of the difference is left, nearly."""
EXAMPLE = "as in Schedule(0.3, 0.0, 'linear', 0.7)"


@dataclass(frozen=True, slots=True)
class Schedule:
    """λ as a function of the progress p of a training, in [0, 1].

    With s = start, e = end and u = min(1, p / until), λ is

        constant      s                                      (s = e)
        linear        s + (e − s)·u
        cosine        e + (s − e)·(1 + cos πu) / 2
        exponential   e + (s − e)·(exp(−5u) − exp(−5)) / (1 − exp(−5))
        step          s where u < 1, then e

    It never leaves the range from s to e. Raises UsageFault for anything else.
    """

    start: float
    """λ at the beginning, 0 or more; it has no unit."""
    end: float
    """λ from `until` on, 0 or more."""
    shape: Shape
    """How it gets from one to the other."""
    until: float
    """Progress, in (0, 1], at which `end` is reached."""

    def __post_init__(self) -> None:
        start, end, until = (_number(self, name) for name in ("start", "end", "until"))

        if self.shape not in SHAPES:
            message = f"shape is one of {', '.join(map(repr, SHAPES))}, not {self.shape!r}"
            raise UsageFault(message)

        for name, value in (("start", start), ("end", end)):
            if value < 0:
                message = f"{name} is λ, 0 or more, not {value:g}: {EXAMPLE}"
                raise UsageFault(message)

        if not 0 < until <= 1:
            message = f"until is a part of the training, above 0 and up to 1, not {until:g}"
            raise UsageFault(message)

        if self.shape == "constant" and start != end:
            message = (
                f"constant ends where it starts: type Schedule({start:g}, {start:g}, 'constant', 1)"
            )
            raise UsageFault(message)

    def at(self, progress: float) -> float:
        """λ when that part of the training is done. Raises UsageFault outside [0, 1]."""
        if not 0 <= progress <= 1:
            message = f"progress is the part of the training that is done, 0 to 1, not {progress!r}"
            raise UsageFault(message)

        u = progress / self.until

        if u >= 1:
            return self.end

        value = self.end + (self.start - self.end) * _left(self.shape, u)
        low, high = sorted((self.start, self.end))
        return min(max(value, low), high) if u else self.start

    def __str__(self) -> str:
        """As "0.3 → 0, linear until 70 %" or "0.5 constant"."""
        if self.shape == "constant":
            return f"{self.start:.3g} constant"

        return f"{self.start:.3g} → {self.end:.3g}, {self.shape} until {self.until:.0%}".replace(
            "%", " %"
        )


def _left(shape: Shape, u: float) -> float:
    """Part of the way from start to end that is still to go, for u in [0, 1)."""
    match shape:
        case "constant" | "step":
            return 1.0
        case "linear":
            return 1.0 - u
        case "cosine":
            return (1.0 + math.cos(math.pi * u)) / 2.0
        case "exponential":
            last = math.exp(-STEEPNESS)
            return (math.exp(-STEEPNESS * u) - last) / (1.0 - last)


def _number(schedule: Schedule, name: str) -> float:
    """That field as a float; the frozen field is set to it, as NumPy's are no JSON values."""
    value: Any = getattr(schedule, name)

    if isinstance(value, Real) and value is not True and value is not False:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf

        if math.isfinite(number):
            object.__setattr__(schedule, name, number)
            return number

    message = f"{name} is a number, not {value!r}: {EXAMPLE}"
    raise UsageFault(message)
