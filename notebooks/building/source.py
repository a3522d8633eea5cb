"""A bilingual source: its front matter and its pieces, each with the line that it stands on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from jupytext.myst import myst_to_notebook

from building.front import faults

__all__ = [
    "FOLDER",
    "Pair",
    "Piece",
    "Source",
    "SourceFault",
    "complete",
    "digest",
    "read",
    "sources",
]

FOLDER = Path(__file__).resolve().parents[1] / "src"
NAME = re.compile(r"(?P<number>\d\d)-(?P<slug>[a-z0-9-]+)\.md")
FENCE = "---"
Kind = Literal["en", "zh", "code", "exercise", "quiz", "other"]


class SourceFault(Exception):
    """A source that cannot be read; says file, line and what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A cell of the source."""

    kind: Kind
    """The language of prose, or what it is else; "other" for prose that says no language."""
    text: str
    line: int
    """Its first line in the file, from 1."""
    of: str = ""
    """Of Chinese prose: the digest of the English that it translates; "" if never stamped."""
    name: str = ""
    """Of code: becomes the cell's id."""
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    """Of code: what goes into the notebook, as tags."""

    @property
    def tags(self) -> list[str]:
        return self.metadata.get("tags", [])


@dataclass(frozen=True, slots=True)
class Pair:
    """What a reader sees as one cell: prose in two languages, or something shared by both."""

    piece: Piece
    """The English one of two."""
    zh: Piece | None = None
    """None for what both share, and for prose without a translation."""

    @property
    def stale(self) -> bool:
        """Whether the Chinese translates another English text, or none that was stamped."""
        return self.zh is not None and self.zh.of != digest(self.piece.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All of one file."""

    path: Path
    front: dict[str, Any]
    pieces: tuple[Piece, ...]

    @property
    def number(self) -> str:
        """Two digits."""
        return self.path.stem[:2]

    def pairs(self) -> Iterator[Pair]:
        """In order. Chinese prose without English before it is left out."""
        later = (*self.pieces[1:], None)

        for piece, after in zip(self.pieces, later, strict=True):
            if piece.kind == "en":
                yield Pair(piece, after if after is not None and after.kind == "zh" else None)
            elif piece.kind != "zh":
                yield Pair(piece)


def digest(text: str) -> str:
    """Eight hexadecimal digits that another text does not share."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:8]


def sources(folder: Path = FOLDER) -> list[Path]:
    """The sources by number. Raises SourceFault for a name that is none."""
    paths = sorted(folder.glob("*.md"))

    for path in paths:
        if not NAME.fullmatch(path.name):
            raise SourceFault(f"{path}: name it NN-slug.md, as 03-critical-steps.md")

    return paths


def read(path: Path) -> Source:
    """Parse one. Raises SourceFault for a front matter or a cell's options that are none."""
    text = path.read_text(encoding="utf-8")
    front, body = _split(path, text)

    try:
        cells = myst_to_notebook(body, add_source_map=True)
    except Exception as error:  # jupytext and YAML have a dozen kinds
        raise SourceFault(f"{path}: {error}") from error

    lines = cast("list[int]", cells.metadata.source_map)
    pieces = [_piece(cell, line, body) for cell, line in zip(cells.cells, lines, strict=True)]
    return Source(path=path, front=front, pieces=tuple(pieces))


def complete(source: Source) -> Source:
    """The source itself. Raises SourceFault for a front matter that lacks something."""
    for fault in faults(source.front):
        raise SourceFault(f"{source.path}:1: {fault}")

    return source


def _split(path: Path, text: str) -> tuple[dict[str, Any], str]:
    """The front matter, and the rest with as many empty lines before it.

    jupytext would make the front matter the notebook's metadata, where a title is one string.
    """
    lines = text.split("\n")

    if lines[0] != FENCE or FENCE not in lines[1:]:
        raise SourceFault(f"{path}:1: begin with a front matter between two lines of {FENCE}")

    end = lines.index(FENCE, 1)

    try:
        front = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.YAMLError as error:
        raise SourceFault(f"{path}:1: front matter: {error}") from error

    if not isinstance(front, dict):
        raise SourceFault(f"{path}:1: the front matter is no table of names and values")

    return cast("dict[str, Any]", front), "\n".join([*[""] * (end + 1), *lines[end + 1 :]])


def _piece(cell: Any, line: int, body: str) -> Piece:
    metadata = dict(cell.metadata)

    if cell.cell_type == "code":
        name = str(metadata.pop("name", ""))
        return Piece(kind="code", text=cell.source, line=line, name=name, metadata=metadata)

    rows = body.split("\n")
    first = 1 + next(place for place in range(line, len(rows)) if rows[place].strip())

    for kind in ("exercise", "quiz"):
        if kind in metadata:
            return Piece(kind=kind, text=str(metadata[kind]), line=first)

    kind = metadata.get("lang")
    known = cast("Kind", kind if kind in {"en", "zh"} else "other")
    return Piece(kind=known, text=cell.source, line=first, of=str(metadata.get("of", "")))
