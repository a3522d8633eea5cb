"""A private folder for one call, and its removal whatever was done in it."""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
from collections.abc import Generator
from functools import partial
from pathlib import Path

__all__ = ["remove", "scratch_folder"]


@contextlib.contextmanager
def scratch_folder() -> Generator[Path, None, None]:
    """A folder that no other user can enter, removed at the end. Without links in its path."""
    outer = Path(tempfile.mkdtemp(prefix="kimi_nb-")).resolve()
    inner = outer / "scratch"
    inner.mkdir()
    at_exit = partial(remove, outer)
    atexit.register(at_exit)

    try:
        yield inner
    finally:
        remove(outer)
        atexit.unregister(at_exit)


def remove(outer: Path) -> None:
    """Remove a folder with all that strangers put into folders in it, however deep or closed.

    Without recursion: what is found in a folder is moved to the top, so no path gets long.
    Links are never followed, and what cannot be removed stays.
    """
    waiting = list(outer.iterdir())
    found = list(waiting)

    while waiting:
        for entry in _entries(waiting.pop()):
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    path = outer / f"{len(found)}"
                    Path(entry.path).chmod(0o700)  # else it could not get another parent
                    Path(entry.path).rename(path)
                    waiting.append(path)
                    found.append(path)
                else:
                    Path(entry.path).unlink()

    with contextlib.suppress(OSError):
        for path in found:
            path.rmdir()

        outer.rmdir()


def _entries(path: Path) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        return list(entries)

    return []
