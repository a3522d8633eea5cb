"""Putting a file beneath a folder that is held open, and nowhere else.

The new text goes to a file of its own in the same folder, which then takes the name: nobody
reads half a file, and what else has the old one open, or linked as hard as one may, keeps it
as it was. No link is followed, not even one that stays inside: a model that means what lies
behind can say so.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

from kimi_nb.errors import ToolError
from kimi_nb.tools.steps import Parts, actual, check_kind, joined, shown

__all__ = ["place"]

LONGEST_NAME = 255
"""Bytes; no file system of today takes more, and nothing is to be made in vain on the way."""
LONGEST_PATH = 1_000
"""Characters: what lies deeper, other programs cannot open by its path."""
MODE = 0o644
"""Of a new file, less what the user's umask takes away."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def place(root: int, parts: Parts, data: bytes) -> int | None:
    """Write a file beneath the folder with this descriptor, and the folders on the way to it.

    Returns the bytes that it had, None if it is new. Raises ToolError.
    """
    if sum(map(len, parts)) + len(parts) > LONGEST_PATH:
        raise ToolError(f"the path is longer than {LONGEST_PATH:,} characters")

    for name in parts:
        _check_name(name)

    fd = os.dup(root)

    try:
        for name in parts[:-1]:
            inner = _entered(fd, name)
            os.close(fd)
            fd = inner

        return _put(fd, parts[-1], data)
    except OSError as error:
        raise ToolError(f"{joined(parts)!r}: {error.strerror}") from error
    finally:
        os.close(fd)


def _check_name(name: str) -> None:
    if not name.isprintable():
        raise ToolError(f"{shown(name)!r} has characters that cannot be seen; take another name")

    if len(os.fsencode(name)) > LONGEST_NAME:
        raise ToolError(f"{name!r} is too long; a name has {LONGEST_NAME} bytes at most")

    if name.startswith(".") or name.lower() == "__pycache__":
        raise ToolError(
            f"{name!r} is not written: names that begin with a dot steer programs, and the logs "
            f"of runs lie behind one; take another name"
        )


def _entered(fd: int, name: str) -> int:
    """A descriptor of the folder of that name, made if need be."""
    name = _there(fd, name)

    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=fd)

    _check_no_link(fd, name)

    try:
        return os.open(name, _FOLDER, dir_fd=fd)
    except NotADirectoryError:
        raise ToolError(f"{shown(name)!r} is a file, so nothing can lie in it") from None


def _put(fd: int, name: str, data: bytes) -> int | None:
    name = _there(fd, name)
    had = _replaced(fd, name)
    mode = MODE if had is None else stat.S_IMODE(had.st_mode) & 0o777
    new = f".{secrets.token_hex(8)}.part"
    file = os.open(new, _NEW, MODE, dir_fd=fd)

    try:
        with os.fdopen(file, "wb") as writing:
            if had is not None:
                os.fchmod(file, mode)

            writing.write(data)

        os.rename(new, name, src_dir_fd=fd, dst_dir_fd=fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new, dir_fd=fd)

        raise

    return None if had is None else had.st_size


def _replaced(fd: int, name: str) -> os.stat_result | None:
    """The file that gets another text; None if there is none. Raises ToolError for all else."""
    _check_no_link(fd, name)

    try:
        had = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None

    check_kind(name, had.st_mode)

    if stat.S_ISDIR(had.st_mode):
        raise ToolError(f"{shown(name)!r} is a folder; name a file in it")

    if not had.st_mode & 0o222:
        raise ToolError(f"{shown(name)!r} is read-only; take another name")

    return had


def _check_no_link(fd: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            raise ToolError(f"{shown(name)!r} is a link; give the path of what it leads to")


def _there(fd: int, name: str) -> str:
    """The name on disk if it is there in another form of Unicode, else the name itself."""
    try:
        return actual(fd, name)
    except FileNotFoundError:
        return name
