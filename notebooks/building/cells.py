"""The cells of one language: the source's, and what exercises and quizzes expand to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from building import words
from building.source import Pair, Piece, digest
from kimi_nb.teach.curriculum import exercise
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.text import Language

__all__ = ["Cell", "cells", "code", "numbered", "prose"]

Cell = dict[str, Any]
"""As nbformat has it."""
WIDEST = 40
"""Characters of a heading that become an id."""


def prose(identity: str, text: str, **metadata: Any) -> Cell:
    """A cell of Markdown."""
    return {"cell_type": "markdown", "id": identity, "metadata": metadata, "source": text}


def code(identity: str, text: str, **metadata: Any) -> Cell:
    """A cell of code that never ran."""
    made = {"cell_type": "code", "id": identity, "metadata": metadata, "source": text}
    return {**made, "execution_count": None, "outputs": []}


def cells(pairs: list[Pair], language: Language) -> list[Cell]:
    """In order, with ids that both languages share and that another cell's change does not move.

    Prose that has no translation yet stays English. Raises UsageFault for an exercise's id that
    none has.
    """
    return [cell for pair in pairs for cell in _expanded(pair, language)]


def numbered(made: list[Cell]) -> list[Cell]:
    """The same cells; the second one of an id gets another."""
    taken: set[str] = set()

    for cell in made:
        stem = cell["id"]
        names = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
        cell["id"] = next(name for name in names if name not in taken)
        taken.add(cell["id"])

    return made


def _expanded(pair: Pair, language: Language) -> Iterator[Cell]:
    piece = pair.piece

    if piece.kind == "code":
        identity = _slug(piece.name) or f"code-{digest(piece.text)}"
        yield code(identity, piece.text, **piece.metadata)
    elif piece.kind == "exercise":
        yield from _exercise(exercise(piece.text), language)
    elif piece.kind == "quiz":
        yield prose(f"{piece.text}-text", f"## {words.QUIZ.said(language)}")
        yield code(piece.text, f'kn.quiz("{piece.text}")', kimi_nb={"quiz": piece.text})
    else:
        said = pair.zh if language == "zh" and pair.zh is not None else piece
        yield prose(_prose_id(piece), said.text)


def _exercise(asked: Exercise, language: Language) -> Iterator[Cell]:
    stem = _slug(asked.id)

    def tagged(role: str) -> dict[str, Any]:
        return {"kimi_nb": {"exercise": asked.id, "role": role}}

    yield prose(f"{stem}-task", _task(asked, language), **tagged("task"))
    yield code(f"{stem}-answer", asked.stub.strip("\n"), **tagged("answer"))
    yield code(f"{stem}-check", f'kn.check("{asked.id}", {asked.name})', **tagged("check"))
    yield prose(f"{stem}-help", _help(asked, language), **tagged("help"))


def _task(asked: Exercise, language: Language) -> str:
    colon = "：" if language == "zh" else ": "
    heading = f"### {words.EXERCISE.said(language)}{colon}{asked.title.said(language)}"
    marks = "●" * asked.difficulty + "○" * (5 - asked.difficulty)
    level = words.DIFFICULTY.said(language).format(marks=marks, n=asked.difficulty)
    minutes = words.MINUTES.said(language).format(minutes=asked.minutes)
    return f"{heading}\n\n{level} · {minutes}\n\n{asked.task.said(language).strip()}"


def _help(asked: Exercise, language: Language) -> str:
    """Hints and solution, each folded by itself: one opens no more than one wants."""
    hints = [
        _folded(words.HINT.said(language).format(n=n), hint.said(language).strip())
        for n, hint in enumerate(asked.hints, 1)
    ]
    solution = f"```python\n{asked.code()}\n```"
    return "\n\n".join([*hints, _folded(words.ANSWER.said(language), solution)])


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _prose_id(piece: Piece) -> str:
    """Of its heading; of the English text where it has none."""
    heading = re.match(r"#+ +(.+)", piece.text)
    slug = _slug(heading[1]) if heading else ""
    return slug or f"text-{digest(piece.text)}"


def _slug(text: str) -> str:
    """Letters and digits of ASCII, with dashes between the words."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:WIDEST].strip("-")
