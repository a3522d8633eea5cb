"""Words as the index has them, and queries in its language.

FTS5 splits text where no letter or digit stands, which leaves whole Chinese or Japanese
sentences in one piece. So each of their characters is made a word, and a query asks for pairs
of neighbours. Its own trigrams would not do: most Chinese words have two characters, and
English words would no longer be found in their other forms.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kimi_nb.tools.render import clean

__all__ = ["Query", "joined", "parsed", "split"]

MARK = "\x1f"
"""Put beside characters that stand without spaces; nobody types it."""
MOST_WORDS = 60
"""Of a query: SQLite refuses expressions that are too deep."""
LONGEST = 2_000
"""Characters of a query that count."""
# Texts: compiling them would take milliseconds of every `%load_ext`; `re` keeps what it compiled.
_RUN = ("[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
                  "\uff66-\uff9d\U00020000-\U0003ffff]+")  # fmt: skip
_PART = f"{_RUN}|\\S+?(?={_RUN}|\\s|$)"
_QUOTED = re.compile('"([^"]*)"|“([^“”]*)”|「([^「」]*)」')
_OPERATORS = frozenset({"AND", "OR", "NOT", "NEAR"})
"""Taken as such by other search engines, and left out here."""


class Query(NamedTuple):
    """A model's query in the language of FTS5, which no text of the model's can break."""

    phrases: tuple[str, ...]
    """What stood in quotes: each must be there."""
    words: tuple[str, ...]
    """All that counts: the more and the rarer, the better. () for a query without any."""

    @property
    def exact(self) -> str:
        """The expression that holds to the phrases."""
        return " AND ".join([*self.phrases, self.loose])

    @property
    def loose(self) -> str:
        """The expression that takes any of the words."""
        return f"({' OR '.join(self.words)})"


def split(text: str) -> str:
    """The text with a mark beside each character that stands without spaces."""
    text = text.replace(MARK, " ").replace("\0", " ")
    return re.sub(_RUN, lambda found: MARK.join(["", *found[0], ""]), text)


def joined(text: str) -> str:
    """The text as it was before `split`."""
    return text.replace(MARK, "")


def parsed(query: str) -> Query:
    """Whatever a model wrote, as a query."""
    query = clean(query)[:LONGEST].replace("\0", " ").replace(MARK, " ")
    quoted = ["".join(found.groups("")) for found in _QUOTED.finditer(query)]
    phrases = [_literal(split(each)) for each in quoted if _says_something(each)][:MOST_WORDS]
    words: dict[str, None] = {}

    for part in re.findall(_PART, query.replace('"', " ")):
        if _says_something(part) and part not in _OPERATORS:
            words.update(dict.fromkeys(_searched(part)))

    return Query(tuple(phrases), tuple(words)[:MOST_WORDS])


def _searched(part: str) -> list[str]:
    """A word as it stands; characters without spaces by pairs."""
    if not re.fullmatch(_RUN, part):
        return [_literal(part)]

    pairs = [part[at : at + 2] for at in range(max(len(part) - 1, 1))]
    return [_literal(MARK.join(pair)) for pair in pairs]


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _literal(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
