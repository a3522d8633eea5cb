"""The raw results: a file of JSON rows, one for each training and each measurement.

A row says what was done with which options and seed; tables and figures are made of rows alone.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from kimi_nb.errors import TraceError
from kimi_nb.locked import open_locked

__all__ = ["Key", "Row", "Rows", "keep", "key", "read_rows"]

Row = dict[str, Any]


class Key(NamedTuple):
    """Which row it is; `on` is "" for a training, else the set of tasks that was measured on."""

    condition: str
    seed: int
    on: str


Rows = dict[Key, Row]


def key(row: Row) -> Key:
    """By what this row is known."""
    return Key(row["condition"], row["seed"], row.get("on", ""))


def read_rows(path: Path) -> Rows:
    """The rows of a file, the later of equal ones; none if there is no file.

    A torn last line, of a process that was killed, is no row. Raises TraceError for other damage.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TraceError(f"cannot read the results {str(path)!r}: {error.strerror}") from None

    found: Rows = {}

    for number, line in enumerate(lines, start=1):
        try:
            row = orjson.loads(line)
            _ = row["options"], row["families" if row.get("on") else "weights"]
            found[key(row)] = row
        except (ValueError, KeyError, TypeError):
            why = f"{path}, line {number}, is no row of results: delete that line, or name another"
            raise TraceError(f"{why} folder with --out") from None

    return found


class _Keeper:
    """Appends rows to a file that is open."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._added: set[Key] = set()

    def add(self, rows: Iterable[Row]) -> None:
        """All of them in one write, so that a kill tears at most the last; none a second time."""
        fresh = {key(row): orjson.dumps(row) + b"\n" for row in rows}
        text = b"".join(line for known, line in fresh.items() if known not in self._added)

        while text:
            text = text[os.write(self._fd, text) :]

        self._added.update(fresh)


@contextmanager
def keep(path: Path) -> Generator[_Keeper]:
    """What appends to the file, which no other process may write meanwhile; a torn line goes.

    Raises TraceLocked where another does, TraceError where it cannot be written.
    """
    fd = open_locked(path)

    try:
        os.ftruncate(fd, _whole(path))
        yield _Keeper(fd)
    finally:
        os.close(fd)


def _whole(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    return path.read_bytes().rfind(b"\n") + 1
