"""A run's working folder as a worker has it, and what the worker's sub-agents change in it."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import posixpath
import shutil
import stat
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.cluster import inside
from kimi_nb.swarm.cluster.cache import Cache, told
from kimi_nb.swarm.cluster.inside import opened
from kimi_nb.swarm.cluster.manifest import (
    FOLDER,
    Change,
    Entry,
    File,
    Link,
    Manifest,
    differences,
    steps,
)
from kimi_nb.swarm.cluster.tree import Tree, mark_of

__all__ = ["Copy"]

_MOVED = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY}
)


class Copy:
    """A copy of a run's folder, made equal to manifests, and watched for what tools write.

    All sub-agents of the run on this worker process share it, as they share the folder in one
    kernel; another process on the machine has a copy of its own. Not for two threads at once:
    the caller lets one finish before the next of a run begins. Tools may work meanwhile: what
    they write while `update` writes the very same file may be lost, as between two agents
    anywhere; the rest is kept.

    What is missing in it counts as removed by the sub-agents, and the kernel removes the user's
    own file: so whoever removes the copy as a whole closes it first. A Dask worker that closes
    removes its folder when nothing can be sent from it any more.
    """

    __slots__ = ("_base", "_cache", "_closed", "_tree", "path")

    def __init__(self, cache: Cache, root: Path) -> None:
        with told(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root.chmod(0o700)

        self._cache = cache
        self._closed = False
        self.path = root.resolve()
        """The folder for tools."""
        self._tree = Tree(self.path)
        self._base: dict[str, Entry] = {}
        """What the kernel is known to have, as far as it has arrived here."""
        atexit.register(self.close)  # before whoever else empties the disk at exit

    def missing(self, manifest: Manifest) -> list[str]:
        """The digests that `update` needs and the cache has not. Raises UsageFault."""
        plan = self._plan(manifest)
        wanted = {entry.digest for entry in plan.wanted.values() if isinstance(entry, File)}
        return sorted(digest for digest in wanted if not self._cache.has(digest))

    def update(self, manifest: Manifest) -> list[str]:
        """Make the copy equal to the manifest, but for what was changed here and not yet sent.

        Returns the digests that the cache had not, or had damaged: their files are as they were.
        Get them, and call it again. Raises UsageFault if the disk is full.
        """
        plan = self._plan(manifest)
        lacking: set[str] = set()

        with told(self.path), opened(self.path) as root:
            for path in plan.unwanted:
                if self._removed(root, path):
                    self._base.pop(path, None)

            for path, entry in plan.wanted.items():
                if self._written(root, path, entry, lacking):
                    self._base[path] = entry

        self._base |= plan.equal

        for path in plan.gone:
            self._base.pop(path, None)

        return sorted(lacking)

    def changes(self) -> list[Change]:
        """What was changed here since it was last told as sent, in the order to send it in.

        Costs a walk, and reading what is new. Links are not among it, nor is the executable
        bit. Raises UsageFault if the copy cannot be read, holds too many files, or is being
        removed.
        """
        found = differences(self._had(), self._tree.manifest())

        if self._closed:  # asked last: it was whole while it was looked at
            raise UsageFault(f"the copy of the folder at {str(self.path)!r} is being removed")

        return found

    def pieces(self, change: Change) -> Iterator[bytes]:
        """What a changed file holds, in pieces: by now other bytes, or nothing if it is gone."""
        parts = steps(change.path)

        with contextlib.suppress(OSError):
            with opened(self.path, parts[:-1]) as fd:
                file = inside.open_file(fd, parts[-1])

            yield from inside.pieces(file)

    def sent(self, change: Change) -> None:
        """The kernel has taken the change, or refused it: its folder counts again.

        After a refusal the next `update` puts the file back as the kernel has it.
        """
        if change.digest is None:
            self._base.pop(change.path, None)
        elif change.digest == FOLDER:
            self._base[change.path] = FOLDER
        else:
            self._base[change.path] = File(change.digest, change.size, executable=False)

    def close(self) -> None:
        """Remove the copy. No `changes` come from it any more, not even in another thread."""
        self._closed = True
        atexit.unregister(self.close)
        shutil.rmtree(self.path, ignore_errors=True)

    def _had(self) -> Manifest:
        return Manifest(entries=self._base, skipped={})

    def _plan(self, manifest: Manifest) -> _Plan:
        """What to do for each path. What was changed here stays.

        So does the folder that it lies in, for that cannot be removed; and what would lie in a
        folder that is none here cannot be written.
        """
        now = self._tree.manifest()
        changed = {change.path for change in differences(self._had(), now)}
        plan = _Plan({}, [], {}, [])

        for path in sorted(now.entries.keys() | manifest.entries.keys() | self._base.keys()):
            here, want = now.entries.get(path), manifest.entries.get(path)

            if now.hides(path):
                continue

            if here == want:
                if want is None:
                    plan.gone.append(path)
                else:
                    plan.equal[path] = want
            elif path not in changed:
                if here is not None and type(here) is not type(want) and self._known(path, here):
                    plan.unwanted.append(path)

                if want is not None:
                    plan.wanted[path] = want

        plan.unwanted.reverse()
        return plan

    def _known(self, path: str, here: Entry) -> bool:
        """Whether it may go: a link that a tool has made stays, for it is never sent."""
        return not isinstance(here, Link) or path in self._base

    def _written(self, root: int, path: str, entry: Entry, lacking: set[str]) -> bool:
        """Whether it is there now; not where a tool has just changed what is in its place."""
        *folder, name = steps(path)

        with _meanwhile(), opened(root, tuple(folder)) as fd:
            match entry:
                case Link(target):
                    _link(fd, name, posixpath.relpath(target, posixpath.dirname(path) or "."))
                case "folder":
                    _folder(fd, name)
                case File(digest, _, executable):
                    if not self._as_seen(fd, name, path):
                        return False

                    content = self._cache.pieces(digest)
                    mode = 0o700 if executable else 0o600

                    if not inside.replace(fd, name, content, mode, digest):
                        self._cache.drop(digest)
                        lacking.add(digest)
                        return False

            return True

        return False

    def _removed(self, root: int, path: str) -> bool:
        *folder, name = steps(path)

        with _meanwhile(), opened(root, tuple(folder)) as fd:
            return self._as_seen(fd, name, path) and inside.remove(fd, name)

        return False

    def _as_seen(self, fd: int, name: str, path: str) -> bool:
        """Whether no tool has written that file since it was looked at."""
        try:
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return path not in self._tree.marks

        return not stat.S_ISREG(status.st_mode) or mark_of(status) == self._tree.marks.get(path)


class _Plan(NamedTuple):
    equal: dict[str, Entry]
    unwanted: list[str]
    """To be removed, what lies in a folder before the folder."""
    wanted: dict[str, Entry]
    """To be written, a folder before what lies in it."""
    gone: list[str]
    """Neither here nor there."""


@contextlib.contextmanager
def _meanwhile() -> Generator[None]:
    """Passes over what a tool has replaced, moved or removed just now: the next look tells."""
    try:
        yield
    except OSError as error:
        if error.errno not in _MOVED:
            raise


def _folder(fd: int, name: str) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=fd)
    except FileExistsError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=fd)  # a FIFO, say: nothing that would ever be sent
            os.mkdir(name, 0o700, dir_fd=fd)


def _link(fd: int, name: str, target: str) -> None:
    with contextlib.suppress(OSError):
        if os.readlink(name, dir_fd=fd) == target:
            return

    new = inside.scratch()
    os.symlink(target, new, dir_fd=fd)

    try:
        os.rename(new, name, src_dir_fd=fd, dst_dir_fd=fd)
    except OSError:
        os.unlink(new, dir_fd=fd)
        raise
