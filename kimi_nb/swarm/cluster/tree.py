"""Looking at a folder again and again, and hashing only what has changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.cluster.inside import PIECE, is_scratch, open_file, opened
from kimi_nb.swarm.cluster.manifest import FOLDER, LEFT_OUT, Entry, File, Link, Manifest
from kimi_nb.tools.steps import Parts

__all__ = ["MOST_BYTES", "Mark", "Seen", "Tree", "mark_of"]

MOST_BYTES = 500_000_000
"""Of one folder."""
MOST_SEEN = 100_000
"""Files and folders that are looked at; the file tools see no more either."""
SETTLED = 100_000_000
"""Nanoseconds. A file that changed later than that before it was hashed is hashed again: disks
stamp times in steps, so two changes in one step look like one."""
WHOLE = 5_000_000
"""Bytes of a file that is looked into, in one piece."""


class Mark(NamedTuple):
    """What tells that a file is as it was, without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: int


class _Known(NamedTuple):
    mark: Mark
    digest: str
    held: str
    """Why it is not sent, "" if it is."""


@dataclass(slots=True)
class Seen:
    """What one walk found."""

    files: dict[Parts, dict[str, Mark]] = field(default_factory=dict[Parts, dict[str, Mark]])
    """By folder and name."""
    folders: list[str] = field(default_factory=list[str])
    links: dict[str, Link] = field(default_factory=dict[str, Link])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    count: int = 0

    def sizes(self) -> Iterable[tuple[str, int]]:
        """Bytes of each file by path."""
        for parts, marks in self.files.items():
            for name, mark in marks.items():
                yield "/".join((*parts, name)), mark.size


class Tree:
    """A folder that is looked at often. Not for two threads at once.

    `check` sees the result of a walk before anything is read, and may raise. `held` says of what
    a file has why it is left out, or ""; large files are not looked into. `apart` is left out.
    """

    __slots__ = ("_apart", "_check", "_held", "_known", "_root", "marks")

    def __init__(
        self,
        root: Path,
        check: Callable[[Seen], None] = lambda _: None,
        held: Callable[[bytes], str] = lambda _: "",
        apart: str = "",
    ) -> None:
        self._root = root.resolve()
        self._check = check
        self._held = held
        self._apart = apart
        self._known: dict[str, _Known] = {}
        self.marks: dict[str, Mark] = {}
        """Of all files in the last manifest."""

    def manifest(self) -> Manifest:
        """What the folder holds now: all that file tools can see, but for LEFT_OUT.

        Files that vanish meanwhile are not there; what cannot be read is skipped and named.
        Raises UsageFault if the folder itself cannot be read, or has too much.
        """
        try:
            with opened(self._root) as fd:
                seen = self._walked(fd)
                self._check(seen)
                files = self._hashed(fd, seen)
        except OSError as error:
            raise UsageFault(
                f"the folder {str(self._root)!r} cannot be read: {error.strerror}; give another "
                "with --folder"
            ) from error

        entries: dict[str, Entry] = {**dict.fromkeys(seen.folders, FOLDER), **files}
        links = {path: link for path, link in seen.links.items() if link.target in entries}
        entries |= links
        return Manifest(entries=dict(sorted(entries.items())), skipped=seen.skipped)

    def _walked(self, root: int) -> Seen:
        seen = Seen()
        waiting: list[Parts] = [()]

        while waiting:
            parts = waiting.pop()

            try:
                with opened(root, parts) as fd, os.scandir(fd) as found:
                    waiting += self._looked(seen, parts, found)
            except OSError as error:
                _note(seen.skipped, "/".join(parts), error)

                if not parts:
                    raise

        return seen

    def _looked(self, seen: Seen, parts: Parts, found: Iterable[os.DirEntry[str]]) -> list[Parts]:
        """Notes what a folder has; returns the folders in it."""
        marks: dict[str, Mark] = {}
        folders: list[Parts] = []

        for entry in found:
            if entry.name.lower() in LEFT_OUT or is_scratch(entry.name):
                continue

            path = "/".join((*parts, entry.name))

            if path == self._apart:
                continue

            seen.count += 1

            if seen.count > MOST_SEEN:
                raise UsageFault(
                    f"{str(self._root)!r} holds more than {MOST_SEEN:,} files and folders; give a "
                    "smaller folder with --folder"
                )

            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)

                if stat.S_ISREG(status.st_mode):
                    marks[entry.name] = mark_of(status)
                elif stat.S_ISDIR(status.st_mode):
                    seen.folders.append(path)
                    folders.append((*parts, entry.name))
                elif stat.S_ISLNK(status.st_mode) and (target := self._target(path)):
                    seen.links[path] = Link(target)

        seen.files[parts] = marks
        return folders

    def _target(self, path: str) -> str:
        """Where a link leads, "" if that is not inside or not there."""
        try:
            there = Path(os.path.realpath(self._root / path, strict=True))
        except (OSError, RuntimeError):  # it leads nowhere, or in a ring
            return ""

        inside = there.is_relative_to(self._root) and there != self._root
        return str(there.relative_to(self._root)) if inside else ""

    def _hashed(self, root: int, seen: Seen) -> dict[str, File]:
        known: dict[str, _Known] = {}
        files: dict[str, File] = {}
        self.marks = {}

        for parts, marks in seen.files.items():
            new: list[str] = []

            for name, mark in marks.items():
                path = "/".join((*parts, name))
                had = self._known.get(path)

                if had is None or had.mark != mark:
                    new.append(name)
                else:
                    known[path] = had
                    self._put(files, seen, path, had)

            if new:
                self._read(root, parts, new, seen, files, known)

        self._known = known
        return files

    def _read(
        self,
        root: int,
        parts: Parts,
        names: list[str],
        seen: Seen,
        files: dict[str, File],
        known: dict[str, _Known],
    ) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), opened(root, parts) as fd:
            for name in names:
                path = "/".join((*parts, name))

                try:
                    found = self._digest(open_file(fd, name))
                except OSError as error:
                    _note(seen.skipped, path, error)
                    continue

                self._put(files, seen, path, found)

                if time.time_ns() - max(found.mark.ctime_ns, found.mark.mtime_ns) > SETTLED:
                    known[path] = found

    def _digest(self, fd: int) -> _Known:
        with os.fdopen(fd, "rb", buffering=0) as file:
            mark = mark_of(os.fstat(fd))

            if mark.size > WHOLE:
                return _Known(mark, _sha256(file), "")

            data = file.read()

        return _Known(mark, hashlib.sha256(data).hexdigest(), self._held(data))

    def _put(self, files: dict[str, File], seen: Seen, path: str, found: _Known) -> None:
        if found.held:
            seen.skipped[path] = found.held
            return

        self.marks[path] = found.mark
        files[path] = File(found.digest, found.mark.size, bool(found.mark.mode & 0o100))


def mark_of(status: os.stat_result) -> Mark:
    """The mark of a file with this status."""
    return Mark(
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        stat.S_IMODE(status.st_mode),
    )


def _sha256(file: IO[bytes]) -> str:
    found = hashlib.sha256()

    while piece := file.read(PIECE):
        found.update(piece)

    return found.hexdigest()


def _note(skipped: dict[str, str], path: str, error: OSError) -> None:
    """What is gone by now was never there; the rest is named."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        skipped[path] = error.strerror or type(error).__name__
