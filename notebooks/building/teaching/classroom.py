"""What a notebook takes in class, and courses whose sums follow from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from building.frame import Spent, spent
from building.source import FOLDER, Source, read, sources
from kimi_nb.teach.text import Language, Text

__all__ = [
    "COURSES",
    "DISCUSSION",
    "PREDICTION",
    "SLIDE",
    "Course",
    "Hours",
    "Part",
    "hours",
    "notebooks",
    "taken",
    "total",
]

PREDICTION = 2
"""Minutes for each: to think, to lock, to raise hands."""
DISCUSSION = 5
"""Minutes for each notebook's question."""
SLIDE = 2
"""Minutes for each slide."""
CARDS, GRAHAM = 24, 6
"""Minutes of the game without its last round, and of that."""
ASKED = re.compile(r"\bkn\.predict\(")
Kind = Literal["notebook", "slides", "cards", "graham", "talk", "break"]


class Hours(NamedTuple):
    """Minutes of a notebook in class."""

    spent: Spent
    predictions: int
    """How many; each takes PREDICTION."""

    @property
    def total(self) -> int:
        return self.spent.total + PREDICTION * self.predictions + DISCUSSION


class Part(NamedTuple):
    """Something that is done in a lesson."""

    kind: Kind
    what: str = ""
    """The notebook's number, the deck's name."""
    minutes: int = 0
    """Of a talk or a break; of all else they are worked out."""
    about: Text = Text("", "")
    """Of a talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Lessons, each of which has to fit."""

    name: Text
    most: int
    """Minutes of a lesson."""
    lessons: tuple[tuple[Part, ...], ...]


def notebooks() -> dict[str, Source]:
    """By number."""
    return {path.name[:2]: _read(path, path.stat().st_mtime_ns) for path in sources(FOLDER)}


@cache
def _read(path: Path, changed: int) -> Source:
    del changed  # another time, another text
    return read(path)


def hours(source: Source, language: Language) -> Hours:
    """Of one notebook."""
    code = (piece.text for piece in source.pieces if piece.kind == "code")
    return Hours(spent(source, language), sum(len(ASKED.findall(text)) for text in code))


def taken(part: Part, language: Language, slides: dict[str, int]) -> int:
    """Minutes; 0 for a notebook that is not there yet. `slides`: how many each deck has."""
    if part.kind == "notebook":
        found = notebooks().get(part.what)
        return hours(found, language).total if found else 0

    if part.kind == "slides":
        return SLIDE * slides[part.what]

    return {"cards": CARDS, "graham": GRAHAM}.get(part.kind, part.minutes)


def total(lesson: tuple[Part, ...], language: Language, slides: dict[str, int]) -> int:
    """Minutes of a lesson."""
    return sum(taken(part, language, slides) for part in lesson)


def _notebooks(*numbers: str) -> Iterator[Part]:
    return (Part("notebook", number) for number in numbers)


WELCOME = Part(
    "talk", minutes=10, about=Text("Welcome, accounts, first cell", "开场、账号、第一个单元格")
)
HELLO = WELCOME._replace(minutes=5)
CLOSE = Part(
    "talk",
    minutes=10,
    about=Text("One sentence each: what surprised me", "每人一句：什么最让我意外"),
)
PAUSE = Part("break", minutes=15)
LUNCH = Part("break", minutes=60)
WORK = Part("talk", minutes=20, about=Text("Start on the capstone's task", "开始做结课项目"))
SHOW = Part(
    "talk",
    minutes=40,
    about=Text(
        "Capstones: 5 minutes each group, by the rubric", "展示结课项目：每组 5 分钟，按评分标准"
    ),
)
GAME = Part("cards")

COURSES = {
    "90": Course(
        name=Text("90 minutes", "90 分钟"),
        most=90,
        lessons=((HELLO, GAME, *_notebooks("00", "03")),),
    ),
    "day": Course(
        name=Text("One day", "一天"),
        most=450,
        lessons=(
            (
                WELCOME,
                *_notebooks("00"),
                GAME,
                *_notebooks("02"),
                PAUSE,
                *_notebooks("03", "04"),
                LUNCH,
                *_notebooks("05", "07"),
                PAUSE,
                *_notebooks("08"),
                CLOSE,
            ),
        ),
    ),
    "semester": Course(
        name=Text("A semester: 14 weeks of 90 minutes", "一学期：14 周，每周 90 分钟"),
        most=90,
        lessons=(
            (WELCOME, GAME, *_notebooks("00")),
            (Part("slides", "orchestration"), *_notebooks("01")),
            tuple(_notebooks("02")),
            (Part("slides", "measuring"), *_notebooks("03")),
            (Part("graham"), *_notebooks("04")),
            tuple(_notebooks("05")),
            tuple(_notebooks("06")),
            (Part("slides", "parl"), *_notebooks("07")),
            tuple(_notebooks("08")),
            tuple(_notebooks("09")),
            tuple(_notebooks("10")),
            tuple(_notebooks("11", "12")),
            (*_notebooks("13"), WORK),
            (*_notebooks("14"), SHOW),
        ),
    ),
}
"""By the name that a slot has."""
