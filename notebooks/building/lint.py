"""What every source keeps to: its anatomy, its length, its links, its Chinese."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from building import chinese, front, links
from building.finding import ROOT, Finding
from building.frame import minutes
from building.markup import OPEN, passages
from building.source import Pair, Source
from building.write import place
from kimi_nb.errors import UsageFault
from kimi_nb.teach.text import Language

__all__ = ["EXCUSED", "TEXTS", "anatomy", "bilingual", "length", "prose"]

CELLS = range(10, 26)
"""Of a source: prose in two languages is one, an exercise and a quiz are one."""
MINUTES = range(20, 41)
"""In English. Chinese is read a little faster; one bound is enough."""
PREDICTION = re.compile(r"\bkn\.predict\(")
EXCUSED = {
    ("00", "minutes"): "ten minutes from nothing to a swarm",
    ("14", "quiz"): "a rubric takes its place",
}
"""What a notebook may lack, and why."""
TEXTS = (ROOT / "kimi_nb" / "teach", ROOT / "notebooks" / "building")
"""Where Python has texts in both languages."""
LOUD = re.compile(r"[\w)]!(?=\s|$)")


def anatomy(source: Source) -> Iterator[Finding]:
    """What it has and lacks, from its front matter to its quiz."""
    path, number = source.path, source.number
    yield from (Finding(path, 1, fault) for fault in front.faults(source.front))
    names = Counter(piece.name for piece in source.pieces if piece.name)

    for piece in source.pieces:
        if piece.kind == "other":
            yield Finding(path, piece.line, 'prose without a language: +++ {"lang": "en"}')

        if piece.kind in {"exercise", "quiz"} and number not in piece.text:
            yield Finding(path, piece.line, f"{piece.text} is of another notebook")

        if names[piece.name] > 1:
            yield Finding(path, piece.line, f"two cells have the name {piece.name}")

    pieces = source.pieces
    has = {
        "prediction": any(p.kind == "code" and PREDICTION.search(p.text) for p in pieces),
        "exercise": any(p.kind == "exercise" for p in pieces),
        "quiz": any(p.kind == "quiz" for p in pieces),
    }

    for part, there in has.items():
        if not there and (number, part) not in EXCUSED:
            yield Finding(path, 1, f"there is no {part}; add one")


def length(source: Source) -> Iterator[Finding]:
    """Too many or too few cells or minutes."""
    path, number = source.path, source.number
    cells = len(list(source.pairs()))

    if cells not in CELLS:
        yield Finding(path, 1, f"{cells} cells; between {CELLS[0]} and {CELLS[-1]} are good")

    try:
        takes = minutes(source, "en")
    except UsageFault as fault:
        yield Finding(path, 1, str(fault))
        return

    if takes not in MINUTES and (number, "minutes") not in EXCUSED:
        yield Finding(path, 1, f"{takes} minutes; between {MINUTES[0]} and {MINUTES[-1]} are good")


def prose(source: Source, page: Callable[[Source, Language], Path] = place) -> Iterator[Finding]:
    """Links from its page, pictures, exclamation marks, and how the Chinese is written."""
    path = source.path

    for pair in source.pairs():
        yield from _english(source, pair, page(source, "en"))

    for piece in source.pieces:
        if piece.kind == "zh":
            found = [*chinese.faults(piece.text), *links.faults(piece.text, page(source, "zh"))]
            yield from (Finding(path, piece.line + row, says) for row, says in found)

    for text in _strings(source.front, "zh"):
        yield from (Finding(path, 1, says) for _, says in chinese.faults(text))


def bilingual(path: Path) -> Iterator[Finding]:
    """How the Chinese of each `Text(en, zh)` in a Python file is written."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "Text":
            continue

        said = dict(zip(("en", "zh"), call.args, strict=False))
        said |= {str(keyword.arg): keyword.value for keyword in call.keywords}

        if "en" in said and LOUD.search(_literal(said["en"])):
            yield Finding(path, said["en"].lineno, "no exclamation marks")

        if "zh" in said:
            found = chinese.faults(_literal(said["zh"]))
            yield from (Finding(path, said["zh"].lineno, says) for _, says in found)


def _literal(node: ast.expr) -> str:
    """A string as far as it is written there; the rest may be anything."""
    if isinstance(node, ast.Constant):
        return str(node.value)

    if isinstance(node, ast.JoinedStr):
        return "".join(map(_literal, node.values))

    if isinstance(node, ast.BinOp):
        return _literal(node.left) + _literal(node.right)

    return OPEN


def _english(source: Source, pair: Pair, page: Path) -> Iterator[Finding]:
    piece = pair.piece

    if piece.kind != "en":
        return

    for row, says in links.faults(piece.text, page):
        yield Finding(source.path, piece.line + row, says)

    for row, words in passages(piece.text):
        if LOUD.search(words):
            yield Finding(source.path, piece.line + row, "no exclamation marks")


def _strings(value: object, language: str) -> Iterator[str]:
    """The texts of one language, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str):
                yield from [inner] if name == language else []
            else:
                yield from _strings(inner, language)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, language)
