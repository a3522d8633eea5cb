"""The stretch of a goal between two joints, taken apart: condition, head, names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kimi_nb.models.simulator.lexicon import Token, tokenise
from kimi_nb.models.simulator.measure import Filter

__all__ = ["GENERIC", "Segment", "counts", "segments", "split_of"]

_GENERIC = """
    row rows record records entry entries line lines item items person people persons order
    orders customer customers employee employees student students user users product products
    sale sales transaction transactions event events case cases member members sample samples
    measurement measurements observation observations visitor visitors patient patients
    purchase purchases 人 订单 客户 员工 学生 用户 产品 商品 记录 数据 行 条目
"""
GENERIC = frozenset(_GENERIC.split())
"""What people call the rows of a table."""

_IMPLIED = {"older": "age", "younger": "age", "cheaper": "price"}
_COUNTS = re.compile(r"(?:the )?(?:total )?(?:how many|number|count)\b", re.IGNORECASE)


class Segment:
    """The tokens between two joints, sorted by what they do."""

    def __init__(self, tokens: Sequence[Token], *, filtering: bool, tabular: bool) -> None:
        self.tokens = list(tokens)
        self.tabular = tabular
        self.text = _written(self.tokens)
        self.ignored: list[str] = []
        self.filters: list[Filter] = []
        self.only = any(token.kind == "only" for token in tokens)
        self.overall = next((t.text for t in tokens if t.kind == "overall"), "")
        self.tokens = _columns_as_words([t for t in self.tokens if t.kind != "overall"])
        self._limits()
        self._take_filters(filtering=filtering)
        self._refuse()
        self.head, self.superlative = _head(self.tokens)
        self.counting = any(t.kind == "count" for t in self.tokens)
        self.listing = any(t.text.lower() in {"list", "show", "give", "what"} for t in self.tokens)
        self.which = any(t.kind == "which" for t in self.tokens)
        self.before, self.after = self._words()

    def _limits(self) -> None:
        for place, token in enumerate(self.tokens):
            if token.kind == "limit":
                tail = self.tokens[place:]
                self.ignored.append(_written(tail))
                del self.tokens[place:]
                return

    def _refuse(self) -> None:
        """An aggregate of an aggregate, or blanks of no column: beyond the simulator."""
        telling = [t for t in self.tokens if t.kind in _HEADS | _NAMES]
        first = next((n for n, t in enumerate(telling) if t.kind in _HEADS), len(telling))
        rest = [t for t in telling[first + 1 :] if t.kind in _HEADS]
        nested = [t for t in rest if t.kind != "rows" and t is not _head(self.tokens)[0]]
        vague = any(f.op in {"blank", "filled"} and not f.column for f in self.filters)

        if nested or vague:
            self.ignored.append(self.text)
            self.tokens.clear()
            self.filters.clear()

    def _take_filters(self, *, filtering: bool) -> None:
        """Cut the condition out of the tokens, so that the rest is the measure."""
        tokens = self.tokens
        where = next((n for n, t in enumerate(tokens) if t.kind in {"where", "only"}), None)
        sharp = next((n for n, t in enumerate(tokens) if t.kind in _COMPARING), None)

        if sharp is None and (where is not None or filtering or _han_filter(tokens)):
            start = where or 0
            sharp = next((n for n in range(start, len(tokens)) if tokens[n].kind == "is"), None)

        if sharp is None:
            self._take_bare_filter(where)
            return

        start = where + 1 if where is not None and where < sharp else self._subject(sharp)
        names = [t.text for t in tokens[start:sharp] if t.kind in _NAMES]
        ends = self._values_end(sharp)
        found = self._filter(tokens[sharp], " ".join(names), tokens[sharp + 1 : ends])

        if not self.tabular:
            self.ignored.append(_written(tokens[start if where is None else where : ends]))
            del tokens[start if where is None else where : ends]
            return

        if not found.values and found.op not in {"blank", "filled"}:
            self.ignored += [_written(tokens[sharp:ends])] if tokens[sharp].value != "=" else []
            del tokens[sharp:ends]
            return

        self.filters.append(found)
        cut = where if where is not None and where < sharp else start
        del tokens[cut:ends]

    def _take_bare_filter(self, where: int | None) -> None:
        """A condition without a comparison: with city Paris, with Paris."""
        if where is None or self.tokens[where].kind == "only":
            return

        if any(t.kind in _HEADS | {"count"} for t in self.tokens[where:]) or not self.tabular:
            del self.tokens[where]
            return

        names = _names(self.tokens[where + 1 :])
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
            names = [t.text for t in rest if t.kind in _NAMES]
            return Filter(column or " ".join(names), token.kind)

        column = "" if _is_rows(column, token.value) else column
        column = column or _IMPLIED.get(token.text.lower().split()[0], "")

        if token.kind == "between" and len(numbers) == 2:
            return Filter(column, "between", numbers)

        if token.value in {"<", "<=", ">", ">="} and numbers:
            return Filter(column, token.value, numbers[:1])

        return Filter(column, token.value or "=", _alternatives(rest))

    def _words(self) -> tuple[list[str], list[str]]:
        """The names before the head and after it; a second noun after `of` is about rows."""
        place = self.tokens.index(self.head) if self.head else len(self.tokens)
        before = _names(self.tokens[:place])
        rest = self.tokens[place + 1 :]
        after, rows = split_of(rest)

        if self.head and self.head.kind == "rows" and rest and rest[0].kind == "of":
            after, rows = [], after + rows

        self.scope = rows
        return before, after


_HEADS = frozenset({"agg", "metric", "rows", "distinct"})
_NAMES = frozenset({"word", "literal", "number"})
_COMPARING = frozenset({"cmp", "between", "blank", "filled", "sign"})


def _head(tokens: Sequence[Token]) -> tuple[Token | None, Token | None]:
    """What is asked, and an aggregate over it: in `the most rows`, rows and the most."""
    telling = [t for t in tokens if t.kind in _HEADS | _NAMES]
    head = next((t for t in telling if t.kind in _HEADS), None)

    if head is None or head.kind != "agg":
        return head, None

    after = telling[telling.index(head) + 1 :]
    counted = bool(after) and after[0].kind in {"rows", "metric"}
    return (after[0], head) if counted else (head, None)


def _is_rows(noun: str, op: str) -> bool:
    """Orders over 100 are rows; a customer that contains Ann, or a 客户 that is 王, is a column."""
    named = op in {"=", "!=", "contains", "starts"}
    return noun.casefold() in GENERIC and not (named and (noun[-1] != "s" or not noun.isascii()))


def _columns_as_words(tokens: Sequence[Token]) -> list[Token]:
    """The largest count, the smallest max: an aggregate at the end is a column's name."""
    telling = [n for n, t in enumerate(tokens) if t.kind not in {"noise", "of", "stop"}]
    made = list(tokens)

    if len(telling) > 1:
        before, last = tokens[telling[-2]], tokens[telling[-1]]
        named = last.kind in {"agg", "count"} and last.text.isascii() and " " not in last.text

        if named and before.kind == "agg" and not (before.value == "sum" and last.kind == "count"):
            made[telling[-1]] = Token("word", "", last.text)

    return made


def _han_filter(tokens: Sequence[Token]) -> bool:
    """Chinese puts the condition first, as in 城市是巴黎的人."""
    kinds = [t.kind for t in tokens]
    return (
        "is" in kinds
        and "of" in kinds[kinds.index("is") :]
        and not tokens[kinds.index("is")].text.isascii()
    )


def _written(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens if token.text)


def _names(tokens: Sequence[Token]) -> list[str]:
    return [t.text for t in tokens if t.kind in _NAMES]


def split_of(tokens: Sequence[Token]) -> tuple[list[str], list[str]]:
    """Names up to the second noun phrase, and that phrase."""
    first: list[str] = []
    second: list[str] = []
    target = first

    for token in tokens:
        if token.kind == "of" and first:
            target = second
        elif token.kind in _NAMES:
            target.append(token.text)

    return first, second


def _alternatives(tokens: Sequence[Token]) -> tuple[str, ...]:
    values: list[list[str]] = [[]]

    for token in tokens:
        if token.kind == "or":
            values.append([])
        elif token.kind in _NAMES:
            values[-1].append(token.text)

    return tuple(" ".join(words) for words in values if words)


def segments(text: str) -> list[list[Token]]:
    """Tokens cut at joints; a `between … and …` stays whole."""
    segments: list[list[Token]] = [[]]
    between = False

    for token in tokenise(text):
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
