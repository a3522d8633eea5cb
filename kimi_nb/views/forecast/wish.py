"""What is to be changed about a run, as it was typed: checked, and put into words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from numbers import Integral, Real
from typing import cast

from kimi_nb.errors import UsageFault
from kimi_nb.views.tasks import Task
from kimi_nb.views.text import one_line
from kimi_nb.views.words import count

__all__ = ["Wish", "known"]

SHOWN = 3
"""Changes of one kind that are named; of the others, how many."""
MOST_PARTS = 10_000
"""Into which one sub-agent can be split: each is a task of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The arguments of `what_if`, which says what they mean."""

    workers: int | None
    barriers: bool | None
    faster: Mapping[str, float]
    split: Mapping[str, int]
    sizes: Mapping[str, int]
    assign: Mapping[str, int]
    without: Collection[tuple[str, str]]
    order: Sequence[str]

    def check(self, was: Sequence[Task], needs: Mapping[str, Collection[str]]) -> None:
        """Raises UsageFault for what cannot be done to the tasks `was`.

        `needs` are the dependencies that show only without barriers.
        """
        self._check_kinds()
        by_name = {task.id: task for task in was}
        ends = (name for pair in self.without for name in pair)
        known(by_name, *self.faster, *self.split, *self.sizes, *ends)

        for name, factor in self.faster.items():
            if not isinstance(factor, Real) or not 0 < factor < inf:
                raise UsageFault(
                    f"{name!r} cannot be {factor!r} times as fast; 2.0 halves its time"
                )

        for name, parts in self.split.items():
            if by_name[name].role != "sub-agent":
                subs = _there([task.id for task in was if task.role == "sub-agent"])
                raise UsageFault(f"{name!r} is a step of the main agent and stays one; {subs}")

            _at_least_one(parts, f"{name!r} cannot be split in {parts!r}")

            if parts > MOST_PARTS:
                raise UsageFault(
                    f"{name!r} cannot be split in {parts:,}; give at most {MOST_PARTS:,}"
                )

        for name, steps in self.sizes.items():
            _at_least_one(steps, f"{name!r} cannot take {steps!r} steps")

            if not by_name[name].steps:
                raise UsageFault(f"{name!r} took no step: its time for {steps} is unknown")

        for first, second in self.without:
            before = {*(b.id for b in by_name[second].after), *needs.get(second, ())}

            if first not in before:
                had = ", ".join(map(one_line, sorted(before))) or "nobody"
                raise UsageFault(f"{second!r} did not wait for {first!r}; it waited for {had}")

        self._check_workers()

    def _check_kinds(self) -> None:
        """Raises UsageFault, with how it is typed, for what is of another kind than it should."""
        if not any(self.barriers is known for known in (None, True, False)):
            raise UsageFault(f"barriers={self.barriers!r} says nothing; give True, False or None")

        for name in ("faster", "split", "sizes", "assign"):
            if not isinstance(getattr(self, name), Mapping):
                typed = f"give numbers by task, as {name}={{'a1': 2}}"
                raise UsageFault(f"{name}={getattr(self, name)!r} names no task; {typed}")

        if not _of_texts(self.order):
            typed = "give ids, as order=['a2', 'a1']"
            raise UsageFault(f"order={self.order!r} is no list of tasks; {typed}")

        pairs = cast("object", self.without)
        listed = cast("Iterable[object]", pairs) if isinstance(pairs, Collection) else (pairs,)

        for pair in listed:
            if not _of_texts(pair) or len(cast("Sequence[str]", pair)) != len(("a", "b")):
                typed = "give pairs (a, b) where b is not to wait for a, as without=[('a1', 'a2')]"
                raise UsageFault(f"without={pairs!r} has no pair in {pair!r}; {typed}")

    def _check_workers(self) -> None:
        if self.workers is not None:
            _at_least_one(self.workers, f"{self.workers!r} workers do nothing")

        for name, number in self.assign.items():
            _at_least_one(number, f"there is no worker {number!r} for {name!r}")

            if number > (self.workers or number):
                there = f"there are 1 … {self.workers}"
                raise UsageFault(f"there is no worker {number} for {name!r}; {there}")

    def __str__(self) -> str:
        return "; ".join(self._words()) or "nothing changed"

    def _words(self) -> Iterator[str]:
        if self.workers is not None:
            yield f"{self.workers:,} worker{'' if self.workers == 1 else 's'}"

        if self.barriers is not None:
            yield "stage by stage" if self.barriers else "without barriers"

        kinds = (
            [f"{name} {factor:g}× as fast" for name, factor in self.faster.items()],
            [f"{name} split in {parts}" for name, parts in self.split.items()],
            [f"{name} of {count(steps, 'step')}" for name, steps in self.sizes.items()],
            [f"{name} by worker {number}" for name, number in self.assign.items()],
            [f"{second} not after {first}" for first, second in self.without],
        )

        for said in kinds:
            yield from map(one_line, said[:SHOWN])

            if len(said) > SHOWN:
                yield f"{len(said) - SHOWN:,} more like that"

        if self.order:
            more = ", …" if len(self.order) > SHOWN else ""
            yield one_line(f"first {', '.join(self.order[:SHOWN])}{more}")


def known(names: Collection[str], *asked: str) -> None:
    """Raises UsageFault, with what there is, for the first asked that is not among `names`."""
    for name in asked:
        if name not in names:
            raise UsageFault(f"no task {name!r}; {_there(names)}")


def _there(names: Iterable[str]) -> str:
    """The sub-agents, then the steps of the main agent."""
    subs: list[str] = []
    turns: list[str] = []

    for name in names:
        (turns if "/" in name else subs).append(one_line(name))

    said = [
        group[0] if len(group) == 1 else f"{group[0]} … {group[-1]}"
        for group in (subs, turns)
        if group
    ]
    return f"there are {' and '.join(said)}" if said else "no agent has begun"


def _of_texts(what: object) -> bool:
    if isinstance(what, str) or not isinstance(what, Sequence):
        return False

    return all(isinstance(text, str) for text in cast("Sequence[object]", what))


def _at_least_one(number: float, otherwise: str) -> None:
    if not isinstance(number, Integral) or number < 1:
        raise UsageFault(f"{otherwise}; give a whole number from 1")
