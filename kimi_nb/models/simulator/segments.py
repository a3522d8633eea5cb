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
    purchase purchases invoice invoices payment payments booking bookings visit visits trip trips
    ride rides flight flights ticket tickets reading readings message messages review reviews
    post posts comment comments log logs day days thing things entry entries book books film films
    movie movies car cars house houses guest guests participant participants 人 订单 客户 员工 学生 用户 产品 商品 记录 数据 行 条目
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
        self.head, self.superlative = _head(self.tokens, which=self._asks_which())
        self.counting = any(t.kind == "count" for t in self.tokens)
        self.listing = any(t.text.lower() in {"list", "show", "give", "what"} for t in self.tokens)
        self.which = any(t.kind == "which" for t in self.tokens)
        self.before, self.after = self._words()

    def _asks_which(self) -> bool:
        """Which of the items, rather than: which value of a column?"""
        place = next((n for n, t in enumerate(self.tokens) if t.kind == "which"), None)

        if place is None:
            return False

        ends = (n for n, t in enumerate(self.tokens) if n > place and t.kind in _HEADS)
        return not _names(self.tokens[place : next(ends, None)])

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
        allowed = _head(self.tokens, which=self._asks_which())[0]
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
        sharp = next((n for n, t in enumerate(tokens) if t.kind in _COMPARING), None)

        if sharp is None and (where is not None or filtering or _han_filter(tokens)):
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

    def _filtered(self, start: int, sharp: int, ends: int, *, joined: bool) -> list[str]:
        """The column of a condition: students with *scores* over 80, days with over 10 mm of *rain*."""
        tokens = self.tokens
        has = [n for n in range(start, sharp) if _HAS.fullmatch(tokens[n].text)]
        names = _names(tokens[has[-1] if has else start : sharp])
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
            column = _names(tokens[of + 1 : stop])
            del tokens[of : stop if stop is not None else len(tokens)]
            return column or names

        return [t.text for t in behind] or names

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
        self.owned = bool(self.head) and place > 0 and self.tokens[place - 1].text == "的"
        """What stands before the head owns it: 北京的平均价格."""
        return before, after


_HAS = re.compile(r"have|has|had|with|got|a|an", re.IGNORECASE)
_HEADS = frozenset({"agg", "metric", "rows", "distinct"})
_NAMES = frozenset({"word", "literal", "number"})
_COMPARING = frozenset({"cmp", "between", "blank", "filled", "sign"})


def _head(
    tokens: Sequence[Token], *, which: bool = False
) -> tuple[Token | None, Token | None]:
    """What is asked, and an aggregate over it: in `the most rows`, rows and the most.

    `which`: it asks for an item, as in: which file has the highest average price?
    """
    telling = [t for t in tokens if t.kind in _HEADS | _NAMES]
    head = next((t for t in telling if t.kind in _HEADS), None)

    if head is None or head.kind != "agg":
        return head, None

    after = telling[telling.index(head) + 1 :]
    counted = bool(after) and after[0].kind in {"rows", "metric"}
    counted = counted or (which and bool(after) and after[0].kind == "agg")
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
    """Names up to the second noun phrase, and the phrases from there on."""
    phrases: list[list[str]] = [[]]

    for token in tokens:
        if token.kind == "of" and phrases[-1]:
            phrases.append([])
        elif token.kind in _NAMES:
            phrases[-1].append(token.text)

    return phrases[0], [" ".join(phrase) for phrase in phrases[1:] if phrase]


def _alternatives(tokens: Sequence[Token]) -> tuple[str, ...]:
    values: list[list[str]] = [[]]

    for token in tokens:
        if token.kind == "or":
            values.append([])
        elif token.kind in _NAMES:
            values[-1].append(token.text)

    return tuple(" ".join(words) for words in values if words)


def _plain_words(tokens: Sequence[Token]) -> list[Token]:
    """In tables, what names parts of code or of a text is the name of a column."""
    made: list[Token] = []

    for token in tokens:
        if token.kind != "metric" or token.value not in _CODE:
            made.append(token)
            continue

        *counting, noun = re.split(r"(?<= of) |(?<=how many) ", token.text, flags=re.IGNORECASE)
        made += [Token("count", "", " ".join(counting))] if counting else []
        made.append(Token("word", "", noun))

    return made


_CODE = frozenset(
    "functions classes function_names class_names imports links cells headings heading_list".split()
)


def segments(text: str, *, tabular: bool = False) -> list[list[Token]]:
    """Tokens cut at joints; a `between … and …` stays whole."""
    segments: list[list[Token]] = [[]]
    between = False

    for token in _plain_words(tokenise(text)) if tabular else tokenise(text):
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
