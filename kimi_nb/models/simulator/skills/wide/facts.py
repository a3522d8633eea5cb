"""What a document says of a lighthouse: sentence by sentence, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from kimi_nb.models.simulator.skills.archive import Page

__all__ = ["KINDS", "Fact", "Kind", "about", "facts_in", "kind_of", "names_it"]

_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_CLAUSE = re.compile(r"[;；，]|,(?=\s)")
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d|,\d)")
_COAST = re.compile(r"\b[A-Z]\w+ Coast\b")
_LIGHT = re.compile(r"(?:\b[A-Z]\w+ )+Light\b")
_QUALIFIERS = (
    *("North", "South", "East", "West", "Old", "New", "Inner", "Outer"),
    *("Upper", "Lower", "Little", "Great"),
)
_QUALIFIED = "".join(f"(?<!{word} )" for word in _QUALIFIERS)
_BODY = r"((?:[A-Z][\w'’]*)(?: (?:of |and |the )*[A-Z][\w'’]*)*)"
_MONTH = r"(?:(?:\d{1,2} )?[A-Z][a-z]+ )?"


class Kind(NamedTuple):
    """One kind of fact: how it is searched for, and how it is told."""

    words: str
    """What a query adds to the name."""
    cue: re.Pattern[str]
    """In a title or snippet: the document may tell it."""
    changes: bool
    """The latest counts; otherwise one source is enough."""


class Fact(NamedTuple):
    kind: str
    year: int
    """Since when it holds; 0 if nothing says so."""
    value: str


KINDS = {
    "height": Kind(
        "tower height tall measured survey 塔高",
        re.compile(r"(?i)\btowers?\b(?! used)|\bheights?\b|\btall\b|measure|塔高|测量"),
        changes=True,
    ),
    "lit": Kind(
        "history first lit entered service 首次点灯",
        re.compile(
            r"(?i)history|chronicle|came to be|first lit|lit for|entered service|点灯|简史|由来"
        ),
        changes=False,
    ),
    "range": Kind(
        "notice lamp range nautical miles 射程",
        re.compile(r"(?i)\bnotice|light list|\blamp|\blens\b|\brange\b|nautical|射程|航海|航标"),
        changes=True,
    ),
    "operator": Kind(
        "who keeps operator run hand-over 管理 移交",
        re.compile(
            r"(?i)\bkeeps\b|keepers and|operator|hand-over|\bhanded|has run|took over|管理|移交"
        ),
        changes=True,
    ),
    "visitors": Kind(
        "visitors people climbed season report 参观人数",
        re.compile(r"(?i)visitors|climbed|annual report|day out|numbers|参观"),
        changes=True,
    ),
}
_HEADS = {
    "height": "height",
    "first lit": "lit",
    "range": "range",
    "operator": "operator",
    "visitors": "visitors",
}
_LENGTH = re.compile(r"(\d+)\s*(m|met(?:re|er)s?|ft|feet|foot|米|英尺)(?![A-Za-z])")
_TOWER = re.compile(r"(?i)\btower\b|\btall\b|\bhigh\b|塔高")
_SEA = re.compile(r"(?i)\babove\b|海面|海拔")
_DISTANCE = re.compile(r"(\d+)\s*(nmi|nautical miles?|海里|km|kilomet(?:re|er)s?|公里)(?![A-Za-z])")
_REACH = re.compile(r"(?i)\brange\b|\bseen\b|\bcarries\b|射程")
_LIT = re.compile(
    rf"(?i:first lit)(?: on| in|:)? {_MONTH}(\d{{4}})|entered service in {_MONTH}(\d{{4}})|"
    r"[Ii]n (\d{4}) (?:that )?its lamp was lit for the first time|(\d{4})年首次点灯"
)
_OPERATOR = re.compile(
    rf"(?:passed|handed over) to (?:the )?{_BODY}|[Tt]he {_BODY} has run|"
    rf"[Oo]perator since \d{{4}}: (?:the )?{_BODY}|the {_BODY} took over|"
    rf"由 {_BODY} 管理|移交给 {_BODY} 管理"
)
_VISITORS = re.compile(
    r"(\d[\d,]*) (?:people|visitors)|[Vv]isitors in \d{4}: (\d[\d,]*)|参观人数(?:为|共计)(\d[\d,]*)"
)


def kind_of(column: str) -> str:
    """The kind of fact that a column wants; "" for one that these rules do not know."""
    return _HEADS.get(column.partition("(")[0].strip().lower(), "")


def names_it(text: str, name: str) -> bool:
    """Whether the name stands there, and not as a part of a longer one."""
    return name in text and re.search(_QUALIFIED + re.escape(name), text) is not None


def about(text: str, name: str, place: str) -> bool:
    """Whether a text is about this one: it is named, and the first coast named is its own."""
    coast = _COAST.search(text)
    return (coast is None or coast[0] == place) and names_it(text, name)


@lru_cache(maxsize=8192)
def facts_in(page: Page, name: str, place: str) -> tuple[Fact, ...]:
    """All that a document says of this lighthouse; () if it is about another."""
    if not about(f"{page.title}\n{page.text}", name, place):
        return ()

    title = max(map(int, _YEAR.findall(page.title)), default=0)
    found: list[Fact] = []

    for sentence in _SENTENCE.split(page.text):
        others = [other for other in _LIGHT.findall(sentence) if name not in other]

        if not others:
            year = max(map(int, _YEAR.findall(sentence)), default=title)
            found += [Fact(kind, year, value) for kind, value in _told(sentence)]

    return tuple(found)


def _told(sentence: str) -> Iterator[tuple[str, str]]:
    for clause in _CLAUSE.split(sentence):
        if _TOWER.search(clause) and not _SEA.search(clause):
            yield from (("height", _metres(*each)) for each in _LENGTH.findall(clause))

    if _REACH.search(sentence):
        yield from (("range", _miles(*each)) for each in _DISTANCE.findall(sentence))

    for kind, pattern in (("lit", _LIT), ("operator", _OPERATOR), ("visitors", _VISITORS)):
        for groups in pattern.findall(sentence):
            yield kind, max(groups, key=len).replace(",", "")


def _metres(number: str, unit: str) -> str:
    return number if unit.startswith(("m", "米")) else str(round(int(number) * 0.3048))


def _miles(number: str, unit: str) -> str:
    return number if unit.startswith(("n", "海")) else str(round(int(number) / 1.852))
