"""The keys that this process knows, taken out of text wherever it goes on.

What is replaced: a known key, also quoted for a URL, escaped for JSON or HTML, or within
base64, and a long beginning or end of one, because messages cut long values in the middle;
then whatever plainly looks like somebody else's key. What goes through here is what enters
the log, a conversation, a message of an exception, and in a notebook what leaves the kernel.
"""

from __future__ import annotations

import base64
import functools
import html
import itertools
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

__all__ = ["Environment", "hide", "holds_key", "know", "learn_environment"]

MARK = "[key]"
EDGE = 16
"""Characters of a key that give it away as its beginning or end."""
SHORTEST = 8
"""What is shorter stands in ordinary text too often."""
WORDS = 20
"""Up to this length letters alone are a placeholder, as local servers want: "not-needed"."""
LOOKS_LIKE_A_KEY = re.compile(
    r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
    r"sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{32,}"
)


class _Form(NamedTuple):
    """One way to write a key, with what is looked for in its stead."""

    whole: str
    head: str
    tail: str

    def out_of(self, text: str) -> str:
        text = _without(text, self.whole, self.head, MARK)
        return _without(text[::-1], self.whole[::-1], self.tail[::-1], MARK[::-1])[::-1]


class _Known:
    """All keys so far. Readers take `forms` as it stands and need no lock."""

    __slots__ = ("_lock", "edges", "forms", "values")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.values: frozenset[str] = frozenset()
        self.forms: tuple[_Form, ...] = ()
        """The longest first: one key may begin as another."""
        self.edges: tuple[str, ...] = ()
        """A text that holds none of these holds no key."""

    def add(self, value: str) -> None:
        if value in self.values:
            return

        with self._lock:
            self.values |= {value}
            written = {form for value in self.values for form in _written(value)}
            self.forms = tuple(_form(text) for text in sorted(written, key=_longest_first))
            self.edges = tuple({edge for form in self.forms for edge in (form.head, form.tail)})


@functools.cache
def _known() -> _Known:
    return _Known()


def know(value: str) -> None:
    """Hide this key from now on, unless it is empty or a mere placeholder."""
    value = value.strip().strip("'\"")

    if len(value) < SHORTEST:
        return

    if value.startswith("sk-") or len(value) >= WORDS or any(map(str.isdigit, value)):
        _known().add(value)


def learn_environment() -> None:
    """Know the keys that stand in the environment now: every variable named …_API_KEY."""
    for name in os.environ:
        if name.endswith("_API_KEY"):
            know(os.environ.get(name, ""))


def holds_key(text: str) -> bool:
    """Whether a known key, or a long part of one, stands in `text`."""
    return any(edge in text for edge in _known().edges)


def hide(text: str) -> str:
    """`text` with every key as `[key]`; `text` itself where there is none."""
    known = _known()

    for edge in known.edges:
        if edge in text:
            text = functools.reduce(lambda rest, form: form.out_of(rest), known.forms, text)
            break

    return LOOKS_LIKE_A_KEY.sub(MARK, text) if "sk-" in text else text


class Environment(Mapping[str, str]):
    """The variables of this process. Unlike `os.environ` it does not show what it holds."""

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)

    def __repr__(self) -> str:
        return "Environment(…)"


def _written(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="", errors="replace")
    yield json.dumps(value)[1:-1]
    yield repr(value)[1:-1]
    yield html.escape(value)

    for before in range(3):  # as part of a longer text, "user:key" say, at any place
        coded = base64.b64encode(b" " * before + value.encode("utf-8", "replace")).decode()
        shared = (0, 2, 3)[before]  # characters that the text before it has a part in
        yield coded[shared:] if coded[-1] != "=" else coded[shared:].rstrip("=")[:-1]


def _form(text: str) -> _Form:
    edge = EDGE if len(text) >= 2 * EDGE else len(text)
    return _Form(text, text[:edge], text[-edge:])


def _longest_first(text: str) -> tuple[int, str]:
    return -len(text), text


def _without(text: str, secret: str, head: str, mark: str) -> str:
    """`text` with all that begins as the secret does replaced, as far as it goes on like it."""
    parts: list[str] = []
    end = 0
    at = text.find(head)

    while at >= 0:
        parts += text[end:at], mark
        pairs = zip(secret, text[at : at + len(secret)], strict=False)
        end = at + sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        at = text.find(head, end)

    return "".join([*parts, text[end:]])
