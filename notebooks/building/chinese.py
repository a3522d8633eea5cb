"""How Chinese is written here: one word for each term, its own punctuation, spaces beside Latin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from building.markup import passages
from building.source import FOLDER

__all__ = ["Term", "faults", "glossary"]

GLOSSARY = FOLDER / "glossary.yml"
HAN = "\u3400-\u4dbf\u4e00-\u9fff"
AROUND = 6
"""Characters on each side of a fault that are shown."""
RULES = (
    (rf"[{HAN}][,;:!?]\s*[{HAN}]", "half-width punctuation between Chinese: use ，；：！？"),
    (rf"[{HAN}]\.(?:\s*[{HAN}]|\s*$)", "a Chinese sentence ends with 。"),
    (
        rf"[{HAN}]\(|\)[{HAN}]|\([^()\n]*[{HAN}][^()\n]*\)",
        "half-width brackets beside or around Chinese: use （ and ）",
    ),
    (rf"[{HAN}][\"']|[\"'][{HAN}]", "straight quotation marks beside Chinese: use “ and ”"),
    (rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]", "a space belongs between Chinese and Latin"),
    (rf"[{HAN}]\n[{HAN}]", "a line break within Chinese shows as a space: join the lines"),
    (rf"[{HAN}] [{HAN}]", "a space within Chinese"),
    (
        rf"[{HAN}，。；：？、”）]\*|\*[{HAN}“（]",
        "a * that makes nothing bold: between punctuation and Chinese; put the punctuation outside",
    ),
    (r"！", "no exclamation marks"),
)


class Term(NamedTuple):
    """A word of the glossary."""

    english: str
    zh: str
    """The one Chinese word for it."""
    never: tuple[str, ...]
    """Other words for it, which are not used."""
    but: tuple[str, ...]
    """Longer words that hold one of those and mean something else."""


@cache
def glossary(path: Path = GLOSSARY) -> tuple[Term, ...]:
    """All terms. Raises ValueError for a row that is none."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    terms: list[Term] = []

    for english, row in rows.items():
        if not isinstance(row, dict) or not row.keys() <= {"zh", "never", "but"} or "zh" not in row:
            raise ValueError(f"{path}: {english}: write it {{zh: …, never: […], but: […]}}")

        never, but = tuple(row.get("never", ())), tuple(row.get("but", ()))
        terms.append(Term(str(english), str(row["zh"]), never, but))

    return tuple(terms)


def faults(text: str) -> Iterator[tuple[int, str]]:
    """What is wrong in a Chinese text in Markdown: the row, from 0, and what to do."""
    for row, words in passages(text):
        for pattern, says in RULES:
            for found in re.finditer(pattern, words):
                yield row, f"{says}: “{_near(words, found.start(), found.end())}”"

        for term, word, at in _forbidden(words):
            near = _near(words, at, at + len(word))
            yield row, f"{word} for {term.english}: here it is {term.zh}: “{near}”"


def _forbidden(words: str) -> Iterator[tuple[Term, str, int]]:
    for term in glossary():
        bare = words

        for other in (*term.but, term.zh):
            bare = bare.replace(other, "\ufffc" * len(other))

        for word in term.never:
            for found in re.finditer(re.escape(word), bare):
                yield term, word, found.start()


def _near(words: str, start: int, end: int) -> str:
    return words[max(0, start - AROUND) : end + AROUND].replace("\n", "⏎")
