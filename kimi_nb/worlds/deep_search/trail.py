"""The truth of a world: who owned the compass one after the other, and the stories that mislead."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Owner", "Trail", "names", "posts", "trail", "words"]

FIRST = (
    *("Anna", "Jon", "Mira", "Tobias", "Elsa", "Ruben", "Clara", "Hugo", "Nora", "Silas", "Ida"),
    *("Oskar", "Greta", "Felix", "Wanda", "Matti", "Lena", "Arno", "Vera", "Piet", "Dora", "Emil"),
    *("Frida", "Gustav", "Hedda", "Ivo", "Judith", "Karl", "Lotte", "Magnus", "Olga", "Paul"),
)
LAST = (
    *("Berg", "Vale", "Thorn", "Ash", "Marsh", "Quill", "Rowe", "Stone", "Fenn", "Hale", "Birk"),
    *("Crane", "Dale", "Elm", "Frost", "Gale", "Heath", "Ibsen", "Jarl", "Kell", "Lund", "Moss"),
    *("North", "Oakes", "Pike", "Rook", "Sand", "Tarn", "Ulm", "Voss", "Wren", "York", "Zell"),
    *("Brook", "Cole", "Drake", "Flint", "Grove", "Hurst", "Lark"),
)
TOWNS = (
    *("Brindle", "Hesk", "Varn", "Ostrand", "Mirel", "Tolven", "Anse", "Corby", "Dunmore", "Elver"),
    *("Farrow", "Garth", "Holm", "Ingle", "Kirby", "Lorne", "Marden", "Nessby", "Orby", "Pell"),
    *("Rusk", "Selby", "Thane", "Ulver", "Wick", "Yarm", "Aldby", "Barlow", "Caster", "Denby"),
)
SAINTS = ("St Olave", "St Bride", "St Anne", "St Giles", "St Ninian", "St Oswald", "St Hilda")
INNS = ("the Blue Boar", "the Red Lion", "the Golden Hind", "the Old Anchor", "the Black Swan")
WORKS = (
    "the Upper Mill",
    "the Long Bridge",
    "the Salt House",
    "the Corn Exchange",
    "the Toll Gate",
)
WORD = ("QUI", "MAR", "SOL", "VEN", "TOR", "LUM", "NOX", "FER", "AUR", "CAL", "DEL", "PAX", "RHO")
FIRST_YEAR, YEARS = 1501, 380
FORK = 3
"""About one owner in so many has papers with two stories."""
DECOYS = 4
"""Other compasses, with trails of their own."""


@dataclass(slots=True, eq=False)
class Owner:
    """Somebody who had a compass, or is said to."""

    name: str
    post: str
    """As "organist of St Olave in Brindle"."""
    year: int
    """When it came to this one."""
    heirs: list[Owner] = field(default_factory=list["Owner"])
    """Who is said to have had it next, in the order of the telling; [] where the trail ends."""
    word: str = ""
    """What is engraved, where the papers say so."""
    copy: bool = False
    """The trail ends here because it was a copy, or never was here."""


@dataclass(frozen=True, slots=True)
class Trail:
    owners: tuple[Owner, ...]
    """The true ones, from the first."""
    decoys: tuple[Owner, ...]
    """The first owners of other compasses."""

    @property
    def word(self) -> str:
        return self.owners[-1].word

    def everybody(self) -> Iterator[Owner]:
        """All owners and supposed owners of all compasses."""
        waiting = [self.owners[0], *self.decoys]

        while waiting:
            owner = waiting.pop()
            yield owner
            waiting += owner.heirs


def posts() -> Iterator[str]:
    """All posts that there are."""
    for town in TOWNS:
        for saint in SAINTS:
            for job in ("organist", "verger", "sexton", "bell ringer"):
                yield f"{job} of {saint} in {town}"

        yield from (f"innkeeper of {inn} in {town}" for inn in INNS)
        yield from (f"{job} of {work} in {town}" for work in WORKS for job in ("keeper", "clerk"))


def names() -> Iterator[str]:
    """All names that there are."""
    return (f"{first} {last}" for first in FIRST for last in LAST)


def words(draw: random.Random) -> str:
    """An engraved word."""
    return "".join(draw.sample(WORD, 3))


def trail(items: int, seed: int) -> Trail:
    """The same for the same arguments; `items` hand-overs, so one owner more."""
    draw = random.Random(f"deep trail {items} {seed}")  # noqa: S311 -- a task, not a secret
    makers = _Makers(draw)
    owners = makers.chain(items)
    owners[-1].word = words(draw)
    forks = [n for n in range(items) if draw.random() < 1 / FORK] or [items // 2]

    for place in forks:
        makers.mislead(owners[place], draw.randint(1, 3))

    decoys = [makers.chain(max(3, min(items, 12))) for _ in range(DECOYS)]

    for decoy in decoys:
        decoy[-1].word = words(draw)
        makers.mislead(decoy[1], draw.randint(1, 2))

    return Trail(tuple(owners), tuple(decoy[0] for decoy in decoys))


class _Makers:
    """Makes owners, no two of whom have the same name or post."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._posts = list(posts())
        self._names = list(names())
        draw.shuffle(self._posts)
        draw.shuffle(self._names)

    def chain(self, links: int, since: int = FIRST_YEAR, until: int = 0) -> list[Owner]:
        """Owners one after the other."""
        until = until or since + YEARS - 20
        years = [since + (until - since) * n // links for n in range(links + 1)]
        owners = [Owner(self._names.pop(), self._posts.pop(), year) for year in years]

        for owner, heir in pairwise(owners):
            owner.heirs.append(heir)

        return owners

    def mislead(self, owner: Owner, length: int) -> None:
        """Add a story that ends after so many owners, before or after the true one."""
        year = owner.heirs[0].year
        wrong = self.chain(length, year, year + 12)[1:] if length > 1 else []
        first = wrong[0] if wrong else Owner(self._names.pop(), self._posts.pop(), year)
        first.year = year
        last = wrong[-1] if wrong else first
        last.copy = True
        last.word = words(self._draw) if self._draw.random() < 0.6 else ""
        owner.heirs.insert(self._draw.randint(0, 1), first)
