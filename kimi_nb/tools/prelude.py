"""What every snippet in the sandbox starts with, and what its errors are explained with."""

from __future__ import annotations

import codecs

__all__ = ["FRAME", "PRELUDE", "advice", "decode"]

FRAME = "<python-input-0>"
"""The name that the sandbox gives to the first thing it runs, which is PRELUDE."""

# The sandbox's own `open` knows UTF-8 only; this one knows all that `decode` does.
PRELUDE = r"""
_open = open

class _Lines:
    def __init__(self, text):
        self._lines = [line + '\n' for line in text.split('\n')]
        self._lines[-1] = self._lines[-1][:-1]
        if not self._lines[-1]:
            self._lines.pop()
        self._next = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self._next >= len(self._lines):
            raise StopIteration
        self._next += 1
        return self._lines[self._next - 1]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def close(self):
        pass

    def readline(self):
        return next(self, '')

    def readlines(self):
        return list(self)

    def read(self):
        return ''.join(list(self))

def open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None):
    known = encoding is None or encoding.lower() in ('utf-8', 'utf8')
    if 'b' in mode or 'r' not in mode or (known and errors in (None, 'strict')):
        return _open(file, mode)
    text = _decode(_open(file, 'rb').read(), encoding or 'utf-8', errors or 'strict')
    if newline is None:
        text = text.replace('\r\n', '\n').replace('\r', '\n')
    return _Lines(text)
"""

_TEXT = ("utf", "iso8859", "cp", "gb", "hz", "big5", "shift", "euc", "koi8", "mac", "ascii")
_BUILTIN = (
    "asyncio, collections, csv, dataclasses, datetime, decimal, functools, hashlib, itertools, "
    "json, math, os, pathlib, random, re, sys, time, typing"
)


def decode(data: bytes, encoding: str, errors: str) -> str:
    """The text of a file. Raises LookupError for anything but a character set.

    Not every codec of Python is safe to hand to a stranger: idna takes quadratic time.
    """
    if not codecs.lookup(encoding).name.startswith(_TEXT):
        raise LookupError(f"unknown encoding: {encoding}")

    return data.decode(encoding, errors)


def advice(message: str) -> list[str]:
    """What to do about an error whose cause is the sandbox rather than the code."""
    hints = {
        "ModuleNotFoundError": f"[this Python has: {_BUILTIN}]",
        "UnicodeDecodeError": (
            "[the file is not UTF-8: try open(path, encoding='cp1252') or encoding='gb18030', "
            "or errors='replace']"
        ),
        "TimeoutError": "[the time for one call is up: do less at once]",
        "MemoryError": "[the memory for one call is used up: read files line by line]",
        "PermissionError": "[only files below /data can be read, and none can be written]",
        "NotImplementedError": (
            "[this Python has no yield, no del, no class inheritance and no @property: use "
            "functions, lists and dicts]"
        ),
    }
    return [hint for name, hint in hints.items() if message.startswith(name)]
