"""What landlock lets sandboxed code do to which files."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from kimi_nb.errors import ToolError

__all__ = ["Rule", "file_rules", "folder_rules", "libraries", "library_rules", "scratch_rule"]

Rule = tuple[str, int]
"""A path without links, and the rights on it and on all beneath it."""

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_REMOVE_DIR = 1 << 4
_REMOVE_FILE = 1 << 5
_MAKE_DIR = 1 << 7
_MAKE_REG = 1 << 8
_REFER = 1 << 13
_TRUNCATE = 1 << 14

READ = _READ_FILE | _READ_DIR
CHANGE = _WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER
"""Files and folders. No links, sockets, FIFOs or devices: who reads the folder later may follow
or open what it finds there."""

LOGS = ".kimi_nb"
"""Where runs log, below the folder that they are started in."""
GIT = ".git"
"""Git runs what lies in it: who can write here gets out."""

_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_DATA = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/usr/local/share/fonts",
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
)
PACKAGE = Path(__file__).resolve().parents[2]
"""This package: from it code could reckon the truth by which it is graded."""
_DEVICES = ("/dev/random", "/dev/urandom", "/dev/zero")


def libraries() -> list[Path]:
    """The folders with the interpreter, its packages and the libraries that these load.

    Not the whole prefix: a virtual environment may be a project's own folder.
    """
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    inside = [Path(prefix, name) for prefix in prefixes for name in ("bin", "lib", "lib64")]
    named = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    program = Path(os.path.realpath(sys.executable)).parent
    found = {os.path.realpath(path) for path in [*inside, *named, *_SYSTEM, program]}
    return [Path(path) for path in sorted(found - {"/"})]


def library_rules() -> list[Rule]:
    """What every sandbox may read, and run."""
    configured = {str(Path(sys.prefix, "pyvenv.cfg")), *_DATA}
    return [
        *[rule for path in libraries() for rule in _without(PACKAGE, path)],
        *[(os.path.realpath(path), READ) for path in sorted(configured)],
        *[(path, _READ_FILE) for path in _DEVICES],
        ("/dev/null", _READ_FILE | _WRITE_FILE),
    ]


def _without(hidden: Path, folder: Path) -> list[Rule]:
    """What lies in a folder may be read and run, but for the files of one folder in it."""
    if not hidden.is_relative_to(folder):
        return [(str(folder), READ | _EXECUTE)]

    if folder == hidden:
        return []

    inside = [Path(entry) for entry in os.scandir(folder) if not entry.is_symlink()]
    rest = [rule for path in sorted(inside) for rule in _without(hidden, path)]
    return [(str(folder), _READ_DIR), *rest]


def scratch_rule(path: Path) -> Rule:
    """The private folder may be filled."""
    return str(path), READ | CHANGE


def file_rules(paths: tuple[Path, ...]) -> list[Rule]:
    """Single files, or folders, that may be read."""
    return [(os.path.realpath(path), READ) for path in paths]


def folder_rules(folder: Path, *, writable: bool) -> list[Rule]:
    """The working folder, without the logs of runs in it, and with what we run ourselves unharmed.

    Rights cannot be taken back further down. Where something has fewer, all in the folder is
    named one by one, and nothing new can be put beside it. Raises ToolError for the whole disk
    and for a folder among Python's own files that is to be written, and OSError.
    """
    if folder == Path(folder.root):
        raise ToolError("the working folder is the whole disk; give a folder of its own")

    rights = READ | CHANGE if writable else READ
    fewer = {LOGS: 0, **(_kept(folder) if writable else {})}
    names = [entry.name for entry in os.scandir(folder)]

    if fewer.keys().isdisjoint(names):
        return [(str(folder), rights)]

    inside = [(str(folder / name), fewer.get(name, rights)) for name in names]
    return [(str(folder), _READ_DIR), *[rule for rule in inside if rule[1]]]


def _kept(folder: Path) -> dict[str, int]:
    """What in a folder may be read only, although the rest may be written."""
    kept = {GIT: READ}

    for path in libraries():
        if folder.is_relative_to(path):
            raise ToolError(f"{str(folder)!r} is part of Python itself; work in another folder")

        if path.is_relative_to(folder):
            kept[path.relative_to(folder).parts[0]] = READ

    return kept
