"""A corpus of the texts in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kimi_nb.errors import ToolError
from kimi_nb.tools.beneath import SKIPPED, Entry, Folder
from kimi_nb.tools.corpus.store import Document, build
from kimi_nb.tools.text import decoded

__all__ = ["Indexed", "index_folder"]

LARGEST = 20_000_000
"""Bytes of a file."""


class Indexed(NamedTuple):
    """What became of a folder."""

    documents: int
    left_out: tuple[str, ...]
    """Files that are not text or too large, each with the reason."""


def index_folder(folder: str | Path, path: str | Path) -> Indexed:
    """Write a corpus of all text files in a folder and its folders, each titled with its path.

    Links that lead out are not followed. Raises ToolError if there is no such folder, else
    what `build` does.
    """
    left_out: list[str] = []

    if not Path(folder).is_dir():
        raise ToolError(f"there is no folder {str(folder)!r} (here is {Path.cwd()})")

    with Folder(Path(folder)) as root:
        files = [entry for entry in root.walk(()) if not entry.is_folder and _meant(entry)]
        files.sort(key=lambda entry: entry.path)
        count = build(path, _documents(root, files, left_out))

    return Indexed(count, tuple(left_out))


def _meant(entry: Entry) -> bool:
    return not SKIPPED.intersection(entry.parts[:-1])


def _documents(root: Folder, files: list[Entry], left_out: list[str]) -> Iterator[Document]:
    for entry in files:
        try:
            text, _ = decoded(root.read(entry.parts, LARGEST), entry.path)
        except ToolError as error:
            left_out.append(str(error))
        else:
            yield Document(entry.path, text)
