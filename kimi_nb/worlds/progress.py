"""How good a run's findings were at each moment: a pure function of its log.

    points = curve(kn.worlds.wide(items=50, seed=7), run)
    first = next((p.critical_steps for p in points if p.quality >= 0.7), None)

What is known at a moment is all rows that any agent has said so far, in what it says as it goes
or in what it brings back. Of a row said twice the latest counts. What an agent says in a step is
known when that step is over, so that its cost counts, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.events import AgentEnded, RunEnded, Said, StepEnded
from kimi_nb.trace import Record
from kimi_nb.views.critical import run_cost
from kimi_nb.views.fold import Fold, records_of
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.worlds import wide_search
from kimi_nb.worlds.base import World
from kimi_nb.worlds.tables import rows_in

__all__ = ["Point", "curve"]


class Point(NamedTuple):
    """What was known, and what it had taken, when somebody said something new."""

    t: float
    """Seconds since the run began."""
    critical_steps: int
    total_steps: int
    tokens: int
    """In and out, of all agents."""
    usd: float | None
    """0.0 for the simulator, which costs nothing; None if the price is unknown."""
    rows: int
    """Rows that are known, right or wrong."""
    quality: float
    """Item-F1 of those rows, in [0, 1]."""


def curve(
    world: World, trace: Iterable[Record], prices: Mapping[str, Price] = PRICES
) -> list[Point]:
    """A point for each moment at which new or other rows were said, the earliest first.

    The last point need not be the quality that the run was judged by: that is of its answer, and
    an answer can leave out what was known. [] for a run in which nobody said a row.

    Raises UsageFault for a world other than `wide`, whose findings are no rows.
    """
    if world.family != "wide":
        raise UsageFault(f"{world.name} has no table to fill: take a run of kn.worlds.wide(…)")

    truth = wide_search.truth(world.items, world.seed)
    known: dict[str, tuple[str, ...]] = {}
    saying: dict[str, str] = {}
    state = Fold()
    points: list[Point] = []

    for record in records_of(trace):
        state.add(record)
        said = {wide_search.key_of(row[0]): row for row in _rows(record, saying) if row[0]}

        if any(known.get(key) != row for key, row in said.items()):
            known |= said
            quality = wide_search.grade_rows(known.values(), truth).f1
            points.append(_point(state, prices, len(known), quality))

    return points


def _rows(record: Record, saying: dict[str, str]) -> list[tuple[str, ...]]:
    """The rows that become known by a record; `saying`: what agents said in steps that go on."""
    match record.fact:
        case Said(text=text, cut=False):
            saying[record.agent] = text
            return []
        case StepEnded():
            text = saying.pop(record.agent, "")
        case AgentEnded(text=text) | RunEnded(answer=text):
            pass
        case _:
            return []

    return rows_in(text, wide_search.COLUMNS) if "|" in text else []


def _point(state: Fold, prices: Mapping[str, Price], rows: int, quality: float) -> Point:
    return Point(
        t=state.now,
        critical_steps=state.critical_steps,
        total_steps=state.steps,
        tokens=state.tokens_in + state.tokens_out,
        usd=run_cost(state, prices),
        rows=rows,
        quality=quality,
    )
