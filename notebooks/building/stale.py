"""What no longer fits together: translations and their English, sources and their notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from building.finding import Finding
from building.source import Source, digest, sources
from building.write import COMPARED, LANGUAGES, notebook, place, text

__all__ = ["drifted", "orphans", "stamp", "untranslated"]

MARK = "+++"


def untranslated(source: Source, name: str = "") -> Iterator[Finding]:
    """Prose that has no Chinese, or a Chinese of another English text.

    `name`: what is typed after --translated; "" for the notebook's number.
    """
    number, path = name or source.number, source.path

    for pair in source.pairs():
        if pair.piece.kind != "en":
            continue

        if pair.zh is None:
            says = 'no Chinese follows: add +++ {"lang": "zh"} and the same in Chinese'
            yield Finding(path, pair.piece.line, says)
        elif pair.stale:
            why = "the English has changed" if pair.zh.of else "it says of no English"
            how = f"translate it, then python notebooks/build.py --translated {number}"
            yield Finding(path, pair.zh.line, f"stale, for {why}: {how}")

    english = {id(pair.zh) for pair in source.pairs()}

    for piece in source.pieces:
        if piece.kind == "zh" and id(piece) not in english:
            yield Finding(path, piece.line, "Chinese without English right before it")


def drifted(source: Source) -> Iterator[Finding]:
    """Notebooks that the source would make in another way."""
    for language in LANGUAGES:
        path = place(source, language)
        made = notebook(source, language)

        if not path.is_file() or path.read_text(encoding="utf-8") != text(made):
            how = f"python notebooks/build.py {source.number}"
            yield Finding(path, 1, f"not what its source makes: {how}")

        for cell in made.cells:
            if COMPARED in cell.metadata.get("tags", []) and not cell.outputs:
                how = f"python notebooks/build.py --execute {source.number}"
                yield Finding(path, 1, f"cell {cell.id} has no output to compare with: {how}")


def orphans(folder: Path) -> Iterator[Finding]:
    """Notebooks that no source of the folder makes."""
    made = {path.stem for path in sources(folder)}

    for language in LANGUAGES:
        for path in sorted((folder.parent / language).glob("*.ipynb")):
            if path.stem not in made:
                yield Finding(path, 1, "no source makes it: delete it, or write its source")


def stamp(source: Source) -> int:
    """Write into each Chinese cell of which English text it is; how many were stale."""
    lines = source.path.read_text(encoding="utf-8").split("\n")
    stale = [pair for pair in source.pairs() if pair.zh is not None and pair.stale]

    for pair in stale:
        assert pair.zh is not None  # noqa: S101 -- for the type checker
        at = next(n for n in range(pair.zh.line - 1, -1, -1) if lines[n].startswith(MARK))
        says = json.loads(lines[at].removeprefix(MARK)) | {"of": digest(pair.piece.text)}
        lines[at] = f"{MARK} {json.dumps(says)}"

    source.path.write_text("\n".join(lines), encoding="utf-8")
    return len(stale)
