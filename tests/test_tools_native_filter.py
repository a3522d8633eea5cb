"""The filter of system calls, run here on every number and on telling arguments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kimi_nb.tools.native.numbers import ALLOWED, ARCHITECTURES, CHECKED
from kimi_nb.tools.native.seccomp import program

PID = 4242
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
HEADERS = {"x86_64": "asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
MACHINES = list(ARCHITECTURES)


def decided(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter says to a call, by the rules of the kernel's packet filter."""
    code = program(machine)
    words = {0: number, 4: ARCHITECTURES[machine] if architecture is None else architecture}

    for index, value in enumerate(arguments):
        words[16 + 8 * index] = value & 0xFFFFFFFF
        words[20 + 8 * index] = value >> 32

    at = held = 0

    while True:
        operation, if_true, if_false, raw = code[at]
        value = PID if raw == "pid" else raw
        at += 1

        match operation:
            case 0x20:
                held = words.get(value, 0)
            case 0x54:
                held &= value
            case 0x15:
                at += if_true if held == value else if_false
            case 0x35:
                at += if_true if held >= value else if_false
            case 0x45:
                at += if_true if held & value else if_false
            case 0x06:
                return value
            case _:
                pytest.fail(f"no such instruction: {operation:#x}")


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_is_decided_as_listed(machine: str) -> None:
    column = MACHINES.index(machine)
    allowed = {numbers[column] for numbers in ALLOWED.values()}
    checked = {numbers[column] for numbers in CHECKED.values()}

    for number in range(600):
        if number in checked:
            continue

        refusal = ENOSYS if number >= 425 else EPERM
        assert decided(machine, number) == (ALLOW if number in allowed else refusal)


@pytest.mark.parametrize("machine", MACHINES)
def test_other_machines_calls_end_the_process(machine: str) -> None:
    i386, other = 0x40000003, next(ARCHITECTURES[each] for each in MACHINES if each != machine)
    assert {decided(machine, 0, architecture=each) for each in (i386, other, 0)} == {KILL}


def test_the_second_set_of_numbers_ends_the_process() -> None:
    assert {decided("x86_64", 0x40000000 + each) for each in (0, 1, 59, 520)} == {KILL}


THREAD = 0x3D0F00
"""What glibc starts a thread with."""


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (THREAD,), ALLOW),
        ("clone", (0x1200011,), EPERM),  # fork
        ("clone", (0x4111,), EPERM),  # vfork
        ("clone", (THREAD | 0x10000000,), EPERM),  # with a user namespace
        ("clone", (THREAD | 0x00020000,), EPERM),
        ("clone", (0x10000 << 32,), EPERM),
        ("kill", (PID, 9), ALLOW),
        ("kill", (PID + 1, 9), EPERM),
        ("kill", (0, 9), EPERM),
        ("kill", (0xFFFFFFFF, 9), EPERM),
        ("tgkill", (PID, 1, 9), ALLOW),
        ("tgkill", (1, PID, 9), EPERM),
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (PID, 7), ALLOW),
        ("prlimit64", (1, 7), EPERM),
        ("socketpair", (1, 1), ALLOW),
        ("socketpair", (1, 0x80801), ALLOW),  # close on exec, non-blocking
        ("socketpair", (1, 2), EPERM),
        ("socketpair", (2, 1), EPERM),
        ("fcntl", (3, 1030), ALLOW),
        ("fcntl", (3, 8), EPERM),
        ("ioctl", (3, 0x5401), ALLOW),
        ("ioctl", (3, 0x5412), EPERM),  # typing into a terminal
        ("prctl", (15,), ALLOW),
        ("prctl", (1,), EPERM),
        ("prctl", (22,), EPERM),
    ],
)
def test_arguments_are_looked_at(
    machine: str, name: str, arguments: tuple[int, ...], expected: int
) -> None:
    number = CHECKED[name][MACHINES.index(machine)]
    assert decided(machine, number, *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    found = [*Path("/usr/include").glob(HEADERS[machine])]
    found += Path("/usr/include").glob(f"*/{HEADERS[machine]}")

    if not found:
        pytest.skip("this machine has no kernel headers")

    pattern = r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b"
    known = {name: int(number) for name, number in re.findall(pattern, found[0].read_text())}
    known.setdefault("newfstatat", known.get("fstatat", -1))
    column = MACHINES.index(machine)
    listed = {name: numbers[column] for name, numbers in {**ALLOWED, **CHECKED}.items()}
    assert {name: number for name, number in listed.items() if known.get(name) != number} == {}


def test_no_jump_leads_out_of_the_program() -> None:
    for machine in MACHINES:
        code = program(machine)
        assert len(code) <= 4096

        for at, (operation, if_true, if_false, _) in enumerate(code):
            assert operation == 0x06 or at + 1 + max(if_true, if_false) < len(code)
