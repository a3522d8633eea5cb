"""The working folder on the kernel's machine, for workers elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.redact import holds_key
from kimi_nb.swarm.cluster.inside import open_file, opened, pieces
from kimi_nb.swarm.cluster.manifest import FOLDER, Manifest, above, steps
from kimi_nb.swarm.cluster.tree import MOST_BYTES, Seen, Tree
from kimi_nb.tools.beneath import Folder as Beneath
from kimi_nb.tools.shadows import check_no_module
from kimi_nb.tools.steps import Parts, joined, shown

__all__ = ["MOST_BYTES", "MOST_FILES", "Folder"]

MOST_FILES = 5_000
"""And as many folders."""


class Folder:
    """What workers need of a folder, and what they send back into it.

    Not for two threads at once. What a worker sends is treated as what a model sends: it may
    do what the tool write_file may, and no more. `log` is the run's own, which grows with every
    fact: if it lies in the folder, it is neither sent nor taken.
    """

    __slots__ = ("_log", "_path", "_paths", "_tree")

    def __init__(self, path: Path, log: Path | None = None) -> None:
        self._path = path.resolve()
        self._log = _below(self._path, log)
        self._tree = Tree(path, _check(self._path), _held, self._log)
        self._paths: dict[str, str] = {}
        """Of one file for each content of the last manifest."""

    def manifest(self) -> Manifest:
        """What the folder holds now. After the first time, unchanged files are not read.

        Left out: logs of runs, .git and the like, links that lead out, what is neither file nor
        folder; and by name, in `skipped`: what cannot be read, and files with a key in them.
        Raises UsageFault if it cannot be read or is too large to be sent.
        """
        found = self._tree.manifest()
        self._paths = {file.digest: path for path, file in found.files()}
        return found

    def pieces(self, digest: str) -> Iterator[bytes]:
        """A content of the last manifest, in pieces of PIECE bytes.

        If the file changes, or is gone, other bytes come, or fewer: `Receiver.finish` then says
        no, and it takes a new manifest.
        """
        if digest not in self._paths:
            return

        parts = steps(self._paths[digest])

        with contextlib.suppress(OSError):
            with opened(self._path, parts[:-1]) as fd:
                file = open_file(fd, parts[-1])

            yield from pieces(file)

    def take(self, path: str, digest: str, data: bytes = b"") -> None:
        """Write what a worker has written, whole or not at all; "folder" makes a folder.

        An existing file keeps its mode. Raises ToolError for a path that is not allowed, for
        data that is not what it was called, and where it cannot be written.
        """
        parts = self._named(path)

        if digest == FOLDER:
            self._make(parts)
            return

        if hashlib.sha256(data).hexdigest() != digest:
            raise ToolError(f"{joined(parts)!r} did not arrive as it was sent")

        check_no_module(self._path, parts)

        with Beneath(self._path) as root:
            root.write(parts, data)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with nothing in it; a folder with something in it stays.

        It may be gone already. Raises ToolError for a path that is not allowed, and where it
        cannot be removed.
        """
        parts = steps(path)
        name = parts[-1]
        self._named(path)

        try:
            with opened(self._path, parts[:-1]) as fd:
                mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode

                if stat.S_ISREG(mode):
                    os.unlink(name, dir_fd=fd)
                elif stat.S_ISDIR(mode):
                    with contextlib.suppress(OSError):
                        os.rmdir(name, dir_fd=fd)
                else:
                    raise ToolError(f"{joined(parts)!r} is neither a file nor a folder")
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise ToolError(f"{joined(parts)!r}: {error.strerror}") from error

    def _named(self, path: str) -> Parts:
        """Names that a worker may use, as write_file would have them: with nothing unseen in them.

        Raises ToolError for the others.
        """
        parts = steps(path)

        if any(name.startswith(".") for name in parts):
            raise ToolError(
                f"{joined(parts)!r} is not taken: names that begin with a dot steer programs; "
                "take another name"
            )

        if shown(self._log) in {shown(path), *map(shown, above(path))}:
            raise ToolError(f"{joined(parts)!r} is the log of this run; take another name")

        return tuple(name if name.isprintable() else shown(name) for name in parts)

    def _make(self, parts: Parts) -> None:
        try:
            with opened(self._path, parts, make=0o777):
                pass
        except OSError as error:
            raise ToolError(f"{joined(parts)!r}: {error.strerror}") from error


def _below(path: Path, log: Path | None) -> str:
    """The log's path in the folder, "" if it lies elsewhere."""
    there = path if log is None else log.resolve()
    return str(there.relative_to(path)) if there != path and there.is_relative_to(path) else ""


def _held(data: bytes) -> str:
    return "it has a key in it" if holds_key(data.decode("utf-8", "ignore")) else ""


def _check(path: Path) -> Callable[[Seen], None]:
    """Refuses what is too large to be sent."""

    def check(seen: Seen) -> None:
        sizes = dict(seen.sizes())
        total = sum(sizes.values())

        if max(len(sizes), len(seen.folders)) <= MOST_FILES and total <= MOST_BYTES:
            return

        raise UsageFault(
            f"{str(path)!r} is too large to be sent to the workers of a cluster: {len(sizes):,} "
            f"files in {len(seen.folders):,} folders, {total / 1e6:,.0f} MB; {MOST_FILES:,} files "
            f"and {MOST_BYTES / 1e6:.0f} MB can be. Give a smaller folder with --folder"
            f"{_example(path, sizes)}"
        )

    return check


def _example(path: Path, sizes: dict[str, int]) -> str:
    """The folder in it that has most and can be sent."""
    files = Counter(each.partition("/")[0] for each in sizes if "/" in each)
    total = Counter[str]()

    for each, size in sizes.items():
        total[each.partition("/")[0]] += size

    fit = [
        name
        for name, count in files.most_common()
        if count <= MOST_FILES and total[name] <= MOST_BYTES and not name.startswith(".")
    ]
    return f", for example --folder {shlex.quote(str(path / fit[0]))}" if fit else ""
