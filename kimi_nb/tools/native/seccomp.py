"""The filter of system calls, assembled by hand: a program for the kernel's old packet filter.

It is worked out here and handed to the child, which installs it. A filter has no more than
the numbers of a call and of its arguments; what a path leads to is landlock's business.
"""

from __future__ import annotations

from typing import Literal

from kimi_nb.tools.native.numbers import ALLOWED, ARCHITECTURES, CHECKED

__all__ = ["Instruction", "program"]

Instruction = tuple[int, int, int, int | Literal["pid"]]
"""Code, jump if true, jump if false, value; "pid" is the child's own number, which it knows."""

_LOAD = 0x20
_EQUAL = 0x15
_AT_LEAST = 0x35
_ANY_BIT = 0x45
_MASK = 0x54
_RETURN = 0x06

_NUMBER, _ARCHITECTURE = 0, 4
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_EPERM = 0x00050000 | 1
_ENOSYS = 0x00050000 | 38

_NEWEST_TRIED = 425
"""Libraries try calls from here on first and fall back when they hear ENOSYS."""
_CLONE3 = 435
_X32 = 0x40000000
"""The second set of numbers that x86_64 has for the same calls."""

_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020000
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032)
"""Duplicate, flags, locks, size of a pipe. Not F_SETOWN, which sends signals to others."""
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x40049409)
"""Is it a terminal, its size, bytes that wait, non-blocking, close on exec; and cloning a file,
which Python 3.14 copies with where it hears nothing worse than that it cannot be done."""
_PRCTL = (3, 15, 16, 21, 23, 39, 0x53564D41)
"""Names of threads and of memory, and questions. Not PR_SET_PDEATHSIG."""


def program(machine: str) -> list[Instruction]:
    """The filter for a machine by its name, as `platform.machine()` has it."""
    column = list(ARCHITECTURES).index(machine)
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]

    if machine == "x86_64":
        code += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]

    for numbers in ALLOWED.values():
        number = numbers[column]

        if number is not None:
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]

    for name, check in _checks().items():
        code += [(_EQUAL, 0, len(check), CHECKED[name][column]), *check]

    code += [(_AT_LEAST, 0, 1, _NEWEST_TRIED), (_RETURN, 0, 0, _ENOSYS)]
    return [*code, (_RETURN, 0, 0, _EPERM)]


def _checks() -> dict[str, list[Instruction]]:
    """What each call of CHECKED must look like."""
    return {
        "clone": [
            _argument(0),
            (_ANY_BIT, 0, 2, _CLONE_THREAD),
            (_ANY_BIT, 1, 0, _CLONE_NAMESPACES),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _EPERM),
        ],
        "fcntl": _one_of(1, _FCNTL),
        "ioctl": _one_of(1, _IOCTL),
        "kill": _one_of(0, ("pid",)),
        "prctl": _one_of(0, _PRCTL),
        "prlimit64": _one_of(0, (0, "pid")),
        "socketpair": [
            _argument(0),
            (_EQUAL, 0, 4, 1),  # AF_UNIX
            _argument(1),
            (_MASK, 0, 0, 0xF),
            (_EQUAL, 0, 1, 1),  # SOCK_STREAM: a datagram could be sent to any address
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _EPERM),
        ],
        "tgkill": _one_of(0, ("pid",)),
    }


def _one_of(argument: int, values: tuple[int | Literal["pid"], ...]) -> list[Instruction]:
    code: list[Instruction] = [_argument(argument)]

    for value in values:
        code.append((_EQUAL, 0, 1, value))
        code.append((_RETURN, 0, 0, _ALLOW))

    return [*code, (_RETURN, 0, 0, _EPERM)]


def _argument(index: int) -> Instruction:
    """The lower half of an argument: both machines have it first."""
    return (_LOAD, 0, 0, 16 + 8 * index)
