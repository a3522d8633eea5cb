"""A module before its names, its constants and its fault are chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from string import Template as Text
from typing import Any, NamedTuple

__all__ = ["Draw", "Fault", "Template", "faults_of", "intact", "with_fault"]

Draw = Callable[[Random], list[Any]]
"""The arguments of one call."""

_MARK = re.compile(r"⟦(\w+):(.*?)¦(.*?)⟧", re.DOTALL)


class Fault(NamedTuple):
    """One of the faults that a source is marked with."""

    place: int
    """Which mark of the source, from 0."""
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A source in which ⟦kind:right¦wrong⟧ marks each possible fault and $name each choice."""

    names: tuple[str, ...]
    """What the module can be called."""
    source: str
    calls: Mapping[str, Draw]
    """By function: how to draw the arguments of a call."""
    choose: Mapping[str, tuple[str | int | float, ...]] = field(
        default_factory=dict[str, tuple["str | int | float", ...]]
    )
    edges: Mapping[str, tuple[tuple[Any, ...], ...]] = field(
        default_factory=dict[str, tuple[tuple[Any, ...], ...]]
    )
    """By function: calls that are always made."""

    def chosen(self, draw: Random, more: Mapping[str, str]) -> dict[str, str]:
        """One choice for each placeholder; `more` are given from outside."""
        picked = {key: str(draw.choice(values)) for key, values in self.choose.items()}
        return {**picked, **more}

    def filled(self, chosen: Mapping[str, str]) -> str:
        """The source with its choices, still with its marks."""
        return Text(self.source).substitute(chosen).lstrip("\n")


def faults_of(marked: str) -> list[Fault]:
    """All faults that can be put into a source."""
    return [Fault(place, found[1]) for place, found in enumerate(_MARK.finditer(marked))]


def intact(marked: str) -> str:
    """The source without any fault."""
    return with_fault(marked, ())


def with_fault(marked: str, places: tuple[int, ...]) -> str:
    """The source with the faults of these marks."""
    parts: list[str] = []
    end = 0

    for place, found in enumerate(_MARK.finditer(marked)):
        parts += [marked[end : found.start()], found[3 if place in places else 2]]
        end = found.end()

    return "".join([*parts, marked[end:]])
