"""Markdown as a reader sees it: its plain words, its links, its pictures, its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["OPEN", "Link", "Passage", "headings", "links", "passages"]

LATIN = "x"
"""Stands for code and formulas: a word that is no Chinese."""
OPEN = "\ufffc"
"""Stands for what is filled in later, and may be of either kind."""
FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$A-Za-z0-9])\$(?! )[^$\n]+?(?<! )\$(?!\d)", re.DOTALL)
SLOT = re.compile(r"(?<!`)\{[a-z_]*\}")
TAG = re.compile(r"<(?P<name>a|img)\b(?P<rest>[^>]*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"(?P<name>href|src|alt)\s*=\s*[\"'](?P<value>[^\"']*)[\"']", re.IGNORECASE)
PARSER = MarkdownIt("commonmark").enable("table")


class Passage(NamedTuple):
    """A paragraph, heading, or cell of a table, as plain words."""

    row: int
    """Its first row in the text, from 0."""
    words: str


class Link(NamedTuple):
    """Where a text points, or which picture it shows."""

    row: int
    target: str
    picture: bool
    alt: str
    """Of a picture: what is read out instead."""


def passages(text: str) -> Iterator[Passage]:
    """Every passage; formulas and code are one Latin letter, fenced code is left out."""
    rows = FORMULA.sub(lambda found: LATIN + "\n" * found[0].count("\n"), text)

    for token in PARSER.parse(rows):
        if token.type == "inline":
            words = "".join(_words(child) for child in token.children or [])
            yield Passage((token.map or [0])[0], SLOT.sub(OPEN, words))


def links(text: str) -> Iterator[Link]:
    """Every link and picture, of Markdown and of HTML in it."""
    for token in PARSER.parse(text):
        row = (token.map or [0])[0]

        if token.type == "html_block":
            yield from _html(token.content, row)

        for child in token.children or []:
            if child.type == "link_open":
                yield Link(row, str(child.attrs["href"]), picture=False, alt="")
            elif child.type == "image":
                yield Link(row, str(child.attrs["src"]), picture=True, alt=child.content)
            elif child.type == "html_inline":
                yield from _html(child.content, row)


def headings(text: str) -> Iterator[str]:
    """The words of every heading."""
    tokens = PARSER.parse(text)

    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            yield "".join(child.content for child in token.children or [])


def _words(token: Token) -> str:
    if token.type == "code_inline":
        return LATIN

    if token.type in {"softbreak", "hardbreak"}:
        return "\n"

    return token.content if token.type in {"text", "image", "text_special"} else ""


def _html(html: str, row: int) -> Iterator[Link]:
    for tag in TAG.finditer(html):
        found = {each["name"].lower(): each["value"] for each in ATTRIBUTE.finditer(tag["rest"])}
        picture = tag["name"].lower() == "img"
        target = found.get("src" if picture else "href", "")
        yield Link(row, target, picture=picture, alt=found.get("alt", ""))
