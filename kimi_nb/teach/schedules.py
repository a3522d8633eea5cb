"""Greedy schedules of one run on several numbers of workers, one below the other on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kimi_nb.errors import UsageFault
from kimi_nb.teach.language import language
from kimi_nb.teach.text import Text
from kimi_nb.trace import Record
from kimi_nb.views.fold import as_fold
from kimi_nb.views.forecast.prediction import Prediction
from kimi_nb.views.forecast.schedule import Row
from kimi_nb.views.measures import measures
from kimi_nb.views.text import escape, one_line, width
from kimi_nb.views.whatif import what_if
from kimi_nb.views.words import SIMULATOR, seconds

__all__ = ["Schedules", "schedules"]

HEAD = Text("{n} workers: {time}", "{n} 个工作者：{time}")
ONE = Text("1 worker: {time}", "1 个工作者：{time}")
THICK = Text("Thick frames: the longest chain of the run.", "粗框：这次运行中最长的一条链。")
COLUMNS = 60
PIXELS = 560
LANE, GAP, LEFT = 24, 20, 30
"""Height of a worker's lane, room for a heading, room for a worker's number; in pixels."""


@dataclass(frozen=True, slots=True, repr=False)
class Schedules:
    """What `what_if` predicts for each number of workers, as a picture and as text."""

    predictions: tuple[Prediction, ...]
    chain: frozenset[str]
    """Tasks of the run's longest chain: no number of workers makes that shorter."""

    def __repr__(self) -> str:
        mark = [SIMULATOR] if any(p.simulated for p in self.predictions) else []
        return "\n".join([*(line for p in self.predictions for line in self._lines(p)), *mark])

    def _lines(self, found: Prediction) -> Iterator[str]:
        yield _head(found)

        for worker, rows in _lanes(found):
            cells = "·" * round(found.seconds * COLUMNS / self._longest)

            for row in rows:
                start, end = (round(t * COLUMNS / self._longest) for t in (row.began, row.ended))
                name = one_line(row.task) if width(one_line(row.task)) < end - start else ""
                fill = "═" if row.task in self.chain else "─"
                bar = f"│{name}".ljust(end - start, fill)[: end - start]
                cells = cells[:start] + bar + cells[end:]

            yield f"{worker:>3}  {cells}"

    @property
    def _longest(self) -> float:
        return max(p.seconds for p in self.predictions) or 1.0

    def _repr_html_(self) -> str:
        said = "; ".join(_head(p) for p in self.predictions)
        top = 0
        drawn: list[str] = []

        for found in self.predictions:
            drawn.append(f'<text x="0" y="{top + 14}" font-weight="600">{_head(found)}</text>')
            top += GAP

            for worker, rows in _lanes(found):
                drawn.append(f'<text x="0" y="{top + 16}">{worker}</text>')
                drawn += (self._box(row, top) for row in rows)
                top += LANE

            top += GAP // 2

        wide = LEFT + PIXELS + 2
        mark = f"<p>{SIMULATOR}</p>" if any(p.simulated for p in self.predictions) else ""
        return (
            f'<svg role="img" aria-label="{escape(said)}" viewBox="0 0 {wide} {top}" '
            f'width="{wide}" height="{top}" style="max-width:100%" fill="currentColor" '
            f'font-family="sans-serif" font-size="12">{"".join(drawn)}</svg>'
            f"<p>{THICK.said(language())}</p>{mark}"
        )

    def _box(self, row: Row, top: int) -> str:
        scale = PIXELS / self._longest
        x, wide = LEFT + row.began * scale, (row.ended - row.began) * scale
        thick = row.task in self.chain
        name = escape(one_line(row.task)) if wide > 8 * width(one_line(row.task)) else ""
        return (
            f'<rect x="{x:.1f}" y="{top + 2}" width="{wide:.1f}" height="{LANE - 4}" rx="2" '
            f'fill-opacity="{0.22 if thick else 0.08}" stroke="currentColor" '
            f'stroke-width="{2.5 if thick else 0.8}"/>'
            f'<text x="{x + 6:.1f}" y="{top + 16}">{name}</text>'
        )


def _head(found: Prediction) -> str:
    head = ONE if found.workers == 1 else HEAD
    return head.said(language()).format(n=found.workers, time=seconds(found.seconds))


def _lanes(found: Prediction) -> list[tuple[int, list[Row]]]:
    lanes: dict[int, list[Row]] = {n: [] for n in range(1, (found.workers or 0) + 1)}

    for row in found.rows:
        lanes[row.worker].append(row)

    return list(lanes.items())


def schedules(run: Iterable[Record], *workers: int) -> Schedules:
    """The greedy schedules of a run on so many workers each: predictions, no measurements.

    Raises UsageFault without a number of workers, and as `what_if` does.
    """
    if not workers:
        message = "say how many workers: schedules(run, 2, 3, 4)"
        raise UsageFault(message)

    state = as_fold(run)
    chain = frozenset(link.node for link in measures(state).seconds.chain)
    return Schedules(tuple(what_if(state, workers=number) for number in workers), chain)
