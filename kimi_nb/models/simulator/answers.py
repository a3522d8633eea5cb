"""Final answers: the table, what to know about it, and who made it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from kimi_nb.models.simulator import headings, phrases
from kimi_nb.models.simulator.goal import Goal
from kimi_nb.models.simulator.listing import Listing
from kimi_nb.models.simulator.tables import write_table
from kimi_nb.models.simulator.worker import Row

__all__ = ["beyond", "full_answer", "headers_of", "plain_problem", "table_of"]


def headers_of(goal: Goal, kind: str) -> list[str]:
    """The table's headings: the item, what was asked, the source."""
    chinese = goal.chinese
    asked = [headings.header(measure, chinese=chinese) for measure in goal.measures]
    return [
        headings.item_header(kind, chinese=chinese),
        *asked,
        headings.source_header(chinese=chinese),
    ]


def table_of(goal: Goal, kind: str, rows: Sequence[Row]) -> str:
    """One row an item; a column of notes only if there are any."""
    headers = headers_of(goal, kind)
    lines = [[row.item, *row.cells, row.source] for row in rows]

    if any(row.notes for row in rows):
        headers.append(headings.note_header(chinese=goal.chinese))
        lines = [
            [*line, "; ".join(dict.fromkeys(row.notes))]
            for line, row in zip(lines, rows, strict=True)
        ]

    return write_table(headers, lines)


def full_answer(goal: Goal, listing: Listing, rows: Sequence[Row], missing: int) -> str:
    """A sentence, the table, and the line that says that no language model was at work."""
    chinese = goal.chinese
    rows = [_zeros(goal, row, rows) for row in rows]
    said = [phrases.summary(listing.kind, len(rows), missing, chinese=chinese), *listing.readings]

    said += [_across(goal, rows, *best) for best in goal.best if best[0] < len(goal.measures)]

    if goal.ignored:
        said.append(phrases.ignored(goal.ignored, chinese=chinese))

    nowhere = _nowhere(goal, rows)

    if nowhere:
        names = [goal.measures[place].column for place in nowhere]
        said.append(phrases.nowhere(names, chinese=chinese))
        goal, rows = _without(goal, rows, nowhere)

    head = ("" if chinese else " ").join(said)
    return "\n\n".join(
        [head, table_of(goal, listing.kind, rows), phrases.signature(chinese=chinese)]
    )


def _zeros(goal: Goal, row: Row, rows: Sequence[Row]) -> Row:
    """A value that other files have, and this one has not: it has none of such rows."""
    cells = list(row.cells)

    for place, measure in enumerate(goal.measures):
        known = any(other.cells[place].isdigit() for other in rows)

        if measure.op == "rows" and known and cells[place].startswith("no cell is "):
            cells[place] = "0"

    return replace(row, cells=cells)


def _nowhere(goal: Goal, rows: Sequence[Row]) -> tuple[int, ...]:
    """Bare names that no item has: words of the goal that were no names of anything."""
    places = tuple(
        place
        for place, measure in enumerate(goal.measures)
        if (measure.op == "field" or measure.guessed)
        and all(
            row.cells[place].startswith("no column ") or row.cells[place] in _absent(measure.column)
            for row in rows
        )
    )
    return places if len(places) < len(goal.measures) else ()


def _absent(name: str) -> tuple[str, ...]:
    return tuple(phrases.no_field(name, chinese=chinese) for chinese in (False, True))


def _without(goal: Goal, rows: Sequence[Row], places: tuple[int, ...]) -> tuple[Goal, list[Row]]:
    kept = [place for place in range(len(goal.measures)) if place not in places]
    shorter = [replace(row, cells=[row.cells[place] for place in kept]) for row in rows]
    return replace(goal, measures=tuple(goal.measures[place] for place in kept)), shorter


def plain_problem(goal: Goal, problem: str) -> str:
    """Why there is no table."""
    return f"{problem}\n\n{phrases.signature(chinese=goal.chinese)}"


def beyond(goal: Goal) -> str:
    """What the simulator can do, for a goal that is beyond it."""
    said = phrases.beyond(goal.text, goal.ignored, chinese=goal.chinese)
    return f"{said}\n\n{phrases.signature(chinese=goal.chinese)}"


def _across(goal: Goal, rows: Sequence[Row], place: int, op: str) -> str:
    """The sentence about all items together."""
    what = headings.header(goal.measures[place], chinese=goal.chinese)
    numbers = {row.item: _number(row.cells[place]) for row in rows}
    known = {item: number for item, number in numbers.items() if number is not None}

    if not known:
        return phrases.no_comparison(what, chinese=goal.chinese)

    left = len(rows) - len(known)

    if op == "sum":
        return phrases.total(what, math.fsum(known.values()), left, chinese=goal.chinese)

    extreme = max(known.values()) if op == "max" else min(known.values())
    items = [item for item, number in known.items() if number == extreme]
    return phrases.winner(what, op, items, extreme, left, chinese=goal.chinese)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
