"""All that teachers get: what it is made from, and where it lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from building.finding import Finding
from building.lint import prose
from building.source import FOLDER as NOTEBOOKS
from building.source import Source, read
from building.stale import stamp, untranslated
from building.teaching.cards import sheet
from building.teaching.pages import covered, page
from building.teaching.slides import deck
from kimi_nb.teach.text import Language

__all__ = [
    "DECKS",
    "DOCUMENTS",
    "FOLDER",
    "Document",
    "build",
    "faults",
    "make",
    "noted",
    "stale",
    "translated",
]

FOLDER = NOTEBOOKS.parent / "instructor"
HOW = "python notebooks/build.py"
NAME = "instructor"
"""What one types after --translated."""
LANGUAGES: tuple[Language, ...] = ("en", "zh")
DECKS = ("orchestration", "measuring", "parl")


@dataclass(frozen=True, slots=True)
class Document:
    """One page in both languages."""

    kind: Literal["page", "cards", "slides"]
    file: str
    """Of the English one, below FOLDER."""
    sources: tuple[str, ...]
    """Names of the sources, below src."""

    def place(self, language: Language) -> Path:
        """Where it lies."""
        path = FOLDER / self.file
        return path if language == "en" else path.with_suffix(f".zh{path.suffix}")

    def read(self) -> list[Source]:
        """Its sources. Raises SourceFault."""
        return [read(FOLDER / "src" / f"{name}.md") for name in self.sources]


DOCUMENTS = (
    Document("page", "README.md", ("guide", "notes")),
    Document("page", "misconceptions.md", ("misconceptions",)),
    Document("page", "rubric.md", ("rubric",)),
    Document("cards", "cards.html", ("cards",)),
    *(Document("slides", f"slides/{name}.html", (name,)) for name in DECKS),
)


def make(document: Document, language: Language, decks: Mapping[str, Source]) -> str:
    """Its text. Raises SourceFault."""
    if document.kind == "cards":
        return sheet(document.read()[0], language)

    if document.kind == "slides":
        return deck(document.read()[0], language)

    return page(document.read(), language, document.file, dict(decks))


def build() -> list[Path]:
    """Write what has changed; which files those are. Raises SourceFault."""
    return [path for path, text in _made() if _written(path, text)]


def stale() -> Iterator[Finding]:
    """What its sources and the notebooks would make in another way, and stale translations."""
    for document in DOCUMENTS:
        for source in document.read():
            yield from untranslated(source, NAME)

    for path, text in _made():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield Finding(path, 1, f"not what its sources make: {HOW}")


def translated() -> int:
    """Say of all Chinese that it says what the English says; how many cells were stale."""
    return sum(stamp(source) for document in DOCUMENTS for source in document.read())


def faults() -> Iterator[Finding]:
    """Links, pictures, loud words, Chinese, and prose without a language."""
    for document in DOCUMENTS:
        for source in document.read():
            yield from prose(source, lambda _, language, its=document: its.place(language))

            for piece in source.pieces:
                if piece.kind not in {"en", "zh"}:
                    yield Finding(source.path, piece.line, f"{piece.kind}: only prose stands here")


def noted() -> list[str]:
    """Numbers of the notebooks that the guide has a note on."""
    return [number for source in DOCUMENTS[0].read() for number in covered(source)]


def _made() -> Iterator[tuple[Path, str]]:
    decks = {name: read(FOLDER / "src" / f"{name}.md") for name in DECKS}

    for document in DOCUMENTS:
        for language in LANGUAGES:
            yield document.place(language), make(document, language, decks)


def _written(path: Path, text: str) -> bool:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False

    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True
