"""How documents put a fact: many wordings, two languages, more than one unit."""

from __future__ import annotations

import random
from typing import NamedTuple

from kimi_nb.worlds.wide_search.coast import Fact

__all__ = ["CHINESE", "ENGLISH", "FILLER", "Wording", "said"]

MONTHS = ("January", "March", "April", "May", "June", "August", "September", "October")


class Wording(NamedTuple):
    """One language's ways to say it; each sentence names the year unless the title does."""

    titles: tuple[str, ...]
    dated: tuple[str, ...]
    """Titles with the year."""
    sentences: tuple[str, ...]
    undated: tuple[str, ...]
    """Sentences for a document whose title has the year."""


ENGLISH: dict[str, Wording] = {
    "height": Wording(
        ("{name}: measurements", "Survey of towers: {name}", "The tower of {name}"),
        ("Tower survey {year}: {name}", "{name}: heights, edition of {year}"),
        (
            "The survey of {year} gives the tower a height of {m} m.",
            "Measured in {year}, the tower stood {ft} feet tall. It burns {focal} m above the sea.",
            "Tower height: {m} metres (as of {year}).",
            "Since the works of {year} the tower has been {ft} ft high.",
            "In {year} the tower was found to be {m} metres tall.",
        ),
        (
            "Height of the tower: {m} m. Height of the light above the sea: {focal} m.",
            "The tower is {ft} feet high.",
        ),
    ),
    "lit": Wording(
        ("{name}: a short history", "Chronicle of {name}", "How {name} came to be"),
        (),
        (
            "Its first stone was laid in {before}; the lamp was first lit on {day} {month} {lit}.",
            "Begun in {before}, the light entered service in {month} {lit}; it burned in {after}.",
            "In {lit} its lamp was lit for the first time. A fire in {after} did little harm.",
            "First lit: {lit}. Electrified: {after}.",
        ),
        (),
    ),
    "range": Wording(
        ("Notice to mariners: {name}", "{name}: lamp and lens", "Light list entry: {name}"),
        ("Notice to mariners {year}: {name}", "Light list {year}: {name}"),
        (
            "From {year} on the light can be seen {nmi} nautical miles away.",
            "Nominal range since {year}: {nmi} nmi.",
            "The lamp fitted in {year} carries {km} km out to sea.",
            "A new lens in {year} brought a range of {nmi} nautical miles.",
        ),
        ("Nominal range {nmi} nmi.", "The light has a range of {km} kilometres."),
    ),
    "operator": Wording(
        ("Who keeps {name}?", "{name}: keepers and owners", "Minutes: the hand-over of {name}"),
        ("{name}: hand-over of {year}",),
        (
            "In {year} it passed to the {op}.",
            "The {op} has run it since {year}.",
            "Operator since {year}: {op}.",
            "It was in {year} that the {op} took over the station.",
        ),
        ("The station was handed over to the {op}.",),
    ),
    "visitors": Wording(
        ("{name}: visitors", "A day out at {name}", "{name} in numbers"),
        ("Visitors {year}: {name}", "Annual report {year}: {name}"),
        (
            "In {year}, {n:,} people climbed the tower.",
            "Visitors in {year}: {n}.",
            "The season of {year} brought {n:,} visitors.",
        ),
        ("{n:,} visitors came in all.", "The doorkeeper counted {n} visitors."),
    ),
}
CHINESE: dict[str, Wording] = {
    "height": Wording(
        ("{name}：测量记录", "{name} 的塔高"),
        ("{year}年灯塔测量：{name}",),
        (
            "{year}年测量，塔高{m}米，灯火距海面{focal}米。",
            "截至{year}年，塔高为{ft}英尺。",
        ),
        ("塔高{m}米。",),
    ),
    "lit": Wording(
        ("{name} 简史", "{name} 的由来"),
        (),
        ("{before}年奠基，{lit}年首次点灯。", "该灯塔于{lit}年首次点灯，{after}年改用电灯。"),
        (),
    ),
    "range": Wording(
        ("航海通告：{name}",),
        ("{year}年航标表：{name}",),
        ("{year}年起射程为{nmi}海里。", "自{year}年更换灯具以来，射程达{km}公里。"),
        ("射程{nmi}海里。",),
    ),
    "operator": Wording(
        ("{name} 由谁管理",),
        ("{year}年移交记录：{name}",),
        ("自{year}年起由 {op} 管理。", "{year}年，该灯塔移交给 {op} 管理。"),
        ("现由 {op} 管理。",),
    ),
    "visitors": Wording(
        ("{name} 参观人数",),
        ("{year}年参观统计：{name}",),
        ("{year}年参观人数为{n}人次。",),
        ("参观人数共计{n}人次。",),
    ),
}
FILLER = (
    "The road ends at a gate, and the last stretch is on foot.",
    "Seals rest on the ledges below when the tide is out.",
    "Supplies used to come by boat twice a month.",
    "The walls were painted again after the winter.",
    "The logbooks of the keepers lie in the county archive.",
    "Fog is more common here than anywhere else on this shore.",
    "The fog horn fell silent long ago, to the relief of the neighbours.",
    "A stone jetty, half washed away, can still be made out.",
    "The garden wall was built of ballast from passing ships.",
    "Of the two dwellings one is empty and the other let in summer.",
)


def said(
    attribute: str, fact: Fact, wordings: dict[str, Wording], draw: random.Random
) -> tuple[str, str]:
    """A title, with {name} still open, and a sentence that states the fact."""
    wording = wordings[attribute]
    words = _words(attribute, fact, draw)
    dated = bool(wording.dated) and draw.random() < 0.5
    title = draw.choice(wording.dated if dated else wording.titles)
    sentences = wording.undated if dated and draw.random() < 0.4 else wording.sentences
    return title.replace("{year}", str(fact.year)), draw.choice(sentences).format(**words)


def _words(attribute: str, fact: Fact, draw: random.Random) -> dict[str, int | str]:
    words: dict[str, int | str] = {"year": fact.year}
    value = fact.value

    if isinstance(value, str):
        return words | {"op": value}

    match attribute:
        case "height":
            more = {"m": value, "ft": round(value / 0.3048), "focal": value + draw.randint(4, 60)}
        case "range":
            more = {"nmi": value, "km": round(value * 1.852)}
        case "lit":
            more = {
                "lit": value,
                "before": value - draw.randint(1, 4),
                "after": value + draw.randint(9, 60),
                "day": draw.randint(1, 28),
            }
            words["month"] = draw.choice(MONTHS)
        case _:
            more = {"n": value}

    return words | more
