"""The documents of a world: what an archive of several coasts would hold."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from kimi_nb.tools.corpus import Document
from kimi_nb.worlds.wide_search.coast import (
    ATTRIBUTES,
    FIRST,
    SECOND,
    Coast,
    Lighthouse,
    lighthouse,
)
from kimi_nb.worlds.wide_search.wording import CHINESE, ENGLISH, FILLER, said

__all__ = ["LEAST", "documents"]

LEAST = 2_000
"""Documents of the smallest world."""
NAMESAKE = 5
"""Documents about a lighthouse of the same name on another coast."""
IN_CHINESE = 0.2
WITH_NEIGHBOUR = 0.15
PART = 60
"""Names in one part of the register."""
CURRENT, OUTDATED = 2023, 1998
TALES = (
    ("A storm at {name}", "The storm of {year} broke {n} panes and drowned {few} sheep."),
    ("Birds of {name}", "In {year} the ringers counted {n} terns within {few} days."),
    ("A diary kept at {name}", "{n} loaves, {few} barrels of oil, and no mail since {year}."),
    ("{name} on a stamp", "The stamp of {year} costs {few} cents; {n} sheets were printed."),
    ("Weddings at {name}", "Since {year}, {few} couples a month have been wed in the old store."),
)


def documents(coast: Coast, seed: int) -> Iterator[Document]:
    """At least `LEAST`, and about 20 for each lighthouse, in an order that tells nothing."""
    draw = random.Random(f"wide documents {seed}")  # noqa: S311 -- a task, not a secret
    found = [*_registers(coast, draw)]

    for each in coast.lighthouses:
        found += _about(each, coast, draw)
        namesake = lighthouse(each.name, draw.choice(coast.others), draw)
        found += draw.sample(_facts(namesake, coast, draw), NAMESAKE)

    for name in coast.closed:
        found += _about(lighthouse(name, coast.name, draw), coast, draw)

    while len(found) < LEAST:
        name = f"{draw.choice(FIRST)} {draw.choice(SECOND)} Light"
        found += _about(lighthouse(name, draw.choice(coast.others), draw), coast, draw)

    draw.shuffle(found)
    return iter(found)


def _renamed(name: str, draw: random.Random) -> str:
    return f"{draw.choice(('Upper', 'Lower', 'Great'))} {name}"


def _about(light: Lighthouse, coast: Coast, draw: random.Random) -> list[Document]:
    return [*_facts(light, coast, draw), *_tales(light, draw)]


def _facts(light: Lighthouse, coast: Coast, draw: random.Random) -> list[Document]:
    """A document for each fact, the outdated ones too."""
    return [
        _document(light, *said(attribute, fact, wordings, draw), coast, draw)
        for attribute in ATTRIBUTES
        for fact in light.facts[attribute]
        for wordings in [CHINESE if draw.random() < IN_CHINESE else ENGLISH]
    ]


def _document(
    light: Lighthouse, title: str, sentence: str, coast: Coast, draw: random.Random
) -> Document:
    if not sentence.isascii():
        text = f"{light.name} 位于 {light.coast}。沿岸常有浓雾。{sentence}登塔须步行。"
        return Document(title.format(name=light.name), text)

    one, two, *rest = draw.sample(FILLER, 4)
    parts = [_subject(light, coast, draw), one, two, sentence, *rest]

    if draw.random() < WITH_NEIGHBOUR:
        parts.insert(2, _neighbour(coast, light, draw))

    return Document(title.format(name=light.name), " ".join(parts))


def _subject(light: Lighthouse, coast: Coast, draw: random.Random) -> str:
    """The sentence that says which one it is; two coasts may have one of that name."""
    if light.coast != coast.name and draw.random() < 0.3:
        return (
            f"{light.name} stands on the {light.coast}, and is not to be confused with the "
            f"one on the {coast.name}."
        )

    return draw.choice(
        (
            f"{light.name} is a lighthouse on the {light.coast}.",
            f"This is about {light.name}, {light.coast}.",
            f"On the {light.coast} stands {light.name}.",
        )
    )


def _neighbour(coast: Coast, light: Lighthouse, draw: random.Random) -> str:
    others: Sequence[Lighthouse] = coast.lighthouses
    other = draw.choice(others)
    far = draw.randint(4, 40)

    if other.name == light.name:
        return f"The next light is {far} km away."

    return f"{other.name}, {far} km away, has a tower of {draw.randint(9, 68)} m."


def _tales(light: Lighthouse, draw: random.Random) -> list[Document]:
    return [
        Document(
            title.format(name=light.name),
            f"{light.name} is a lighthouse on the {light.coast}. {draw.choice(FILLER)} "
            + tale.format(
                year=draw.randint(1950, 2022), n=draw.randint(20, 900), few=draw.randint(2, 19)
            ),
        )
        for title, tale in draw.sample(TALES, 4)
    ]


def _registers(coast: Coast, draw: random.Random) -> Iterator[Document]:
    names = [each.name for each in coast.lighthouses]
    yield from _register(coast.name, CURRENT, names)
    kept = [name for name in names if draw.random() < 0.8]
    yield from _register(coast.name, OUTDATED, sorted([*kept, *coast.closed]))

    for other in coast.others:
        some = draw.sample(names, min(len(names), 12))
        yield from _register(other, CURRENT, [_renamed(name, draw) for name in some])


def _register(where: str, year: int, names: Sequence[str]) -> Iterator[Document]:
    parts = [names[start : start + PART] for start in range(0, len(names), PART)]

    for number, part in enumerate(parts, start=1):
        listed = "\n".join(f"- {name}" for name in part)
        yield Document(
            f"Register of lighthouses of the {where}, {year}, part {number} of {len(parts)}",
            f"Lighthouses in service on the {where} at the end of {year}, {len(names)} in all. "
            f"Part {number} of {len(parts)}:\n{listed}\n",
        )
