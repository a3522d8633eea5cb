"""Run as a script in the child: gives up what the sandbox forbids, then becomes the command.

Alone in its process, so that no other thread of the notebook's is caught half-way. Needs the
standard library only. What goes wrong is written to a pipe that the command does not get.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import stat
import struct
import sys
from typing import Any

__all__ = ()  # a script

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION = 0x20080522
_FILTER = 2

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RIGHTS_OF_FILES = 0b1100_0000_0000_0111
"""Execute, write, read, truncate, ioctl; the others make sense for folders only."""

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Never returns: the command takes over, or the process ends with what went wrong."""
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        plan = json.load(file)

    os.set_inheritable(plan["trouble"], False)  # noqa: FBT003 - it has no other name

    try:
        _die_with(plan["parent"])
        _give_up_capabilities()
        _restrict_files(plan["abi"], plan["rules"])
        _limit(plan["limits"])
        _filter_calls(plan["filter"])
        os.execve(plan["command"][0], plan["command"], dict(os.environ))  # noqa: S606
    except Exception as error:  # noqa: BLE001 - whatever it is, the command must not run
        os.write(plan["trouble"], f"{type(error).__name__}: {error}".encode(errors="replace"))
        os._exit(126)


def _die_with(parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    if os.getppid() != parent:
        raise ProcessLookupError("the parent is gone")


def _give_up_capabilities() -> None:
    """Root without them is a user like any other, who owns root's files."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    capability = 0

    # Fails for who has none; without new privileges none comes back either.
    while _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1

    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _checked("capset", _libc.capset(header, bytes(24)))


def _restrict_files(abi: int, rules: list[tuple[str, int]]) -> None:
    handled = (1 << (16 if abi >= 5 else 15)) - 1
    attributes = struct.pack("=Q", handled)

    if abi >= 4:
        attributes += struct.pack("=Q", 0b11)  # TCP: bind, connect

    if abi >= 6:
        attributes += struct.pack("=Q", 0b11)  # abstract sockets, signals

    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)

    for path, rights in rules:
        _allow(ruleset, path, rights)

    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return

    mode = os.fstat(fd).st_mode

    if not stat.S_ISDIR(mode):
        rights &= _RIGHTS_OF_FILES

    if rights and not stat.S_ISLNK(mode):
        _call(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, fd), 0)

    os.close(fd)


def _limit(limits: dict[str, tuple[int, int]]) -> None:
    for name, wanted in limits.items():
        which = getattr(resource, name)
        most = resource.getrlimit(which)[1]
        unlimited = most == resource.RLIM_INFINITY
        soft, hard = wanted if unlimited else (min(each, most) for each in wanted)
        resource.setrlimit(which, (soft, hard))


def _filter_calls(program: list[tuple[int, int, int, Any]]) -> None:
    pid = os.getpid()
    code = b"".join(
        struct.pack("=HBBI", *head, pid if value == "pid" else value) for *head, value in program
    )
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    _prctl(_PR_SET_SECCOMP, _FILTER, filter_)


def _prctl(option: int, value: int, pointer: bytes | None = None) -> None:
    unused = ctypes.c_ulong(0)
    third = unused if pointer is None else ctypes.c_char_p(pointer)
    result = _libc.prctl(option, ctypes.c_ulong(value), third, unused, unused)
    _checked(f"prctl {option}", result)


def _call(number: int, *arguments: int | bytes) -> int:
    result = _libc.syscall(
        ctypes.c_long(number),
        *[
            ctypes.c_char_p(each) if isinstance(each, bytes) else ctypes.c_ulong(each)
            for each in arguments
        ],
    )
    return _checked(f"landlock {number}", result)


def _checked(what: str, result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")

    return result


if __name__ == "__main__":
    main()
