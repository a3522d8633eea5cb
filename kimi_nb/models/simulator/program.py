"""The Python that the simulator writes for the sandbox, one program for one file."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from kimi_nb.models.simulator.formulas import OPS, TEXT
from kimi_nb.models.simulator.headings import in_capitals
from kimi_nb.models.simulator.measure import Filter, Measure
from kimi_nb.models.simulator.runs import GENERIC
from kimi_nb.models.simulator.snippets import NEEDS, PIECES
from kimi_nb.models.simulator.synonyms import synonyms

__all__ = ["TABLE_OPS", "TEXT_OPS", "program_for"]

TABLE_OPS = frozenset(
    {*OPS, "rows", "count", "argmax", "argmin", "first", "last", "columns", "column_names"}
)
TEXT_OPS = frozenset(TEXT) - TABLE_OPS | {"occurrences", "matching_lines"}

_LAST = (
    "print(json.dumps({'cells': cells, 'notes': list(dict.fromkeys(notes))}, ensure_ascii=False))"
)
_TABLES = (".csv", ".tsv")


def program_for(path: str, measures: Sequence[Measure]) -> str:
    """A program that prints {"cells": one text for each measure, "notes": what to know}."""
    pieces: list[str] = []
    body: list[str] = []

    for measure in measures:
        needs, lines = _cell(measure, is_table=path.lower().endswith(_TABLES))
        body += lines

        for piece in needs:
            _need(piece, pieces)

    code = "".join(PIECES[piece] for piece in pieces)
    return "\n".join([f"path = {_literal(path)}", code + "\n".join(body), _LAST])


def _need(piece: str, pieces: list[str]) -> None:
    for other in NEEDS.get(piece, ()):
        _need(other, pieces)

    if piece not in pieces:
        pieces.append(piece)


def _cell(measure: Measure, *, is_table: bool) -> tuple[list[str], list[str]]:
    """The pieces that a measure needs, and the lines that add its cell."""
    op = measure.op

    if op == "field":
        return ["read"], ["cells.append('')"]

    if op in TABLE_OPS and not is_table:
        return ["read"], ["cells.append('not a CSV file')"]

    if op == "occurrences":
        pattern = repr(_word(measure.column))
        return ["read"], [f"cells.append(str(len(re.findall({pattern}, text))))"]

    if op == "matching_lines":
        test = f"re.search({_word(measure.column)!r}, line)"
        return ["lines"], [f"cells.append(str(len([line for line in lines if {test}])))"]

    if op in TEXT:
        piece, value = TEXT[op]
        return [piece], [f"cells.append({value})"]

    return _table_cell(measure)


def _table_cell(measure: Measure) -> tuple[list[str], list[str]]:
    needs = ["table"]
    lines = ["rows, why = everything, ''"]

    if measure.filters:
        needs += ["filter"]
        conditions = [_condition(f, needs) for f in measure.filters]
        lines = [f"rows, why = keep(everything, {conditions!r})"]

    if measure.op == "rows":
        return _with_pick(needs, [*lines, "cells.append(why or str(len(rows)))"])

    if measure.op == "count":
        needs += ["find", "number"]
        return _with_pick(needs, lines + _counted(measure))

    lines += [f"i, why = (None, why) if why else {_finder(measure.column, needs)}"]

    if " " in measure.column and not measure.filters:
        needs.append("narrow")
        lines.append(f"rows = narrow(rows, i, {measure.column!r})")

    return _with_pick(needs, lines + _aggregated(measure, needs))


def _with_pick(needs: list[str], lines: list[str]) -> tuple[list[str], list[str]]:
    """`keep` looks columns up by `pick`, which is `find` unless a column was not named."""
    if "filter" in needs:
        choosing = "find(names) if names != [''] else choose(dates)" if "choose" in needs else ""
        lines = [f"def pick(names, dates):\n    return {choosing or 'find(names)'}", *lines]

    return needs, lines


def _finder(column: str, needs: list[str]) -> str:
    needs.append("find" if column else "choose")
    names = list(synonyms(column))
    return f"find({names!r})" if column else "choose()"


def _counted(measure: Measure) -> list[str]:
    """How many of something: different values of such a column, else rows."""
    names = list(synonyms(measure.column))
    generic = measure.column.casefold() in GENERIC
    return [
        f"i, absent = find({names!r})",
        f"noun = single({measure.column!r})",
        "if i is not None and header[i].isascii() and noun.isascii():",
        f"    close = [single(name).split() for name in {names!r}]",
        "    if not any(all(w in single(header[i]).split() for w in words) for words in close):",
        "        i, absent = None, 'no column %r; has: %s' % (noun, ', '.join(header))",
        "filled = [row[i].strip() for row in rows if row[i].strip()] if i is not None else []",
        "such = [row for row in rows if any(single(cell) == noun for cell in row)]",
        "xs = numbers(i, rows) if i is not None else []",
        "summed = i is not None and single(header[i]) == noun and plural_of(header[i])",
        "if summed and xs and all(x is not None for x in xs):",
        "    notes.append('the numbers of column %r added up' % header[i])",
        "    counted = show(sum(xs))",
        "elif i is not None:",
        "    notes.append('different values of column %r counted' % header[i])",
        "    counted = len(set(filled))",
        "elif such:",
        "    notes.append('rows with a cell %r' % noun)",
        "    counted = len(such)",
        f"elif {generic} or noun in single(path).split():",
        f"    notes.append('each row counted as one of ' + {measure.column!r})",
        "    counted = len(rows)",
        "else:",
        "    why = why or absent",
        "cells.append(why or str(counted))",
    ]


def _aggregated(measure: Measure, needs: list[str]) -> list[str]:
    if measure.op in {"argmax", "argmin"}:
        return _best(measure, needs)

    if measure.op in {"first", "last"}:
        return _day(measure, needs)

    pieces, value = OPS[measure.op]
    needs += [piece for piece in pieces if piece != "counts"]
    value = value.format(high=measure.number > 0, number=abs(measure.number))
    cells = "[row[i].strip() for row in rows if row[i].strip()]"

    if "gather" not in pieces:
        lines = [f"filled = {cells} if i is not None else []"]
        counting = ["counts = {}", "for v in filled:", "    counts[v] = counts.get(v, 0) + 1"]
        lines += counting if "counts" in pieces else []
        return [*lines, f"cells.append(why or ({value}))"]

    lines = ["xs, why = gather(i) if i is not None else ([], why)"]

    if measure.op in {"max", "min"}:
        needs.append("date")
        lines = [
            f"filled = {cells} if i is not None else []",
            "dated = bool(filled) and all(date(cell) for cell in filled)",
            "xs, why = gather(i) if i is not None and not dated else ([], why)",
        ]
        value = f"{measure.op}(filled) if dated else {value}"

    return [*lines, f"cells.append(why or ({value}))"]


def _day(measure: Measure, needs: list[str]) -> list[str]:
    """The earliest or the latest date; of anything but dates it is not clear what is meant."""
    needs.append("date")
    extreme = {"first": "min", "last": "max"}[measure.op]
    return [
        "filled = [row[i].strip() for row in rows if row[i].strip()] if i is not None else []",
        "dated = bool(filled) and all(date(cell) for cell in filled)",
        "why = why or ('' if dated else 'column %r has no dates' % header[i])",
        f"cells.append(why or {extreme}(filled))",
    ]


def _best(measure: Measure, needs: list[str]) -> list[str]:
    """Which one has the extreme value."""
    needs += ["gather", "find"]
    most = measure.op.removeprefix("arg")
    about = list(synonyms(measure.about))
    itself = [
        f"j, absent = find({about!r})",
        "if i is None and j is not None and any(x is not None for x in numbers(j, rows)):",
        "    i, why, j = j, '', None",
    ]
    return [
        *(itself if measure.number else [f"j, absent = find({about!r})"]),
        "xs, why = gather(i) if i is not None else ([], why)",
        "why = why or (absent if j is None and i is not None else '')"
        if not measure.number
        else "",
        "if not why:",
        f"    best = {most}(xs)",
        "    at = [row for row, x in zip(rows, numbers(i, rows)) if x == best]",
        "    names = '; '.join([row[j].strip() for row in at]) if j is not None else ''",
        "cells.append(why or ('%s (%s)' % (names, show(best)) if names else show(best)))",
    ]


def _condition(
    condition: Filter, needs: list[str]
) -> tuple[list[str], str, list[str], list[object]]:
    if not condition.column and condition.op not in {"=", "!="}:
        needs.append("choose")

    values = list(condition.values)
    names = list(synonyms(condition.column))
    return names, condition.op, values, [_limit(value) for value in values]


def _limit(value: str) -> float | None:
    try:
        return float(value.strip("$€£¥% ").replace(",", ""))
    except ValueError:
        return None


def _word(text: str) -> str:
    """A pattern for whole words; in any case, unless it is written in capitals."""
    before = r"\b" if re.match(r"\w", text) and text.isascii() else ""
    after = r"\b" if re.search(r"\w$", text) and text.isascii() else ""
    case = "" if in_capitals(text) else "(?i)"
    return f"{case}{before}{re.escape(text)}{after}"


def _literal(text: str) -> str:
    """A string as JSON, which is Python too and can be read back."""
    return orjson.dumps(text).decode()
