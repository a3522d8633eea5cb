"""Opening files beneath one folder, and nothing else.

Every step of a path is opened on its own, relative to the descriptor of the step before and
never through a link: a path that was checked as a string could be another one by the time
it is opened. Links are read and followed by hand, inside the folder only. Only regular
files and folders are opened: a FIFO or a device could block, or worse.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self

from kimi_nb.errors import ToolError
from kimi_nb.tools.nearest import nearest
from kimi_nb.tools.placing import place
from kimi_nb.tools.steps import Parts, actual, check_kind, joined, link_target, shown, step_into

__all__ = ["SANDBOX_ROOT", "SKIPPED", "Entry", "Folder"]

SANDBOX_ROOT = "/data"
"""Where the sandbox of the python tool has the working folder; understood here as well."""
SKIPPED = frozenset({".git", "__pycache__", ".ipynb_checkpoints"})
"""Folders that nobody means by "all files"."""
MOST_LINKS = 20
MOST_ENTRIES = 100_000


class Entry(NamedTuple):
    """A file or a folder, with links already followed."""

    parts: Parts
    is_folder: bool
    size: int
    """Bytes; 0 for a folder."""
    is_link: bool = False

    @property
    def path(self) -> str:
        """Relative to the working folder, printable, with a / at the end of a folder."""
        return "/".join(map(shown, self.parts)) + ("/" if self.is_folder else "")


class Folder:
    """A working folder, held open. A context manager. Everything raises ToolError."""

    __slots__ = ("_fd", "_given", "_path")

    def __init__(self, path: Path) -> None:
        self._given = path.absolute()
        self._path = path.resolve()

        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ToolError(f"the working folder {str(path)!r}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def parts(self, path: str) -> Parts:
        """The steps to `path`, which may be absolute if it lies in the working folder."""
        if "\0" in path:
            raise ToolError("a path cannot contain a NUL character")

        pure = PurePosixPath(path)
        pure = self._relative(pure) if pure.is_absolute() else pure

        if pure is None or ".." in pure.parts:
            raise _leads_out(path)

        return pure.parts

    def entry(self, parts: Parts) -> Entry:
        """What lies there."""
        with self._opened(parts, "file or folder") as fd:
            return _entry(parts, os.fstat(fd))

    def read(self, parts: Parts, limit: int) -> bytes:
        """The bytes of a file that has at most `limit`."""
        with self._opened(parts, "file") as fd:
            found = _entry(parts, os.fstat(fd))

            if found.is_folder:
                raise ToolError(f"{found.path!r} is a folder; call list_files to see what it has")

            if found.size > limit:
                size = found.size / 1_000_000
                raise ToolError(f"{found.path!r} is too large to read ({size:,.0f} MB)")

            with open(fd, "rb", closefd=False) as file:
                return file.read(limit)

    def write(self, parts: Parts, data: bytes) -> int | None:
        """Put a file there, whole or not at all; how many bytes it had, None if it is new."""
        return place(self._fd, parts, data)

    def entries(self, parts: Parts) -> list[Entry]:
        """What a folder has, by name; without what leads out or is neither file nor folder."""
        with self._opened(parts, "folder") as fd:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                raise ToolError(f"{joined(parts)!r} is a file; call read_file to read it")

            found = [self._child(fd, (*parts, name)) for name in sorted(os.listdir(fd))]  # noqa: PTH208 - by descriptor

        return [entry for entry in found if entry is not None]

    def walk(self, parts: Parts) -> Iterator[Entry]:
        """All below a folder, without the inside of SKIPPED folders and of links to folders."""
        waiting = [parts]
        count = 0

        while waiting:
            for entry in self.entries(waiting.pop()):
                yield entry
                count += 1

                if entry.is_folder and not entry.is_link and entry.parts[-1] not in SKIPPED:
                    waiting.append(entry.parts)

                if count > MOST_ENTRIES:
                    raise ToolError(f"more than {MOST_ENTRIES:,} files; name a folder in it")

    def _relative(self, path: PurePosixPath) -> PurePosixPath | None:
        for root in (self._path, self._given, SANDBOX_ROOT):
            if path.is_relative_to(root):
                return path.relative_to(root)

        return None

    def _child(self, fd: int, parts: Parts) -> Entry | None:
        with contextlib.suppress(ToolError, OSError):
            status = os.stat(parts[-1], dir_fd=fd, follow_symlinks=False)

            if stat.S_ISLNK(status.st_mode):
                return self.entry(parts)._replace(is_link=True)

            check_kind(parts[-1], status.st_mode)
            return _entry(parts, status)

        return None

    @contextlib.contextmanager
    def _opened(self, parts: Parts, kind: str) -> Generator[int, None, None]:
        fd = self._open(parts, kind)

        try:
            yield fd
        finally:
            os.close(fd)

    def _open(self, parts: Parts, kind: str, links: int = 0) -> int:
        """A descriptor of a regular file or a folder; `kind` is what the message asks for."""
        if links > MOST_LINKS:
            raise ToolError(f"{joined(parts)!r}: too many links")

        fd = os.dup(self._fd)

        try:
            for at, step in enumerate(parts):
                name = actual(fd, step)
                target = link_target(fd, name)

                if target is not None:
                    there = self._resolved(parts[: at + 1], target)
                    return self._open(there + parts[at + 1 :], kind, links + 1)

                inner = step_into(fd, name)
                os.close(fd)
                fd = inner

            return os.dup(fd)
        except FileNotFoundError:
            raise self._missing(parts, kind) from None
        except OSError as error:
            raise ToolError(f"{joined(parts)!r}: {error.strerror}") from error
        finally:
            os.close(fd)

    def _resolved(self, link: Parts, target: str) -> Parts:
        """Where a link leads. Safe even if wrong: the result is walked anew, step by step."""
        path: PurePosixPath | None = PurePosixPath(target)
        steps = list(link[:-1])

        if path.is_absolute():
            steps, path = [], self._relative(path)

        for step in path.parts if path is not None else ("..",):
            if step != "..":
                steps.append(step)
            elif steps:
                steps.pop()
            else:
                raise ToolError(f"{joined(link)!r} is a link that leads out of the working folder")

        return tuple(steps)

    def _missing(self, parts: Parts, kind: str) -> ToolError:
        """Says which step of a path is not there, and what is."""
        for depth, step in enumerate(parts):
            with contextlib.suppress(ToolError):
                there = self.entries(parts[:depth])

                if all(entry.parts[-1] != step for entry in there):
                    last = depth + 1 == len(parts)
                    return _not_there(parts[: depth + 1], there, kind if last else "folder")

        return ToolError(f"no {kind} {joined(parts)!r}")


def _not_there(parts: Parts, there: list[Entry], kind: str) -> ToolError:
    known = [entry.path for entry in there if entry.is_folder or kind != "folder"]
    names = ", ".join(nearest(joined(parts), known, 20)) or "none"
    return ToolError(f"no {kind} {joined(parts)!r}; there are: {names}")


def _leads_out(path: str) -> ToolError:
    return ToolError(
        f"{path!r} leads out of the working folder; give a path relative to it, without '..'"
    )


def _entry(parts: Parts, status: os.stat_result) -> Entry:
    is_folder = stat.S_ISDIR(status.st_mode)
    return Entry(parts, is_folder, 0 if is_folder else status.st_size)
