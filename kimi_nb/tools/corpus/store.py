"""The file of a corpus: written once, whole or not at all, and then only read."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from kimi_nb.errors import UsageFault
from kimi_nb.tools.corpus.words import Query, joined, split
from kimi_nb.tools.render import clean

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["Document", "Hit", "build", "check", "found", "text_of"]

MADE_BY_US = 0x6B6E6301
"""In the file's header; the last byte is the version of what follows."""
SNIPPET = 24
"""Words of a snippet; each Chinese character is one."""
_TABLE = """
CREATE VIRTUAL TABLE documents
USING fts5(title, text, tokenize = 'porter unicode61 remove_diacritics 2')
"""
_SEARCH = """
SELECT rowid, title, snippet(documents, 1, '', '', '…', ?)
FROM documents WHERE documents MATCH ? ORDER BY bm25(documents, 3.0, 1.0), rowid LIMIT ?
"""


class Document(NamedTuple):
    """One text of a corpus."""

    title: str
    text: str


class Hit(NamedTuple):
    """A document that was found."""

    id: int
    title: str
    snippet: str


def build(path: str | Path, documents: Iterable[Document]) -> int:
    """Write a corpus of these documents, in place of what was there; returns how many it has.

    They are numbered from 1 on, in their order. The file appears when it is complete.
    Raises UsageFault where this Python's SQLite cannot search texts, and OSError.
    """
    path = Path(path)
    new = path.with_name(f".{secrets.token_hex(8)}.part")
    handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)

    try:
        count = _filled(new, documents)
        os.fsync(handle)
        new.replace(path)
    except BaseException:
        new.unlink()
        raise
    finally:
        os.close(handle)

    return count


def check(path: Path) -> int:
    """How many documents a corpus has. Raises UsageFault if it is none."""
    import sqlite3

    if not path.is_file():
        raise UsageFault(
            f"there is no corpus {str(path)!r}; make one of a folder of texts with "
            f"kn.tools.index_folder('FOLDER', {str(path)!r})"
        )

    try:
        with _opened(path) as database:
            (made,) = database.execute("PRAGMA application_id").fetchone()

            if made == MADE_BY_US:
                return database.execute("SELECT count(*) FROM documents").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise UsageFault(f"{str(path)!r} is no corpus: {error}; build it anew") from error

    raise UsageFault(f"{str(path)!r} is a database, but no corpus of this version; build it anew")


def found(path: Path, query: Query, limit: int) -> tuple[list[Hit], int, bool]:
    """The best documents, how many match, and whether they have what stood in quotes."""
    with _opened(path) as database:
        rows, count = _matching(database, query.exact, limit)
        exact = bool(rows) or not query.phrases

        if not exact:
            rows, count = _matching(database, query.loose, limit)

    return [Hit(id, joined(title), joined(snippet)) for id, title, snippet in rows], count, exact


def text_of(path: Path, document: int) -> Document | None:
    """A document by its number; None if there is none."""
    with _opened(path) as database:
        row = database.execute(
            "SELECT title, text FROM documents WHERE rowid = ?", (document,)
        ).fetchone()

    return row and Document(*map(joined, row))


def _filled(path: Path, documents: Iterable[Document]) -> int:
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = OFF")  # a half-written file is thrown away
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"PRAGMA application_id = {MADE_BY_US}")

        try:
            database.execute(_TABLE)
        except sqlite3.OperationalError as error:
            raise UsageFault(f"this Python's SQLite cannot search texts: {error}") from error

        rows = ((split(clean(title)), split(clean(text))) for title, text in documents)
        database.executemany("INSERT INTO documents (title, text) VALUES (?, ?)", rows)
        database.execute("INSERT INTO documents (documents) VALUES ('optimize')")
        database.commit()
        return database.execute("SELECT count(*) FROM documents").fetchone()[0]


def _matching(
    database: Connection, expression: str, limit: int
) -> tuple[list[tuple[int, str, str]], int]:
    rows = database.execute(_SEARCH, (SNIPPET, expression, limit)).fetchall()
    count = "SELECT count(*) FROM documents WHERE documents MATCH ?"
    return rows, database.execute(count, (expression,)).fetchone()[0]


@contextlib.contextmanager
def _opened(path: Path) -> Generator[Connection, None, None]:
    """For one call only: tools run in many threads, and a connection belongs to one."""
    import sqlite3

    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"

    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        yield database
