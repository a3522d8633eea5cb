"""A private folder for one call, and its removal whatever was done in it."""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
from collections.abc import Generator
from functools import partial
from pathlib import Path

__all__ = ["scratch_folder"]

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def scratch_folder() -> Generator[Path, None, None]:
    """A folder that no other user can enter, removed at the end. Without links in its path."""
    path = Path(tempfile.mkdtemp(prefix="kimi_nb-")).resolve()
    at_exit = partial(_remove, path)
    atexit.register(at_exit)

    try:
        yield path
    finally:
        _remove(path)
        atexit.unregister(at_exit)


def _remove(path: Path) -> None:
    """Remove a folder that strangers filled, however deep, and with closed folders in it.

    `shutil.rmtree` recurses, and stops at both. What cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        path.chmod(0o700)
        _empty(os.open(path, _FLAGS))
        path.rmdir()


def _empty(fd: int) -> None:
    """Empty the folder behind `fd`, going down by names and up by `..`. Closes `fd`."""
    names: list[str] = []
    waiting = [_subfolders(fd)]

    while waiting:
        if waiting[-1]:
            name = waiting[-1].pop()

            with contextlib.suppress(OSError):
                os.chmod(name, 0o700, dir_fd=fd)
                fd = _changed(fd, name)
                names.append(name)
                waiting.append(_subfolders(fd))

            continue

        waiting.pop()

        if names:
            fd = _changed(fd, "..")

            with contextlib.suppress(OSError):
                os.rmdir(names.pop(), dir_fd=fd)

    os.close(fd)


def _changed(fd: int, name: str) -> int:
    other = os.open(name, _FLAGS, dir_fd=fd)
    os.close(fd)
    return other


def _subfolders(fd: int) -> list[str]:
    """Their names, once all else in the folder is removed."""
    found: list[str] = []

    with os.scandir(fd) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                found.append(entry.name)
                continue

            with contextlib.suppress(OSError):
                os.unlink(entry.name, dir_fd=fd)

    return found
