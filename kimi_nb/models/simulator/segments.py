"""The stretch of a goal between two joints, taken apart: condition, head, names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kimi_nb.models.simulator.lexicon import Token, tokenise
from kimi_nb.models.simulator.measure import Filter
from kimi_nb.models.simulator.runs import (
    COMPARING,
    GENERIC,
    HAS,
    HEADS,
    NAMES,
    alternatives,
    columns_as_words,
    han_filter,
    head_of,
    is_rows,
    names_of,
    own_columns,
    plain_words,
    split_of,
    written,
)

__all__ = ["Segment", "counts", "segments"]

_IMPLIED = {
    "older": "age",
    "younger": "age",
    "cheaper": "price",
    "expensive": "price",
    "longer": "length",
    "shorter": "length",
    "taller": "height",
    "heavier": "weight",
    "lighter": "weight",
}
_COUNTS = re.compile(r"(?:the )?(?:total )?(?:how many|number|count)\b", re.IGNORECASE)


class Segment:
    """The tokens between two joints, sorted by what they do."""

    def __init__(
        self, tokens: Sequence[Token], *, filtering: bool, tabular: bool, which: bool
    ) -> None:
        self.tokens = list(tokens)
        self.tabular = tabular
        self.text = written(self.tokens)
        self.ignored: list[str] = []
        self.filters: list[Filter] = []
        self.only = any(token.kind == "only" for token in tokens)
        self.having = False
        """The title *with* the highest rating."""
        self.explained = any(t.text.lower() == "such that" for t in tokens)
        """A condition in brackets says what the words before it mean."""
        self.overall = next((t.text for t in tokens if t.kind == "overall"), "")
        self.tokens = columns_as_words([t for t in self.tokens if t.kind != "overall"])
        self.tokens = own_columns(self.tokens) if tabular and not which else self.tokens
        self._limits()
        self._take_filters(filtering=filtering)
        self._refuse()
        self.head, self.superlative = head_of(self.tokens, which=self._asks_which())
        self.counting = any(t.kind == "count" for t in self.tokens)
        self.listing = any(t.text.lower() in {"list", "show", "give", "what"} for t in self.tokens)
        self.which = any(t.kind == "which" for t in self.tokens)
        self.before, self.after = self._words()

    def _asks_which(self) -> bool:
        """It asks which of the items, not which value of a column."""
        place = next((n for n, t in enumerate(self.tokens) if t.kind == "which"), None)

        if place is None:
            return False

        ends = (n for n, t in enumerate(self.tokens) if n > place and t.kind in HEADS)
        return not names_of(self.tokens[place : next(ends, None)])

    def _limits(self) -> None:
        self.limited = any(token.kind == "limit" for token in self.tokens)

        for place, token in enumerate(self.tokens):
            if token.kind == "limit":
                tail = self.tokens[place:]
                self.ignored.append(written(tail))
                del self.tokens[place:]
                return

    def _refuse(self) -> None:
        """An aggregate of an aggregate, or blanks of no column: beyond the simulator."""
        telling = [t for t in self.tokens if t.kind in HEADS | NAMES]
        first = next((n for n, t in enumerate(telling) if t.kind in HEADS), len(telling))
        rest = [t for t in telling[first + 1 :] if t.kind in HEADS]
        allowed = head_of(self.tokens, which=self._asks_which())[0]
        nested = [t for t in rest if t.kind != "rows" and t is not allowed]
        vague = any(f.op in {"blank", "filled"} and not f.column for f in self.filters)

        if nested or vague:
            self.ignored.append(self.text)
            self.tokens.clear()
            self.filters.clear()

    def _take_filters(self, *, filtering: bool) -> None:
        """Cut the condition out of the tokens, so that the rest is the measure."""
        tokens = self.tokens
        where = next((n for n, t in enumerate(tokens) if t.kind in {"where", "only"}), None)
        sharp = next((n for n, t in enumerate(tokens) if t.kind in COMPARING), None)

        if sharp is None and (where is not None or filtering or han_filter(tokens)):
            start = where or 0
            sharp = next((n for n in range(start, len(tokens)) if tokens[n].kind == "is"), None)

        if sharp is None:
            self._take_bare_filter(where)
            return

        start = where + 1 if where is not None and where < sharp else self._subject(sharp)
        ends = self._values_end(sharp)
        names = self._filtered(start, sharp, ends, joined=where is not None)
        found = self._filter(tokens[sharp], " ".join(names), tokens[sharp + 1 : ends])

        if not self.tabular and tokens[sharp].kind == "is":
            self.tokens = [t for t in tokens if t.kind not in {"is", "where"}]
            return

        if not self.tabular:
            self.ignored.append(written(tokens[start if where is None else where : ends]))
            del tokens[start if where is None else where : ends]
            return

        if not found.values and found.op not in {"blank", "filled"}:
            self.ignored += [written(tokens[sharp:ends])] if tokens[sharp].value != "=" else []
            del tokens[sharp:ends]
            return

        self.filters.append(found)
        cut = where if where is not None and where < sharp else start
        del tokens[cut:ends]

    def _filtered(self, start: int, sharp: int, ends: int, *, joined: bool) -> list[str]:
        """The column of a condition: students with *scores* over 80, over 10 mm of *rain*."""
        tokens = self.tokens
        has = [n for n in range(start, sharp) if HAS.fullmatch(tokens[n].text)]
        names = names_of(tokens[has[-1] if has else start : sharp])
        counted = bool(start) and tokens[start - 1].kind == "count"
        number = any(t.kind == "number" for t in tokens[sharp + 1 : ends])
        plural = len(names) == 1 and names[0].endswith("s") and "_" not in names[0]
        vague = not names or (plural and names[0].casefold() in GENERIC)

        if not number or not vague or not (has or counted or joined):
            return names

        of = next((n for n in range(sharp, len(tokens)) if tokens[n].kind == "of"), None)
        behind = [t for t in tokens[sharp + 1 : ends] if t.kind in {"word", "literal"}]

        if of is not None and of == ends:
            stop = next((n for n in range(of + 1, len(tokens)) if tokens[n].kind == "of"), None)
            column = names_of(tokens[of + 1 : stop])
            del tokens[of : stop if stop is not None else len(tokens)]
            return column or names

        return [t.text for t in behind] or names

    def _take_bare_filter(self, where: int | None) -> None:
        """A condition without a comparison: with city Paris, with Paris."""
        if where is None or self.tokens[where].kind == "only":
            return

        if any(t.kind in HEADS | {"count"} for t in self.tokens[where:]) or not self.tabular:
            self.having = bool(names_of(self.tokens[:where]))
            del self.tokens[where]
            return

        names = names_of(self.tokens[where + 1 :])
        del self.tokens[where:]

        if names:
            column, value = (names[0], names[1:]) if len(names) > 1 else ("", names)
            self.filters.append(Filter(column, "=", (" ".join(value),)))

    def _subject(self, sharp: int) -> int:
        """Where the words begin that a comparison without `where` is about."""
        start = sharp

        while start and self.tokens[start - 1].kind in {"word", "literal", "noise", "is"}:
            start -= 1

        return start

    def _values_end(self, sharp: int) -> int:
        end = sharp + 1
        tokens = self.tokens

        while end < len(tokens) and tokens[end].kind in {
            "word",
            "number",
            "literal",
            "or",
            "noise",
            "conj",
        }:
            if tokens[sharp].kind != "between" and tokens[end].kind == "conj":
                break

            end += 1

        return end

    def _filter(self, token: Token, column: str, rest: Sequence[Token]) -> Filter:
        numbers = tuple(t.text for t in rest if t.kind == "number")

        if token.kind == "sign":
            return Filter(column, token.value, ("0",))

        if token.kind in {"blank", "filled"}:
            names = [t.text for t in rest if t.kind in NAMES]
            return Filter(column or " ".join(names), token.kind)

        column = "" if is_rows(column, token.value) else column
        column = column or next(
            (_IMPLIED[word] for word in token.text.lower().split() if word in _IMPLIED), ""
        )

        if token.kind == "between" and len(numbers) == 2:
            return Filter(column, "between", numbers)

        if token.value in {"<", "<=", ">", ">="} and numbers:
            return Filter(column, token.value, numbers[:1])

        return Filter(column, token.value or "=", alternatives(rest))

    def _words(self) -> tuple[list[str], list[str]]:
        """The names before the head and after it; a second noun after `of` is about rows."""
        place = self.tokens.index(self.head) if self.head else len(self.tokens)
        before = names_of(self.tokens[:place])
        rest = self.tokens[place + 1 :]
        after, rows = split_of(rest)

        if self.head and self.head.kind == "rows" and rest and rest[0].kind == "of":
            after, rows = [], after + rows

        self.scope = rows
        self.owned = bool(self.head) and place > 0 and self.tokens[place - 1].text == "的"
        """What stands before the head owns it: 北京的平均价格."""
        return before, after


def segments(text: str, *, tabular: bool = False) -> list[list[Token]]:
    """Tokens cut at joints; a `between … and …` stays whole."""
    segments: list[list[Token]] = [[]]
    between = False

    for token in plain_words(tokenise(text)) if tabular else tokenise(text):
        between = between or token.kind == "between"

        if token.kind == "conj" and between:
            between = False
            segments[-1].append(token)
        elif token.kind in {"conj", "stop"}:
            segments.append([])
            between = False
        else:
            segments[-1].append(token)

    return [segment for segment in segments if any(t.kind != "noise" for t in segment)]


def counts(token: Token | None) -> bool:
    """The token asks for a number of things."""
    return token is not None and _COUNTS.match(token.text) is not None
