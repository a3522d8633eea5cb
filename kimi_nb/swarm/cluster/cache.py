"""Contents that a worker has, by digest: for all runs and all processes on its machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.cluster.inside import NEW, pieces, scratch

__all__ = ["Cache", "Receiver", "told"]

LIMIT = 2_000_000_000
"""Bytes."""
LEFT_BEHIND = 3_600.0
"""Seconds after which a file that is not whole belongs to a process that died."""
_NAME = re.compile(r"[0-9a-f]{64}")


class _Blob(NamedTuple):
    used: float
    path: Path
    size: int


class Cache:
    """Contents by digest in a folder of this user's own. Threads and processes may share it.

    Beyond `limit_bytes` those go that were used longest ago. It is looked after each twentieth
    of the limit that a process has put in, so for a while there may be that much more.
    Raises UsageFault if the folder cannot be used.
    """

    __slots__ = ("_limit", "_root", "_since")

    def __init__(self, root: Path, limit_bytes: int = LIMIT) -> None:
        self._root = root
        self._limit = limit_bytes
        self._since = limit_bytes
        """Bytes put in since it was looked; at first, all that others may have."""

        with told(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_own(root)

    def has(self, digest: str) -> bool:
        """Whether it is there; it then counts as just used."""
        try:
            os.utime(self._path(digest))
        except OSError:
            return False

        return True

    def pieces(self, digest: str) -> Iterator[bytes]:
        """The content in pieces of PIECE bytes, nothing if it is not there.

        A disk may have damaged it: who uses it hashes it.
        """
        with contextlib.suppress(OSError):
            yield from pieces(os.open(self._path(digest), os.O_RDONLY | os.O_CLOEXEC))

    def drop(self, digest: str) -> None:
        """Forget a content, because it is damaged."""
        with contextlib.suppress(OSError):
            self._path(digest).unlink(missing_ok=True)

    def receive(self, digest: str) -> Receiver:
        """Takes a content that comes in pieces. Raises UsageFault if it cannot be written."""
        return Receiver(self, self._path(digest), digest)

    def arrived(self, size: int) -> None:
        """Makes room after so many bytes more. Called by `Receiver`."""
        self._since += size

        if self._since >= self._limit / 20:
            self._since = 0
            self._trim()

    def _trim(self) -> None:
        blobs = sorted(self._blobs())
        total = sum(blob.size for blob in blobs)

        for blob in blobs[:-1]:  # never the one that has just come
            if total <= self._limit:
                break

            with contextlib.suppress(OSError):
                blob.path.unlink(missing_ok=True)

            total -= blob.size

    def _blobs(self) -> Iterator[_Blob]:
        old = time.time() - LEFT_BEHIND

        for folder in self._root.iterdir():
            if len(folder.name) != 2:
                continue

            for entry in os.scandir(folder):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)

                    if _NAME.fullmatch(entry.name):
                        yield _Blob(status.st_mtime, Path(entry.path), status.st_size)
                    elif status.st_mtime < old:
                        Path(entry.path).unlink()

    def _path(self, digest: str) -> Path:
        if not _NAME.fullmatch(digest):
            raise UsageFault(f"no digest: {digest[:80]!r}")

        return self._root / digest[:2] / digest


class Receiver:
    """One content on its way in. A context manager: what is not finished is thrown away."""

    __slots__ = ("_cache", "_file", "_hash", "_path", "_scratch", "_size", "_wanted")

    def __init__(self, cache: Cache, path: Path, digest: str) -> None:
        self._cache = cache
        self._path = path
        self._wanted = digest
        self._hash = hashlib.sha256()
        self._size = 0
        self._scratch = path.with_name(scratch())

        with told(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = os.fdopen(os.open(self._scratch, NEW, 0o600), "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # a full disk cannot take what is buffered
            self._file.close()

        with contextlib.suppress(OSError):
            self._scratch.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """The next piece. Raises UsageFault if the disk is full."""
        with told(self._path):
            self._file.write(piece)

        self._hash.update(piece)
        self._size += len(piece)

    def finish(self) -> bool:
        """Keep the content. False: it is not what it was called, because its file has changed.

        Raises UsageFault if the disk is full.
        """
        with told(self._path):
            self._file.close()

            if self._hash.hexdigest() != self._wanted:
                return False

            self._scratch.replace(self._path)

        self._cache.arrived(self._size)
        return True


@contextlib.contextmanager
def told(path: Path) -> Generator[None]:
    """Says what to do where a worker's own disk refuses. Raises UsageFault for OSError."""
    try:
        yield
    except OSError as error:
        raise UsageFault(
            f"a worker cannot keep the run's files at {str(path)!r}: {error.strerror}; free some "
            "room there, or start the worker with --local-directory on another disk"
        ) from error


def _check_own(root: Path) -> None:
    """In a folder that others can write, they could put what agents read and run."""
    status = root.stat(follow_symlinks=False)

    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise UsageFault(
            f"{str(root)!r} is not a folder that only this user can write; start the worker with "
            "--local-directory on another one"
        )
