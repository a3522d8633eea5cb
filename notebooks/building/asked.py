"""Quizzes that nobody can guess from their form, and what no notebook asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from building.finding import ROOT, Finding
from building.source import Source
from kimi_nb.teach.curriculum import exercises, questions, quizzes
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.quiz import Quiz, QuizItem

__all__ = ["balanced", "fair", "unasked"]

MODULES = ROOT / "kimi_nb" / "teach" / "exercises"
FEW = range(3, 5)
"""Items of a quiz, and options of an item."""
STRETCH, SLACK = 1.35, 12
"""The longest option has at most so many times the shortest's characters, and some more."""


def balanced(quiz: Quiz) -> Iterator[Finding]:
    """A number of items or options, a key or a length that gives something away."""
    path, line = _where(quiz.id)

    if len(quiz.items) not in FEW:
        yield Finding(path, line, f"{quiz.id}: {len(quiz.items)} items; 3 or 4 are good")

    for number, item in enumerate(quiz.items, 1):
        for says in _item(item):
            yield Finding(path, line, f"{quiz.id}, item {number}: {says}")


def fair(asked: Iterable[Quiz]) -> Iterator[Finding]:
    """Whether one does better than chance by always choosing the longest option."""
    items = [item for quiz in asked for item in quiz.items]
    chance = sum(1 / len(item.options) for item in items)

    for language in ("en", "zh"):
        guessed = sum(_longest(item, language) for item in items)

        if guessed > chance + 1:
            says = f"{language}: the longest option is right in {guessed:g} of {len(items)} items"
            yield Finding(MODULES, 1, f"{says}, by chance in {chance:.1f}: shorten some")


def unasked(sources: Iterable[Source]) -> Iterator[Finding]:
    """What the curriculum has and no notebook asks, or more than one."""
    texts = [piece.text for source in sources for piece in source.pieces]

    for each in (*exercises(), *questions(), *quizzes()):
        times = sum(text == each.id or f'kn.predict("{each.id}")' in text for text in texts)

        if times != 1:
            path, line = _where(each.id)
            yield Finding(path, line, f"{each.id} is asked {times} times; once is right")


def _item(item: QuizItem) -> Iterator[str]:
    if len(item.options) not in FEW:
        yield f"{len(item.options)} options; 3 or 4 are good"

    if [option.key for option in item.options].count("") != 1:
        yield 'one option has the key "", the right one'

    for option in item.options:
        if option.key and option.key not in MISCONCEPTIONS:
            yield f"there is no misconception {option.key}"

    for language in ("en", "zh"):
        lengths = sorted(len(option.says.said(language)) for option in item.options)

        if lengths[-1] > STRETCH * lengths[0] + SLACK:
            yield f"{language}: options of {lengths[0]} to {lengths[-1]} characters: even them out"


def _longest(item: QuizItem, language: str) -> float:
    """The share of the longest options that is right: 1, 0, or less than 1 if some are as long."""
    lengths = {option.key: len(option.says.said(language)) for option in item.options}
    most = [key for key, length in lengths.items() if length == max(lengths.values())]
    return ("" in most) / len(most)


def _where(identity: str) -> tuple[Path, int]:
    """The line that says the id."""
    for path in sorted(MODULES.glob("*.py")):
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if f'id="{identity}"' in text:
                return path, line

    return MODULES, 1
