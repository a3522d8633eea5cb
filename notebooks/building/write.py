"""Notebooks as files: the same bytes for the same source, and the outputs that were compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from building.cells import Cell, cells, numbered
from building.frame import last, title
from building.source import Source, complete, read, sources
from kimi_nb.teach.text import Language

__all__ = ["COMPARED", "LANGUAGES", "document", "notebook", "place", "text", "written"]

LANGUAGES: tuple[Language, ...] = ("en", "zh")
COMPARED = "nbval-check-output"
"""Tag of the cells whose outputs are kept, and compared in the tests."""
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def place(source: Source, language: Language) -> Path:
    """Where the notebook of a source lies."""
    return source.path.parents[1] / language / f"{source.path.stem}.ipynb"


def notebook(source: Source, language: Language) -> Any:
    """As nbformat has it, with the outputs of its file, where the cell is the same.

    Raises SourceFault for a front matter that is not complete, UsageFault for an exercise or quiz
    that there is not, ValidationError for what is no notebook.
    """
    made = document(source, language)
    kept = {cell["id"]: cell for cell in _before(place(source, language))}

    for cell in made.cells:
        old = kept.get(cell.id)

        if old and COMPARED in cell.metadata.get("tags", []) and old["source"] == cell.source:
            cell.outputs = old["outputs"]
            cell.execution_count = old["execution_count"]

    return made


def document(source: Source, language: Language) -> Any:
    """As nbformat has it, without outputs."""
    complete(source)
    paths = sources(source.path.parent)
    later = [path for path in paths if path.stem > source.path.stem]
    following = complete(read(later[0])) if later else None
    body = cells(list(source.pairs()), language)
    made = numbered([title(source, language), *body, last(following, paths[0].stem, language)])
    metadata = {
        "kernelspec": source.front.get("kernelspec", KERNEL),
        "kimi_nb": {"notebook": source.number, "language": language},
        "language_info": {"name": "python"},
    }
    whole = {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    found = nbformat.from_dict(whole)
    nbformat.validate(found)
    return found


def text(made: Any) -> str:
    """The bytes of its file."""
    return nbformat.writes(made, version=4) + "\n"


def written(made: Any, path: Path) -> bool:
    """Whether the file had to be written anew."""
    now = text(made)

    if path.is_file() and path.read_text(encoding="utf-8") == now:
        return False

    path.parent.mkdir(exist_ok=True)
    path.write_text(now, encoding="utf-8")
    return True


def _before(path: Path) -> list[Cell]:
    """The cells of a file; none where there is no notebook."""
    if not path.is_file():
        return []

    try:
        return nbformat.read(path, as_version=4).cells
    except (json.JSONDecodeError, nbformat.ValidationError, nbformat.reader.NotJSONError):
        return []
