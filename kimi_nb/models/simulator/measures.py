"""What is asked about each item, read off the tokens of a goal."""

from __future__ import annotations

import re
from dataclasses import replace

from kimi_nb.models.simulator.joints import COLUMNAR, NAMES_OF, WHOLE, settled, together
from kimi_nb.models.simulator.lexicon import Token
from kimi_nb.models.simulator.measure import Filter, Measure, Reading
from kimi_nb.models.simulator.rank import place_of, same_column, stem, superlative, value_is
from kimi_nb.models.simulator.runs import GENERIC, split_of
from kimi_nb.models.simulator.segments import Segment, counts, segments

__all__ = ["read_measures"]

_EXPLAINS = re.compile(
    r"\b(?:use|using|based|according|refer\w*|columns?)\b|根据|使用", re.IGNORECASE
)
"""It says which column was meant before."""


def read_measures(text: str, *, tabular: bool, nouns: frozenset[str] = frozenset()) -> Reading:
    """The measures that `text` asks for; `tabular`: the items are tables with columns.

    `nouns`: what the items are called, in the singular.
    """
    reader = _Reader(tabular=tabular, nouns=nouns)

    for tokens in segments(text, tabular=tabular):
        reader.take(
            Segment(tokens, filtering=reader.in_filter, tabular=tabular, which=reader.which)
        )

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
        self.limited = False
        """Something was beyond it: bare names are part of that."""
        self.which = False
        """The goal asks which of the items."""
        self.best: tuple[int, str] | None = None
        self.overall = ""
        """The words that ask about all items together."""
        self.counting = False
        """The last thing asked for was a number of things."""

    def take(self, segment: Segment) -> None:
        self.ignored += segment.ignored
        self.overall = self.overall or segment.overall
        self.which = self.which or segment.which
        self.limited = self.limited or segment.limited
        found = self._measures(segment)
        self.counting = (
            segment.counting or counts(segment.head) or (self.counting and not segment.listing)
        )
        filters = tuple(segment.filters)

        if self.measures and not found:
            filters = same_column(filters, self.measures[-1])

        self.in_filter = bool(filters)

        if not found:
            self._alone(segment, filters)
            return

        if self.tabular and not segment.explained:
            filters += self._scopes(segment.scope)

        for measure in found:
            self._add(replace(measure, filters=(*measure.filters, *filters)))

    def _alone(self, segment: Segment, filters: tuple[Filter, ...]) -> None:
        """A segment without a measure: a condition, or bare names."""
        if filters and (not self.measures or segment.only):
            self.general += filters
        elif filters:
            last = self.measures[-1]
            counted = segment.explained and last.op == "count"
            last = Measure("rows", filters=last.filters) if counted else last
            self.measures[-1] = replace(last, filters=(*last.filters, *filters))
        elif segment.before:
            first, second = split_of(segment.tokens)
            tail = [phrase for phrase in second if not self._is_row(phrase)]

            if segment.counting and self.tabular:
                self._counted(first, self._scopes(second))
            else:
                explains = _EXPLAINS.search(segment.text) is not None
                name = " ".join(first + tail)
                self._bare(name, counting=segment.counting, explains=explains)

    def _scopes(self, phrases: list[str]) -> tuple[Filter, ...]:
        """The price of apples in Paris: values, in columns that are not named."""
        kept = [phrase for phrase in phrases if not self._is_row(phrase)]
        values = [
            phrase.rpartition(" ")[0] if self._is_row(phrase.rpartition(" ")[2]) else phrase
            for phrase in kept
        ]
        return tuple(Filter("", "=", (value,)) for value in values)

    def _counted(self, names: list[str], where: tuple[Filter, ...]) -> None:
        """How many paid orders: beside a word for rows stands a value."""
        rest = [name for name in names if not self._is_row(name)]

        if len(names) > 1 and len(rest) < len(names):
            where += value_is(rest) if rest else ()
            names = []

        op = "count" if names else "rows"
        self.measures.append(Measure(op, " ".join(names), filters=where))

    def _is_row(self, noun: str) -> bool:
        """`noun` is what one calls the rows, or the items themselves."""
        words = noun.split()
        noun = words[-1] if len(words) > 1 and words[0].isdigit() else noun
        return noun.casefold() in GENERIC or stem(noun) in self.nouns or not noun

    def _bare(self, name: str, *, counting: bool, explains: bool = False) -> None:
        if self.limited and self.tabular:
            self.ignored.append(name)
            return

        if self._is_row(name) and (stem(name) in self.nouns or (self.tabular and self.measures)):
            return

        last = self.measures[-1] if self.measures else None

        if not self.tabular and counting and name.rstrip("s").isupper():
            self.measures.append(Measure("occurrences", name.rstrip("s")))
        elif not self.tabular:
            self.measures.append(Measure("field", name))
        elif last and explains and any(not f.column for f in last.filters):
            filters = tuple(f if f.column else replace(f, column=name) for f in last.filters)
            self.measures[-1] = replace(last, filters=filters)
        elif last and last.op in COLUMNAR and last.column and not explains:
            self.measures.append(replace(last, column=name, guessed=True))
        else:
            self.loose.append(name)

    def _measures(self, segment: Segment) -> list[Measure]:
        head = segment.head
        names = segment.after or segment.before

        if segment.superlative:
            self._across(segment, segment.superlative)

        if head is None:
            return self._counted_rows(segment) if segment.counting and self.tabular else []

        if head.kind == "rows":
            return self._rows(segment)

        if head.kind == "metric":
            return self._metric(segment, head)

        if head.kind == "distinct":
            return [Measure(head.value or "distinct", " ".join(names))]

        return self._aggregate(segment, head, names)

    def _across(self, segment: Segment, token: Token) -> None:
        """The most rows: a question about all items together."""
        which = segment.which or self.which or token.value == "sum"

        if which and token.value in {"max", "min", "sum"}:
            self.best = (len(self.measures), token.value)
        else:
            self.ignored.append(token.text)

    def _counted_rows(self, segment: Segment) -> list[Measure]:
        """How many … over 100: rows that meet a condition."""
        if not segment.filters:
            han = [t.text for t in segment.tokens if t.kind == "count" and t.text in GENERIC]
            bare = Measure("count", han[0]) if han else Measure("rows")
            return [] if segment.before or segment.after else [bare]

        first, second = split_of(segment.tokens)
        segment.filters += self._scopes(second)
        plural = segment.explained or (len(first) == 1 and first[0].endswith("s"))
        self.ignored += [] if plural else [name for name in first if not self._is_row(name)]
        return [Measure("rows")]

    def _rows(self, segment: Segment) -> list[Measure]:
        values = [name for name in segment.before if not self._is_row(name)]

        if self.tabular and (segment.explained or (len(values) == 1 and not segment.after)):
            return [Measure("rows", filters=() if segment.explained else value_is(values))]

        self._beside(segment)
        return [Measure("rows" if self.tabular else "lines")]

    def _beside(self, segment: Segment) -> None:
        """Names beside `rows` or `words` have no part in it: purple rows."""
        extra = [n for n in segment.before + segment.after if n.casefold() not in GENERIC]
        self.ignored += [" ".join(extra)] if extra else []

    def _metric(self, segment: Segment, head: Token) -> list[Measure]:
        if head.value == "lines" and self.tabular and head.text == "行数":
            return [Measure("rows")]

        if head.value in {"occurrences", "matching_lines"}:
            literals = segment.after + segment.before
            return [Measure(head.value, word) for word in literals]

        self._beside(segment)
        counting = segment.counting or (self.counting and not segment.listing)
        named = bool(self.measures) and self.measures[-1].op in NAMES_OF.values()

        if head.value in NAMES_OF and named and not counting and not counts(head):
            return [Measure(NAMES_OF[head.value])]

        return [Measure("headings" if counting and head.value == "heading_list" else head.value)]

    def _aggregate(self, segment: Segment, head: Token, names: list[str]) -> list[Measure]:
        op, _, given = head.value.partition(" ")
        column = " ".join(names)

        if given:
            own = not stem(column).endswith(f" {stem(given)}")
            both = own and segment.before and segment.after
            self.ignored += [" ".join(segment.before)] if both else []
            return [superlative(op, column, given) if own else Measure(op, column)]

        if segment.which and segment.before and op in {"max", "min"}:
            return [Measure(f"arg{op}", " ".join(segment.after), about=" ".join(segment.before))]

        if segment.having and segment.after and op in {"max", "min"}:
            about, of = split_of(segment.tokens[: segment.tokens.index(head)])
            self.ignored += [name for name in of if not self._is_row(name)]
            return [Measure(f"arg{op}", column, about=" ".join(about))]

        if self.which and not segment.before and op in {"max", "min"} and self.best is None:
            self.best = (len(self.measures), op)

        if segment.before and segment.after and self.tabular and segment.owned:
            return [Measure(op, column, number=place_of(head), filters=value_is(segment.before))]

        if segment.before and segment.after:
            self.ignored.append(" ".join(segment.before))

        return [Measure(op, column, number=place_of(head))]

    def _add(self, measure: Measure) -> None:
        if measure.op in COLUMNAR and not measure.column:
            if self.loose:
                measure = replace(measure, column=self.loose[-1])
            else:
                self.open.append(len(self.measures))
        elif measure.op in COLUMNAR:
            self._fill(measure)

        self.measures.append(measure)

    def _fill(self, measure: Measure) -> None:
        """Highest and lowest price: the first takes the column of the second."""
        for place in self.open:
            old = self.measures[place]
            filters = old.filters or measure.filters
            self.measures[place] = replace(old, column=measure.column, filters=filters)

        self.open.clear()
        same = {stem(measure.column), stem(measure.about)}
        self.ignored += [name for name in self.loose if stem(name) not in same]
        self.loose.clear()

    def reading(self) -> Reading:
        """All that was understood."""
        found = settled(self.measures, self.open, self.loose)
        general = tuple(self.general)
        measures = tuple(
            dict.fromkeys(
                replace(m, filters=(*general, *m.filters)) if m.op not in WHOLE else m
                for m in found
            )
        )
        best = (self.best,) if self.best else ()

        if self.overall:
            best = together(measures)
            self.ignored += [self.overall] if len(best) < len(measures) else []

        ignored = tuple(dict.fromkeys(part for part in self.ignored if part))
        return Reading(measures, ignored, best)
