"""The files beside a log: images, and texts too long for it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

from kimi_nb.beside import is_name
from kimi_nb.errors import UsageFault
from kimi_nb.media import image_type, thumbnail
from kimi_nb.redact import hide
from kimi_nb.views.text import clean

__all__ = ["Artefact", "artefact", "small"]

LARGEST = 20_000_000
"""Bytes that are sent to a page."""
LONGEST = 1_000_000
"""Characters of a text that a page can show."""
SHOWN = 60


class Artefact(NamedTuple):
    """A file beside a log."""

    type: str
    """MIME type: of a PNG, JPEG, GIF or WebP image, or "text/plain" for all else."""
    data: bytes
    """An image as it is; a text cleaned and without keys, in UTF-8."""


def artefact(log: Path | None, name: str) -> Artefact:
    """The file of that name beside a log.

    Raises UsageFault where there is none, where it is too large, or where `name` is not that of
    an artefact.
    """
    if not is_name(name):
        raise UsageFault(f"{clean(name)[:SHOWN]!r} is not the name of a file beside a log")

    if log is None:
        raise UsageFault("the run has no log on disk, so there are no files beside it")

    path = log.parent / name

    if path.is_symlink() or not path.is_file():
        raise UsageFault(f"{name} is not there: copy it beside {log}")

    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageFault(f"{path} cannot be read: {error.strerror}") from None

    if len(data) > LARGEST:
        size = f"{LARGEST // 1_000_000} MB"
        raise UsageFault(f"{path} is larger than {size}, too large for a page: open it by itself")

    kind = image_type(data)
    return Artefact(kind, data) if kind else Artefact("text/plain", _text(data))


@functools.lru_cache(maxsize=256)
def small(log: Path | None, name: str) -> Artefact | None:
    """A small picture of that image; None where none can be made. Raises UsageFault as above."""
    data = thumbnail(artefact(log, name).data)
    return Artefact(image_type(data), data) if data else None


def _text(data: bytes) -> bytes:
    text = hide(data.decode(errors="replace"))  # what goes as bytes, nothing else looks into
    left = len(text) - LONGEST
    more = f"\n… {left:,} more characters, in the file alone" if left > 0 else ""
    return (clean(text[:LONGEST]) + more).encode()
