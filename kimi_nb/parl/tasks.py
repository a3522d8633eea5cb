"""Tasks for an orchestrator: graphs of parts with work, dependencies and coupling.

A part never waits for a later one, so that one pass from front to back meets what it waits for
first. The families, the ranges and the budgets are this project's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from kimi_nb.errors import UsageFault

__all__ = [
    "APART",
    "ENTANGLED",
    "FAMILIES",
    "LARGEST",
    "LOOSE",
    "PARALLELISABLE",
    "TIGHT",
    "Bools",
    "Floats",
    "Ints",
    "Tasks",
    "draw",
    "pick",
    "repeat",
    "to_the_end",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAMILIES = ("wide", "deep", "mixed", "mapreduce", "trap")
PARALLELISABLE = ("wide", "mixed", "mapreduce")
"""The families in which sub-agents save critical steps and cost little quality."""
LARGEST = 12
"""Parts of the largest task, unless a number of parts is asked for."""
TIGHT, LOOSE = (0.6, 1.3), (1.3, 2.0)
"""Budgets as multiples of the serial steps: where one can split, and where one should not."""
APART, ENTANGLED = (0.0, 0.25), (0.75, 1.0)
"""Coupling: how badly a part suffers from being done out of context."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """B tasks of at most N parts each, as arrays; what is not present is 0."""

    work: Ints
    """(B, N) steps."""
    coupling: Floats
    """(B, N) in [0, 1]: 0, as good out of context as in it."""
    needs: Bools
    """(B, N, N): needs[b, i, j], part i waits for part j; then j < i."""
    present: Bools
    """(B, N): the first parts of each row."""
    family: Ints
    """(B,) index into FAMILIES."""
    budget: Floats
    """(B,) critical steps."""
    serial: Floats
    """(B,) critical steps of doing all alone."""

    def __len__(self) -> int:
        return len(self.work)

    @property
    def parts(self) -> int:
        """N, what a row has room for."""
        return self.work.shape[1]


def draw(
    dice: np.random.Generator,
    number: int,
    families: Sequence[str] = FAMILIES,
    parts: int | None = None,
) -> Tasks:
    """So many tasks, the families equally likely; with `parts`, each of exactly so many parts.

    Raises UsageFault for an unknown family and for fewer than 3 parts.
    """
    unknown = sorted(set(families) - set(FAMILIES))

    if unknown or not families:
        known = ", ".join(FAMILIES)
        raise UsageFault(f"No such family of tasks: {unknown}. Choose among {known}.")

    if parts is not None and parts < 3:
        raise UsageFault(f"A task of {parts} parts has nothing to split. Give parts=3 or more.")

    room = LARGEST if parts is None else parts
    needs = np.zeros((number, room, room), bool)
    present = np.zeros((number, room), bool)
    family = np.array([FAMILIES.index(name) for name in families])[
        dice.integers(len(families), size=number)
    ]

    for at in range(number):
        graph = _GRAPHS[int(family[at])](dice, parts)
        needs[at, : len(graph), : len(graph)] = graph
        present[at, : len(graph)] = True

    work = dice.integers(2, 7, (number, room)) * present
    serial = work.sum(axis=1).astype(float)
    splits = np.isin(family, [FAMILIES.index(name) for name in PARALLELISABLE])
    trap = family == FAMILIES.index("trap")
    return Tasks(
        work=work,
        coupling=_uniform(dice, trap[:, None], ENTANGLED, APART, (number, room)) * present,
        needs=needs,
        present=present,
        family=family,
        budget=_uniform(dice, splits, TIGHT, LOOSE, (number,)) * serial,
        serial=serial,
    )


def pick(tasks: Tasks, which: Ints) -> Tasks:
    """The tasks at these places, in this order; a place may come more than once."""
    return Tasks(*(getattr(tasks, field.name)[which] for field in fields(Tasks)))


def repeat(tasks: Tasks, times: int) -> Tasks:
    """Each task so many times, its copies side by side: episode e is of task e // times."""
    return pick(tasks, np.repeat(np.arange(len(tasks)), times))


def to_the_end(tasks: Tasks) -> Ints:
    """(B, N) the work on the longest way from a part to the end, its own included."""
    longest = tasks.work.copy()

    for part in range(tasks.parts - 2, -1, -1):
        after = np.where(tasks.needs[:, :, part], longest, 0).max(axis=1)
        longest[:, part] += after

    return longest


def _uniform(
    dice: np.random.Generator,
    which: Bools,
    one: tuple[float, float],
    other: tuple[float, float],
    shape: tuple[int, ...],
) -> Floats:
    low, high = (np.where(which, a, b) for a, b in zip(one, other, strict=True))
    return dice.uniform(low, high, shape)


def _wide(dice: np.random.Generator, parts: int | None) -> Bools:
    """Independent parts, and one that merges them."""
    size = parts or int(dice.integers(7, 12))
    needs = np.zeros((size, size), bool)
    needs[-1, :-1] = True
    return needs


def _deep(dice: np.random.Generator, parts: int | None) -> Bools:
    size = parts or int(dice.integers(5, 9))
    return np.eye(size, k=-1, dtype=bool)


def _mixed(dice: np.random.Generator, parts: int | None) -> Bools:
    """Layers of one to four; a part waits for one or two of the layer before."""
    size = parts or int(dice.integers(6, LARGEST + 1))
    needs = np.zeros((size, size), bool)
    before, first = 0, min(int(dice.integers(1, 5)), size)

    while first < size:
        after = min(first + int(dice.integers(1, 5)), size)

        for part in range(first, after):
            number = min(int(dice.integers(1, 3)), first - before)
            needs[part, dice.choice(np.arange(before, first), number, replace=False)] = True

        before, first = first, after

    return needs


def _mapreduce(dice: np.random.Generator, parts: int | None) -> Bools:
    """One splits, many map, one reduces."""
    size = parts or int(dice.integers(7, 12))
    needs = np.zeros((size, size), bool)
    needs[1:-1, 0] = True
    needs[-1, 1:-1] = True
    return needs


_GRAPHS: tuple[Callable[[np.random.Generator, int | None], Bools], ...] = (
    _wide,
    _deep,
    _mixed,
    _mapreduce,
    _wide,
)
"""In the order of FAMILIES. A trap looks as a wide task does."""
