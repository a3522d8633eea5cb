"""How a run would have gone, beside how it went, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kimi_nb.views.forecast.schedule import Row
from kimi_nb.views.text import one_line, width
from kimi_nb.views.words import SIMULATOR, seconds

__all__ = ["Prediction"]

COLUMNS = 60
LANES = 24
"""Workers of a schedule that is still drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A schedule of a run's tasks with something changed. No measurement."""

    change: str
    """What was changed, in words."""
    workers: int | None
    """None: as many as were ready."""
    seconds: float
    """When its last task ends: the wall time, without waiting and hand-over."""
    critical_steps: int
    """The same of the schedule in which every step takes one and nothing else takes any."""
    work_s: float
    """Seconds of work of all tasks."""
    tokens: int
    """In and out. Other than before only by `sizes` and by turns that are made more than once;
    what else a change would do to them is unknown."""
    was_seconds: float
    """This and the next three: the run as it was, reckoned in the same way."""
    was_steps: int
    was_work_s: float
    was_tokens: int
    wall_s: float
    """Measured: seconds that the run took, or has taken so far."""
    rows: tuple[Row, ...]
    """Who does what when, in seconds, in the order in which the tasks begin."""
    simulated: bool = False
    """No language model took part in the run: its times are no model's."""

    @property
    def unexplained_s(self) -> float:
        """Seconds of the measured wall time that are no task's: waiting, pauses, hand-over."""
        return round(self.wall_s - self.was_seconds, 6)

    def __repr__(self) -> str:
        rest = (
            f"{seconds(self.unexplained_s)} waiting and hand-over, which the reckoning leaves out"
        )
        lines = [
            f"What if: {self.change}. A prediction, not a measurement.",
            _line("", "predicted", "as it was, reckoned likewise"),
            _line("seconds", seconds(self.seconds), seconds(self.was_seconds)),
            _line("critical steps", f"{self.critical_steps:,}", f"{self.was_steps:,}"),
            _line("work", seconds(self.work_s), seconds(self.was_work_s)),
            _line("tokens", f"{self.tokens:,}", f"{self.was_tokens:,}"),
            f"Measured wall: {seconds(self.wall_s)}, of it {rest}.",
            *self._drawn(),
            *([SIMULATOR] if self.simulated else []),
        ]
        return "\n".join(line.rstrip() for line in lines)

    def _drawn(self) -> Iterator[str]:
        lanes: dict[int, list[Row]] = {}

        for row in self.rows:
            lanes.setdefault(row.worker, []).append(row)

        if max(self.workers or 0, len(lanes)) > LANES or not self.seconds:
            yield f"Workers that had anything to do: {len(lanes):,}"
            return

        yield f"worker  0 s{seconds(self.seconds):>{COLUMNS - 3}}"

        for number in sorted({*lanes, *range(1, (self.workers or 0) + 1)}):
            yield f"{number:>6}  {_lane(lanes.get(number, []), COLUMNS / self.seconds)}"


def _line(name: str, predicted: str, was: str) -> str:
    return f"{name:<16}{predicted:>14}{was:>32}"


def _lane(rows: Iterable[Row], scale: float) -> str:
    """Each task from a "│" on, with its name where that fits; "·" where the worker is idle."""
    cells = "·" * COLUMNS

    for row in rows:
        if row.ended > row.began:
            start = min(round(row.began * scale), COLUMNS - 1)
            columns = max(1, round(row.ended * scale) - start)
            name = one_line(row.task)
            shown = f"│{name}" if width(name) < columns else "│"
            bar = shown + "─" * (columns - width(shown))
            cells = cells[:start] + bar + cells[start + columns :]

    return cells
