"""The first and the last cell, and how long a notebook takes."""

from __future__ import annotations

import re
from math import ceil
from typing import Any, NamedTuple

from building import words
from building.cells import Cell, prose
from building.source import Pair, Source
from kimi_nb.teach import curriculum
from kimi_nb.teach.text import Language

__all__ = ["REPOSITORY", "TAG", "TITLE", "Spent", "last", "minutes", "spent", "title"]

REPOSITORY = "ORG/kimi-nb"
"""On GitHub: where the badge goes. Set it when the repository is public."""
TAG = "main"
"""Branch or tag that the badge opens."""
TITLE = "title"
NEXT = "next"
BINDER = "https://mybinder.org/v2/gh/{repository}/{tag}?urlpath=lab/tree/{path}"
BINDER_BADGE = "https://mybinder.org/badge_logo.svg"
WORDS = 200
"""That one reads in a minute."""
CHARACTERS = 400
"""Chinese ones that one reads in a minute."""


def title(source: Source, language: Language) -> Cell:
    """What the notebook is about, how long it takes, and the ways to open it."""
    front = source.front
    about = words.ABOUT.said(language).format(minutes=minutes(source, language))
    goals = [f"{n}. {_said(goal, language)}" for n, goal in enumerate(front["objectives"], 1)]
    rows = [
        f"# {source.number} · {_said(front['title'], language)}",
        f"{_badge(source, language)} {_also(source, language)}",
        f"{_said(front['claim'], language)}",
        f"{words.OBJECTIVES.said(language)}\n\n" + "\n".join(goals),
        about,
    ]
    return prose(TITLE, "\n\n".join(rows))


def last(following: Source | None, first: str, language: Language) -> Cell:
    """The way on; from the last notebook back to the first one."""
    if following is None:
        return prose(NEXT, words.END.said(language).format(file=f"{first}.ipynb"))

    named = f"{following.number} · {_said(following.front['title'], language)}"
    return prose(NEXT, words.NEXT.said(language).format(title=named, file=_file(following)))


class Spent(NamedTuple):
    """Minutes of a notebook."""

    reading: float
    exercises: float
    """With reading their tasks."""
    quiz: int
    """One for each question."""

    @property
    def total(self) -> int:
        """As its title says."""
        return ceil(sum(self))


def spent(source: Source, language: Language) -> Spent:
    """To read it, to do its exercises, to answer its quiz."""
    pairs = list(source.pairs())
    read = sum(_reading(pair, language) for pair in pairs)
    exercises = (curriculum.exercise(p.piece.text) for p in pairs if p.piece.kind == "exercise")
    done = sum(each.minutes + _length(each.task.said(language)) for each in exercises)
    asked = sum(_items(pair.piece.text) for pair in pairs if pair.piece.kind == "quiz")
    return Spent(read, done, asked)


def minutes(source: Source, language: Language) -> int:
    """Of all of it."""
    return spent(source, language).total


def _reading(pair: Pair, language: Language) -> float:
    if pair.piece.kind != "en":
        return 0.0

    said = pair.zh if language == "zh" and pair.zh is not None else pair.piece
    return _length(said.text)


def _length(text: str) -> float:
    """Minutes to read it."""
    chinese = re.findall(r"[\u4e00-\u9fff]", text)
    latin = re.findall(r"[A-Za-z0-9][\w'’.-]*", re.sub(r"[\u4e00-\u9fff]", " ", text))
    return len(chinese) / CHARACTERS + len(latin) / WORDS


def _items(identity: str) -> int:
    return len(curriculum.quiz(identity).items)


def _badge(source: Source, language: Language) -> str:
    """Of Binder. Nobody has seen the notebooks work in Colab, which has older packages."""
    path = f"notebooks/{language}/{_file(source)}"
    link = BINDER.format(repository=REPOSITORY, tag=TAG, path=path)
    opening = words.OPEN.said(language).format(place="Binder")
    return f"[![{opening}]({BINDER_BADGE})]({link})"


def _also(source: Source, language: Language) -> str:
    other = "en" if language == "zh" else "zh"
    return words.ALSO.said(language).format(twin=f"../{other}/{_file(source)}")


def _file(source: Source) -> str:
    return f"{source.path.stem}.ipynb"


def _said(text: dict[str, Any], language: Language) -> str:
    return str(text[language])
