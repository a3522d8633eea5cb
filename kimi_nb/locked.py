"""A file that one process at a time writes."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import warnings
from pathlib import Path

from kimi_nb.errors import TraceError, TraceLocked

__all__ = ["open_locked"]

HELD = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})
"""What `flock` says where another has the lock. All else: this disk knows no locks."""


def open_locked(path: Path) -> int:
    """The descriptor of a file that others cannot open so until it is closed.

    It is made where there is none, with its folders. Where the disk knows no locks (some
    network file systems), it warns: to run without them beats not to run.
    Raises TraceLocked if another has it, and TraceError if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise TraceError(f"cannot write the log {str(path)!r}: {error.strerror}") from None

    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise TraceError(f"cannot write the log {str(path)!r}: it is no file but a device or pipe")

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            os.close(fd)
            raise TraceLocked(f"{path} is being written by another run; cancel it first") from None

        _warn(fd, path, error)

    return fd


def _warn(fd: int, path: Path, error: OSError) -> None:
    message = (
        f"{path} lies on a disk without file locks ({error.strerror}): do not resume this run "
        "elsewhere while it goes on, or give it a log on a local disk with trace="
    )

    try:
        warnings.warn(message, RuntimeWarning, stacklevel=4)
    except BaseException:  # warnings may be errors
        os.close(fd)
        raise
