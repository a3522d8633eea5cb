"""Learners' keys: shown once, kept as hashes."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import orjson

from kimi_nb.errors import UsageFault
from kimi_nb.proxy.sheet import Sheet

__all__ = ["Keyring", "Who", "mint"]

BEGINNING = "sk-class-"
NAME = re.compile(r"[\w.@+-][\w.@+ -]{0,79}")


class Who(NamedTuple):
    """A learner in a class."""

    group: str
    student: str


class Keyring:
    """Knows whose key it is. What others mint meanwhile is seen at the next look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, int] | None = None
        self._whose: dict[str, Who] = {}

    def whose(self, key: str) -> Who | None:
        """The learner with this key; None: it is nobody's, or was replaced."""
        self._refresh()
        return self._whose.get(_digest(key))  # its time tells of hashes, which nobody can aim at

    def learners(self) -> list[Who]:
        """All who have a key."""
        self._refresh()
        return sorted(self._whose.values())

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._read, self._whose = None, {}
            return

        if (seen := (stat.st_mtime_ns, stat.st_size)) != self._read:
            self._whose = {digest: who for who, digest in _last(self._path).items()}
            self._read = seen


def mint(sheet: Sheet, learners: Iterable[Who]) -> dict[Who, str]:
    """A new key for each, in place of the one that it may have had.

    Raises UsageFault for a class that is not in the sheet, a name that cannot be one, and where
    the seats do not suffice.
    """
    had = set(Keyring(sheet.keys).learners())
    keys = {who: BEGINNING + secrets.token_urlsafe(32) for who in learners}

    for who in keys:
        if who.group not in sheet.groups:
            known = ", ".join(sheet.groups)
            raise UsageFault(f"{sheet.path} has no class {who.group!r}; it has {known}")

        if not NAME.fullmatch(who.student):
            raise UsageFault(f"{who.student!r} is no name: letters, digits, blanks and .@+-_")

    for name, group in sheet.groups.items():
        taken = sum(who.group == name for who in had | keys.keys())

        if group.seats is not None and taken > group.seats:
            message = (
                f"class {name} has {group.seats} seats, and this makes {taken} learners; "
                f"raise seats in {sheet.path}"
            )
            raise UsageFault(message)

    lines = [
        {"class": who.group, "student": who.student, "sha256": _digest(key)}
        for who, key in keys.items()
    ]
    fd = os.open(sheet.keys, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    try:
        os.write(fd, b"".join(orjson.dumps(line) + b"\n" for line in lines))
    finally:
        os.close(fd)

    return keys


def _last(path: Path) -> dict[Who, str]:
    """The hash of each learner's newest key."""
    found: dict[Who, str] = {}

    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            entry = orjson.loads(line)
            found[Who(entry["class"], entry["student"])] = entry["sha256"]
        except (ValueError, TypeError, KeyError):
            raise UsageFault(f"{path}:{number} is damaged; delete that line") from None

    return found


def _digest(key: str) -> str:
    """A plain hash suffices: the key is drawn from 2²⁵⁶, so nobody can try them all."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
