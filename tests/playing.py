"""A recorded run that happens again, at a pace of one's own."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kimi_nb.trace import Record, Trace
from kimi_nb.views.prices import PRICES

__all__ = ["Playing"]


class Playing:
    """The source of a view whose facts come at `rate` a second, from its making on."""

    name = "playing"
    prices = PRICES
    path = None
    draft = ""
    pace = ""

    def __init__(self, trace: Trace, rate: float) -> None:
        self._trace = trace
        self._rate = rate
        self._began = time.monotonic()

    @property
    def records(self) -> Sequence[Record]:
        return self._trace[: int((time.monotonic() - self._began) * self._rate)]

    @property
    def seconds(self) -> float:
        records = self.records
        return records[-1].t if records else 0.0

    @property
    def done(self) -> bool:
        return len(self.records) == len(self._trace)

    def cancel(self, agent: str | None = None) -> None:
        """It cannot be: what is shown has happened."""
