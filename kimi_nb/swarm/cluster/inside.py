"""Reading and writing inside a folder that is held open, by names and never through a link.

Tools of sub-agents work in the same folder at the same time: a path that was checked as a
string could be another one by the time it is opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from kimi_nb.swarm.cluster.manifest import LEFT_OUT
from kimi_nb.tools.steps import Parts

__all__ = [
    "NEW",
    "PIECE",
    "is_scratch",
    "open_file",
    "opened",
    "pieces",
    "remove",
    "replace",
    "scratch",
]

PIECE = 1 << 20
"""Bytes of a piece of a large file."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SCRATCH = len(f".{'0' * 16}.part")


@contextlib.contextmanager
def opened(root: Path | int, parts: Parts = (), *, make: int = 0) -> Generator[int]:
    """A descriptor of a folder beneath `root`; `make`: the mode of those that are made on the way.

    Raises OSError.
    """
    fd = os.dup(root) if isinstance(root, int) else os.open(root, _FOLDER & ~os.O_NOFOLLOW)

    try:
        for name in parts:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, make, dir_fd=fd)

            inner = os.open(name, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = inner

        yield fd
    finally:
        os.close(fd)


def open_file(fd: int, name: str) -> int:
    """A descriptor of a regular file in a folder. Raises OSError."""
    file = os.open(name, _FILE, dir_fd=fd)

    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise FileNotFoundError(name)

    return file


def pieces(file: int) -> Iterator[bytes]:
    """What a file holds, PIECE bytes at a time; closes it in the end."""
    with os.fdopen(file, "rb", buffering=0) as reading:
        while piece := reading.read(PIECE):
            yield piece


def scratch() -> str:
    """A name for a file that is not whole yet."""
    return f".{secrets.token_hex(8)}.part"


def is_scratch(name: str) -> bool:
    """Whether a file is being written under this name, here or by the tool write_file."""
    return len(name) == _SCRATCH and name[0] == "." and name.endswith(".part")


def replace(fd: int, name: str, content: Iterable[bytes], mode: int, digest: str) -> bool:
    """Write a file in a folder, whole or not at all.

    False: the content has not this digest, and the old file stays. Raises OSError,
    IsADirectoryError where a folder has the name.
    """
    new = scratch()
    file = os.open(new, NEW, mode, dir_fd=fd)
    found = hashlib.sha256()

    try:
        with os.fdopen(file, "wb", buffering=0) as writing:
            for piece in content:
                _write_all(writing.fileno(), piece)
                found.update(piece)

        whole = found.hexdigest() == digest

        if whole:
            os.rename(new, name, src_dir_fd=fd, dst_dir_fd=fd)
            return True
    except BaseException:
        _forget(fd, new)
        raise

    _forget(fd, new)
    return False


def remove(fd: int, name: str) -> bool:
    """Remove a file, a link itself, or a folder in which nothing is left but LEFT_OUT.

    Whether it is gone. Raises OSError.
    """
    if not stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=fd)
        return True

    with opened(fd, (name,)) as folder:
        for each in os.listdir(folder):  # noqa: PTH208 - by descriptor
            if each.lower() in LEFT_OUT:
                shutil.rmtree(each, ignore_errors=True, dir_fd=folder)

    os.rmdir(name, dir_fd=fd)
    return True


def _forget(fd: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=fd)


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)

    while rest:
        rest = rest[os.write(fd, rest) :]
