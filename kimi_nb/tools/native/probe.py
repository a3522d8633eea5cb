"""Whether this machine can restrict a process as the sandbox needs it."""

from __future__ import annotations

import errno
import os
import platform
import sys

from kimi_nb.errors import ToolError
from kimi_nb.tools.native.numbers import ARCHITECTURES

__all__ = ["available", "landlock_abi", "required_abi"]

LEAST_ABI = 3
"""Older ones let a program truncate files that it may not write."""

_CREATE_RULESET = 444
_RULESET_VERSION = 1
_PR_SET_SECCOMP = 22
_SECCOMP_FILTER = 2


def available() -> str:
    """Why native Python cannot be sandboxed here; "" if it can."""
    if sys.platform != "linux":
        return f"the native sandbox needs Linux, and this is {sys.platform}; use the python tool"

    if platform.machine() not in ARCHITECTURES or sys.maxsize < 2**32:
        return f"the native sandbox does not know this processor ({platform.machine()})"

    abi = landlock_abi()

    if abi < LEAST_ABI:
        found = f"landlock {abi}" if abi else "no landlock"
        return (
            f"this kernel has {found}, and the native sandbox needs landlock {LEAST_ABI} "
            "(Linux 6.2, with landlock among its security modules); use the python tool"
        )

    if not _has_seccomp():
        return "this kernel has no seccomp filters, which the native sandbox needs"

    if not sys.executable:
        return "the path of this Python is unknown, so the native sandbox cannot start another"

    return ""


def required_abi() -> int:
    """The version of landlock that is here. Raises ToolError if there is no sandbox."""
    why = available()

    if why:
        raise ToolError(why)

    return landlock_abi()


def landlock_abi() -> int:
    """The version of landlock that the kernel has; 0 if none, or if it is switched off."""
    import ctypes  # a `%load_ext` would wait for it

    libc = ctypes.CDLL(None, use_errno=True)
    number, size, flags = (ctypes.c_long(each) for each in (_CREATE_RULESET, 0, _RULESET_VERSION))
    return max(0, libc.syscall(number, None, size, flags))


def _has_seccomp() -> bool:
    """The kernel looks at the filter, which is not there, only if it has filters at all."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, None, 0, 0)
    return os.strerror(ctypes.get_errno()) == os.strerror(errno.EFAULT)
