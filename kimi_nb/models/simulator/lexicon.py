"""The simulator's words, English and Chinese: phrases become tokens of a few kinds.

What no pattern knows becomes a `word`: a column, a field, or something not understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kimi_nb.models.simulator.vocabulary import LEXICON

__all__ = ["Token", "is_chinese", "tokenise"]


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    """agg, metric, rows, count, distinct, which, where, is, cmp, between, blank, or, only,
    of, conj, stop, noise, limit, word, number or literal."""
    value: str
    text: str
    """As the user wrote it."""


_PATTERN = re.compile(
    "|".join(f"(?P<g{n}>{pattern})" for n, (_, _, pattern) in enumerate(LEXICON)),
    re.IGNORECASE,
)


def is_chinese(text: str) -> bool:
    """A Chinese reader wrote it: at least as many Chinese characters as Latin words."""
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    return han > 0 and han >= len(re.findall(r"[A-Za-z]+", text))


@lru_cache(maxsize=256)
def tokenise(text: str) -> tuple[Token, ...]:
    """The tokens of `text`; neighbouring Chinese characters that no phrase knows are one word."""
    tokens: list[Token] = []
    end = -1

    for match in _PATTERN.finditer(text):
        kind, value, _ = LEXICON[int((match.lastgroup or "g0")[1:])]
        written = match[0].strip()

        if kind == "han" and tokens and tokens[-1].kind == "word" and end == match.start():
            tokens[-1] = Token("word", "", tokens[-1].text + written)
        else:
            tokens.append(Token("word" if kind == "han" else kind, value, written))

        end = match.end()

    return tuple(tokens)
