"""Which measures need a column, and which of them add up over all items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kimi_nb.models.simulator.measure import Measure

__all__ = ["COLUMNAR", "NAMES_OF", "WHOLE", "settled", "together"]

COLUMNAR = frozenset(
    {"max", "min", "first", "last", "mean", "sum", "std", "median", "mode", "nth", "top"}
    | {"range", "distinct"}
)
_ADDED = (
    "rows sum count lines blank_lines words chars bytes headings functions classes imports loc "
    "cells code_cells markdown_cells links occurrences matching_lines"
)
_JOINTS = {"max": "max", "min": "min", **dict.fromkeys(_ADDED.split(), "sum")}
"""How measures of single items make one of all of them."""
NAMES_OF = {"functions": "function_names", "classes": "class_names"}
WHOLE = frozenset({"columns", "column_names", "lines", "bytes", "words", "chars"})


def together(measures: Sequence[Measure]) -> tuple[tuple[int, str], ...]:
    """How each measure joins over all items; those are left out that cannot be joined."""
    joints = ((place, _JOINTS.get(measure.op, "")) for place, measure in enumerate(measures))
    return tuple(joint for joint in joints if joint[1])


def settled(
    measures: Sequence[Measure], open_places: Sequence[int], loose: Sequence[str]
) -> list[Measure]:
    """What is still open takes the column before it; bare names are listed as they are."""
    made = list(measures)

    for place in open_places:
        named = [m.column for m in made[:place] if m.op in COLUMNAR and m.column]

        if named:
            made[place] = replace(made[place], column=named[-1])

    used = {m.column for m in made}
    return made + [Measure("values", name, guessed=True) for name in loose if name not in used]
