"""What is asked about each item, read off the tokens of a goal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kimi_nb.models.simulator.lexicon import Token, tokenise

__all__ = ["Filter", "Measure", "Reading", "read_measures"]

GENERIC = frozenset(
    "row rows record records entry entries line lines item items person people persons order orders "
    "customer customers employee employees student students user users product products sale sales "
    "transaction transactions event events case cases member members sample samples measurement "
    "measurements observation observations visitor visitors patient patients purchase purchases "
    "人 订单 客户 员工 学生 用户 产品 商品 记录 数据 行 条目".split()
)
"""What people call the rows of a table."""

_NUMBERS = {"two": 2, "three": 3, "five": 5, "ten": 10, "三": 3, "五": 5, "十": 10}
_PLACES = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "二": 2, "三": 3, "四": 4, "五": 5}
_COUNTS = re.compile(r"(?:the )?(?:total )?(?:how many|number|count)\b", re.IGNORECASE)
_LOW = re.compile(r"lowest|smallest|cheapest|bottom|低|小", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on rows."""

    column: str
    """"" where none was named: any column, or for a number the only numeric one."""
    op: str
    """=, !=, <, <=, >, >=, contains, starts, blank or filled."""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.op in {"blank", "filled"}:
            return f"{self.column} {self.op}".strip()

        joint = " and " if self.op == "between" else " or "
        return f"{self.column} {self.op} {joint.join(self.values)}".strip()


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the answer."""

    op: str
    """rows, max, min, mean, sum, median, mode, nth, top, distinct, argmax, argmin, values,
    count, field, occurrences, or the name of a metric of text."""
    column: str = ""
    """The column, field or word it is about."""
    number: int = 0
    """Of nth and top; negative counts from the smallest."""
    filters: tuple[Filter, ...] = ()
    about: str = ""
    """argmax, argmin: the column whose value is wanted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood, and what not."""

    measures: tuple[Measure, ...]
    ignored: tuple[str, ...]
    best: tuple[int, str] | None = None
    """A measure's place and max, min or sum: what is asked about all items together."""


class _Segment:
    """The tokens between two joints, sorted by what they do."""

    def __init__(self, tokens: Sequence[Token], *, filtering: bool, tabular: bool) -> None:
        self.tokens = list(tokens)
        self.tabular = tabular
        self.ignored: list[str] = []
        self.filters: list[Filter] = []
        self.only = any(token.kind == "only" for token in tokens)
        self._limits()
        self._take_filters(filtering=filtering)
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

        while end < len(tokens) and tokens[end].kind in {"word", "number", "literal", "or", "noise", "conj"}:
            if tokens[sharp].kind != "between" and tokens[end].kind == "conj":
                break

            end += 1

        return end

    def _filter(self, token: Token, column: str, rest: Sequence[Token]) -> Filter:
        numbers = tuple(t.text for t in rest if t.kind == "number")

        if token.kind in {"blank", "filled"}:
            names = [t.text for t in rest if t.kind in _NAMES]
            return Filter(column or " ".join(names), token.kind)

        column = "" if column.casefold() in GENERIC else column

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
        after, rows = _split_of(rest)

        if self.head and self.head.kind == "rows" and rest and rest[0].kind == "of":
            after, rows = [], after + rows

        self.scope = rows
        return before, after


_ORDERS = frozenset({"<", "<=", ">", ">="})
_HEADS = frozenset({"agg", "metric", "rows", "distinct"})
_NAMES = frozenset({"word", "literal", "number"})
_COMPARING = frozenset({"cmp", "between", "blank", "filled"})


def _head(tokens: Sequence[Token]) -> tuple[Token | None, Token | None]:
    """What is asked, and an aggregate over it: in `the most rows`, rows and the most."""
    telling = [t for t in tokens if t.kind in _HEADS | _NAMES]
    head = next((t for t in telling if t.kind in _HEADS), None)

    if head is None or head.kind != "agg":
        return head, None

    after = telling[telling.index(head) + 1 :]
    counted = bool(after) and after[0].kind in {"rows", "metric"}
    return (after[0], head) if counted else (head, None)


def _han_filter(tokens: Sequence[Token]) -> bool:
    """Chinese puts the condition first: 城市是巴黎的人…"""
    kinds = [t.kind for t in tokens]
    return "is" in kinds and "of" in kinds[kinds.index("is") :] and not tokens[kinds.index("is")].text.isascii()


def _written(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens if token.text)


def _names(tokens: Sequence[Token]) -> list[str]:
    return [t.text for t in tokens if t.kind in _NAMES]


def _split_of(tokens: Sequence[Token]) -> tuple[list[str], list[str]]:
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


def _segments(text: str) -> list[list[Token]]:
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


def read_measures(text: str, *, tabular: bool, nouns: frozenset[str] = frozenset()) -> Reading:
    """The measures that `text` asks for; `tabular`: the items are tables with columns.

    `nouns`: what the items are called, in the singular.
    """
    reader = _Reader(tabular=tabular, nouns=nouns)

    for tokens in _segments(text):
        reader.take(_Segment(tokens, filtering=reader.in_filter, tabular=tabular))

    return reader.reading()


class _Reader:
    """Goes through the segments; what one leaves open, the next may fill."""

    def __init__(self, *, tabular: bool, nouns: frozenset[str]) -> None:
        self.tabular = tabular
        self.nouns = nouns
        self.measures: list[Measure] = []
        self.ignored: list[str] = []
        self.general: list[Filter] = []
        self.open: list[int] = []
        """Measures that still lack a column."""
        self.loose: list[str] = []
        """Names that stood alone: the column of what follows, or a field."""
        self.in_filter = False
        self.which = False
        """The goal asks which of the items."""
        self.best: tuple[int, str] | None = None
        self.counting = False
        """The last thing asked for was a number of things."""

    def take(self, segment: _Segment) -> None:
        self.ignored += segment.ignored
        self.which = self.which or segment.which
        found = self._measures(segment)
        counted = segment.head is not None and _COUNTS.match(segment.head.text) is not None
        self.counting = segment.counting or counted or (self.counting and not segment.listing)
        filters = tuple(segment.filters)

        if self.measures and not found:
            filters = self._same_column(filters)

        self.in_filter = bool(filters)

        if not found:
            self._alone(segment, filters)
            return

        scope = " ".join(segment.scope)

        if scope and self.tabular and not self._is_row(scope):
            filters = (*filters, Filter("", "=", (scope,)))

        for measure in found:
            self._add(replace(measure, filters=filters))

    def _same_column(self, filters: tuple[Filter, ...]) -> tuple[Filter, ...]:
        """Greater than 10 and less than 20: the second is about the column of the first."""
        before = [f.column for f in self.measures[-1].filters if f.column]
        return tuple(
            replace(f, column=before[-1]) if before and not f.column and f.op in _ORDERS else f
            for f in filters
        )

    def _alone(self, segment: _Segment, filters: tuple[Filter, ...]) -> None:
        """A segment without a measure: a condition, or bare names."""
        if filters and (not self.measures or segment.only):
            self.general += filters
        elif filters:
            last = self.measures[-1]
            self.measures[-1] = replace(last, filters=(*last.filters, *filters))
        elif segment.before:
            first, second = _split_of(segment.tokens)
            scope = " ".join(second)
            tail = [] if self._is_row(scope) else second

            if segment.counting and self.tabular:
                where = (Filter("", "=", (scope,)),) if tail else ()
                self.measures.append(Measure("count", " ".join(first), filters=where))
            else:
                self._bare(" ".join(first + tail), counting=segment.counting)

    def _is_row(self, noun: str) -> bool:
        """`noun` is what one calls the rows, or the items themselves."""
        return noun.casefold() in GENERIC or _stem(noun) in self.nouns or not noun

    def _bare(self, name: str, *, counting: bool) -> None:
        last = self.measures[-1] if self.measures else None

        if not self.tabular and counting and name.rstrip("s").isupper():
            self.measures.append(Measure("occurrences", name.rstrip("s")))
        elif not self.tabular:
            self.measures.append(Measure("field", name))
        elif last and last.op in _COLUMNAR and last.column:
            self.measures.append(replace(last, column=name))
        else:
            self.loose.append(name)

    def _measures(self, segment: _Segment) -> list[Measure]:
        head = segment.head
        names = segment.after or segment.before

        if segment.superlative:
            self._across(segment, segment.superlative)

        if head is None:
            return self._counted_rows(segment) if segment.counting and self.tabular else []

        if head.kind == "rows":
            self._row_scope(segment)
            return [Measure("rows")]

        if head.kind == "metric":
            return self._metric(segment, head, names)

        if head.kind == "distinct":
            return [Measure("distinct", " ".join(names))]

        return self._aggregate(segment, head, names)

    def _across(self, segment: _Segment, token: Token) -> None:
        """The most rows: a question about all items together."""
        which = segment.which or self.which or token.value == "sum"

        if which and token.value in {"max", "min", "sum"}:
            self.best = (len(self.measures), token.value)
        else:
            self.ignored.append(token.text)

    def _counted_rows(self, segment: _Segment) -> list[Measure]:
        """How many … over 100: rows that meet a condition."""
        if not segment.filters:
            asked = any(t.text.lower() == "how many" for t in segment.tokens)
            return [Measure("rows")] if asked and not segment.before else []

        first, second = _split_of(segment.tokens)
        scope = " ".join(second)

        if scope and not self._is_row(scope):
            segment.filters.append(Filter("", "=", (scope,)))

        self.ignored += [name for name in first if not self._is_row(name)]
        return [Measure("rows")]

    def _row_scope(self, segment: _Segment) -> None:
        """Names beside `rows`: rows for Paris."""
        extra = [n for n in segment.before + segment.after if n.casefold() not in GENERIC]
        self.ignored += [" ".join(extra)] if extra else []

    def _metric(self, segment: _Segment, head: Token, names: list[str]) -> list[Measure]:
        if head.value == "lines" and self.tabular and head.text in {"行数"}:
            return [Measure("rows")]

        if head.value == "occurrences":
            literals = segment.after + segment.before
            return [Measure("occurrences", word) for word in literals]

        extra = [n for n in segment.before + segment.after if n.casefold() not in GENERIC]
        self.ignored += [" ".join(extra)] if extra else []
        counting = segment.counting or (self.counting and not segment.listing)
        return [Measure("headings" if counting and head.value == "heading_list" else head.value)]

    def _aggregate(self, segment: _Segment, head: Token, names: list[str]) -> list[Measure]:
        op, _, given = head.value.partition(" ")
        column = " ".join(names)

        if given:
            if _stem(column).endswith(f" {_stem(given)}"):
                return [Measure(op, column)]

            same = _stem(column) in {_stem(given), "cost", "age", "person", "people"}
            about = "" if same or not column else column
            self.ignored += [" ".join(segment.before)] if segment.before and segment.after else []
            op = {"max": "argmax", "min": "argmin"}[op] if about else op
            return [Measure(op, given, about=about)]

        if segment.which and segment.before and op in {"max", "min"}:
            return [Measure(f"arg{op}", " ".join(segment.after), about=" ".join(segment.before))]

        if self.which and not segment.before and op in {"max", "min"} and self.best is None:
            self.best = (len(self.measures), op)

        if segment.before and segment.after:
            self.ignored.append(" ".join(segment.before))

        return [Measure(op, column, number=_number(head))]

    def _add(self, measure: Measure) -> None:
        if measure.op in _COLUMNAR and not measure.column:
            if self.loose:
                measure = replace(measure, column=self.loose[-1])
            else:
                self.open.append(len(self.measures))
        elif measure.op in _COLUMNAR:
            self._fill(measure)

        self.measures.append(measure)

    def _fill(self, measure: Measure) -> None:
        """Highest and lowest price: the first takes the column of the second."""
        for place in self.open:
            old = self.measures[place]
            filters = old.filters or measure.filters
            self.measures[place] = replace(old, column=measure.column, filters=filters)

        self.open.clear()
        self.loose.clear()

    def reading(self) -> Reading:
        self._settle()
        general = tuple(self.general)
        measures = [
            replace(m, filters=(*general, *m.filters)) if m.op not in _WHOLE else m
            for m in self.measures
        ]
        ignored = tuple(dict.fromkeys(part for part in self.ignored if part))
        return Reading(tuple(dict.fromkeys(measures)), ignored, self.best)

    def _settle(self) -> None:
        """What is still open takes the column before it; bare names are listed as they are."""
        for place in self.open:
            named = [m.column for m in self.measures[:place] if m.op in _COLUMNAR and m.column]

            if named:
                self.measures[place] = replace(self.measures[place], column=named[-1])

        used = {m.column for m in self.measures}
        self.measures += [Measure("values", name) for name in self.loose if name not in used]


_COLUMNAR = frozenset(
    {"max", "min", "mean", "sum", "median", "mode", "nth", "top", "range", "distinct"}
)
_WHOLE = frozenset({"columns", "column_names", "lines", "bytes", "words", "chars"})


def _stem(name: str) -> str:
    return name.casefold().removesuffix("s")


def _number(head: Token) -> int:
    sign = -1 if _LOW.search(head.text) else 1

    if head.value == "nth":
        places = [n for word, n in _PLACES.items() if word in head.text.lower()]
        digits = re.findall(r"\d", head.text)
        return sign * (int(digits[0]) if digits else places[0])

    if head.value == "top":
        digits = re.findall(r"\d+", head.text)
        words = [n for word, n in _NUMBERS.items() if word in head.text.lower()]
        return sign * (int(digits[0]) if digits else (words or [3])[0])

    return 0
