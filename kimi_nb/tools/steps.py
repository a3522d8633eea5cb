"""One step of a path: what a name stands for in a folder that is held open."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata

from kimi_nb.errors import ToolError

__all__ = ["Parts", "actual", "check_kind", "joined", "link_target", "shown", "step_into"]

Parts = tuple[str, ...]
"""The steps from the working folder to something in it."""
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def step_into(fd: int, name: str) -> int:
    """A descriptor of the regular file or folder of that name; ToolError for all else."""
    mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
    check_kind(name, mode)
    inner = os.open(name, _FLAGS, dir_fd=fd)

    try:
        check_kind(name, os.fstat(inner).st_mode)  # it may have been replaced in between
    except ToolError:
        os.close(inner)
        raise

    return inner


def check_kind(name: str, mode: int) -> None:
    """Raises ToolError for a FIFO, a socket, a device, a link."""
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ToolError(f"{shown(name)!r} is neither a file nor a folder")


def link_target(fd: int, name: str) -> str | None:
    """Where a link leads; None for what is none."""
    try:
        return os.readlink(name, dir_fd=fd)
    except OSError as error:
        if error.errno == errno.EINVAL:  # not a link
            return None

        raise


def actual(fd: int, name: str) -> str:
    """The name on disk for a name as it was shown: names need not be printable or valid UTF-8."""
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        meant = [each for each in os.listdir(fd) if shown(each) == shown(name)]

        if len(meant) == 1:
            return meant[0]

        raise

    return name


def shown(name: str) -> str:
    """Printable, in the one form of Unicode that a model would type."""
    name = unicodedata.normalize("NFC", name)
    return name if name.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in name)


def joined(parts: Parts) -> str:
    """A path for a message."""
    return "/".join(map(shown, parts)) or "."
