"""The truth of a world: a coast, its lighthouses, and what was true of each and when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "ATTRIBUTES",
    "COLUMNS",
    "FIRST",
    "SECOND",
    "Coast",
    "Fact",
    "Lighthouse",
    "coast",
    "lighthouse",
]

ATTRIBUTES = ("height", "lit", "range", "operator", "visitors")
COLUMNS = ("Lighthouse", "Height (m)", "First lit", "Range (nmi)", "Operator", "Visitors")
"""The first is the key."""

COASTS = ("Varn Coast", "Ostrand Coast", "Hesk Coast", "Mirel Coast", "Tolven Coast", "Anse Coast")
THIS_YEAR = 2024
SMALL = ("Little", "North", "South", "East", "West", "Old", "Inner", "Outer")
FIRST = (
    *("Sorrel", "Heron", "Kittiwake", "Amber", "Granite", "Marram", "Petrel", "Thistle", "Curlew"),
    *("Dunlin", "Fennel", "Gannet", "Hollow", "Iron", "Juniper", "Kelp", "Lantern", "Mallow"),
    *("Narrow", "Osprey", "Plover", "Quartz", "Raven", "Samphire", "Tern", "Umber", "Vetch"),
    *("Whinny", "Yarrow", "Bracken", "Cinder", "Drift", "Eider", "Flint", "Gorse", "Harrow"),
    *("Ivy", "Jackdaw", "Kestrel", "Linnet"),
)
SECOND = ("Point", "Head", "Ness", "Rock", "Spit", "Skerry", "Bay", "Cape", "Island", "Sound")
OPERATORS = (
    "Harbour Trust",
    "Pilots' Guild",
    "Coast Watch",
    "Ministry of Waterways",
    "Heritage Society",
    "Northern Lights Office",
    "Port of Brindle",
    "Sea Rescue League",
    "Fishers' Cooperative",
    "Board of Beacons",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """What is true of a lighthouse from a year on."""

    year: int
    value: int | str


@dataclass(frozen=True, slots=True)
class Lighthouse:
    name: str
    coast: str
    facts: dict[str, tuple[Fact, ...]]
    """By attribute, the oldest first."""

    @property
    def row(self) -> tuple[str, ...]:
        """The cells under `COLUMNS`: the latest of everything."""
        return (self.name, *(str(self.facts[name][-1].value) for name in ATTRIBUTES))


@dataclass(frozen=True, slots=True)
class Coast:
    name: str
    lighthouses: tuple[Lighthouse, ...]
    """Those in service now, in the order of the register."""
    closed: tuple[str, ...]
    """Names that only the old register has."""
    others: tuple[str, ...]
    """The other coasts."""


def coast(items: int, seed: int) -> Coast:
    """The same for the same arguments."""
    draw = random.Random(f"wide coast {items} {seed}")  # noqa: S311 -- a task, not a secret
    name = draw.choice(COASTS)
    plain = [f"{first} {second}" for first in FIRST for second in SECOND]
    draw.shuffle(plain)
    alike = items // 6
    names = plain[: items - alike]
    names += [f"{draw.choice(SMALL)} {plain[n]}" for n in range(alike)]
    closed = plain[items : items + max(2, items // 8)]
    draw.shuffle(names)
    return Coast(
        name=name,
        lighthouses=tuple(lighthouse(f"{each} Light", name, draw) for each in names),
        closed=tuple(f"{each} Light" for each in closed),
        others=tuple(other for other in COASTS if other != name),
    )


def lighthouse(name: str, where: str, draw: random.Random) -> Lighthouse:
    """One with a history of its own."""
    lit = draw.randint(1790, 1931)
    return Lighthouse(
        name,
        where,
        {
            "height": _changing([draw.randint(9, 68) for _ in range(2)], lit + 20, draw),
            "lit": (Fact(lit, lit),),
            "range": _changing([draw.randint(7, 29) for _ in range(2)], 1950, draw),
            "operator": _changing(draw.sample(OPERATORS, draw.randint(2, 3)), 1960, draw),
            "visitors": _counted(draw),
        },
    )


def _changing(
    values: Sequence[int] | Sequence[str], first: int, draw: random.Random
) -> tuple[Fact, ...]:
    years = sorted(draw.sample(range(first, THIS_YEAR), len(values)))
    return tuple(Fact(year, value) for year, value in zip(years, values, strict=True))


def _counted(draw: random.Random) -> tuple[Fact, ...]:
    years = sorted(draw.sample(range(2009, THIS_YEAR), 3))
    return tuple(Fact(year, draw.randint(2_100, 98_000)) for year in years)
