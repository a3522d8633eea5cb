"""The files beside a log: what they are called, and how they get there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["bring", "is_name", "put"]

NAME = re.compile(r"[0-9a-f]{16,128}(\.[a-z0-9]{1,8})?")
"""A hash of the content, and an ending: no path can be written like this."""


def is_name(text: str) -> bool:
    """Whether a file beside a log can be called so."""
    return NAME.fullmatch(text) is not None


def put(folder: Path, name: str, data: bytes) -> None:
    """Write a file for its owner's eyes, whole or not at all; one that is there stays.

    Raises OSError.
    """
    path = folder / name

    if path.exists():
        return

    scratch = folder / f"{name}.{secrets.token_hex(4)}.part"

    try:
        fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)

        scratch.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)

        raise


def bring(facts: Iterable[object], log: Path | None, folder: Path) -> None:
    """Copy the files that facts of a log name from beside it into another folder.

    A log may be a stranger's: nothing but a plain file of such a name is ever copied. What is
    not there stays away. Raises OSError where one cannot be written.
    """
    if log is None or log.parent.resolve() == folder.resolve():
        return

    told: Iterator[str] = (getattr(fact, "artefact", "") for fact in facts)

    for name in {name for names in told for name in names.split() if is_name(name)}:
        path = log.parent / name

        if path.is_file() and not path.is_symlink():
            put(folder, name, path.read_bytes())
