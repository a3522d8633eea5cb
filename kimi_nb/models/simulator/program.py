"""The Python that the simulator writes for the sandbox, one program for one file."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from kimi_nb.models.simulator.lexicon import synonyms
from kimi_nb.models.simulator.measures import Filter, Measure

__all__ = ["TABLE_OPS", "TEXT_OPS", "program_for"]

_READ = """\
import csv, json, math, re
raw = open(path, 'rb').read()
notes = []
if raw[:2] in (b'\\xff\\xfe', b'\\xfe\\xff'):
    text = raw.decode('utf-16')
else:
    text = raw.decode('utf-8', 'replace')
    if '\\ufffd' in text:
        notes.append('not UTF-8: some characters are unreadable')
text = text.lstrip('\\ufeff')
cells = []
"""

_TABLE = """\
head = text.lstrip().split('\\n')[0]
comma = max([',', ';', '\\t', '|'], key=lambda c: head.count(c))
if path.lower().endswith('.tsv'):
    comma = '\\t'
table = [row for row in csv.reader(text.splitlines(True), delimiter=comma) if row]
def plain(name):
    return re.sub(r'[\\W_]+', ' ', name.lower()).strip()
def single(name):
    words = []
    for w in plain(name).split():
        if w.endswith('ies') and len(w) > 4:
            w = w[:-3] + 'y'
        elif w.endswith(('ses', 'xes', 'ches', 'shes')):
            w = w[:-2]
        elif w.endswith('s') and not w.endswith('ss') and len(w) > 2:
            w = w[:-1]
        words.append(w)
    return ' '.join(words)
def number(cell, decimal):
    s = re.sub(r'[\\s$€£¥%\\u00a0\\u202f]|EUR|USD|CNY|元', '', cell).replace('−', '-')
    if decimal == ',':
        s = s.replace('.', '').replace(',', '.')
    elif re.fullmatch(r'[-+]?\\d{1,3}(,\\d{3})+(\\.\\d+)?', s):
        s = s.replace(',', '')
    if re.fullmatch(r'[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?', s):
        return float(s)
    return None
def numbers(column):
    decimal = '.'
    for row in rows:
        if re.fullmatch(r'\\D{0,3}[-+]?\\d+(\\.\\d{3})*,(\\d{1,2}|\\d{4,})\\D{0,4}', row[column].strip()):
            decimal = ','
    return [number(row[column], decimal) for row in rows]
def show(x):
    if x is None:
        return '—'
    if x == int(x) and abs(x) < 1e15:
        return str(int(x))
    return repr(x)
if table and all(number(c, '.') is not None for c in table[0]):
    notes.append('no header row: columns are numbered')
    header, rows = ['column %d' % (i + 1) for i in range(len(table[0]))], table
elif table:
    header, rows = table[0], table[1:]
else:
    header, rows = [], []
    notes.append('the file is empty')
header = [h.strip() for h in header]
ragged = len([row for row in rows if len(row) != len(header)])
if ragged:
    notes.append('%d rows have another number of cells than the header' % ragged)
rows = [row + [''] * (len(header) - len(row)) for row in rows]
def numeric():
    found = []
    for i in range(len(header)):
        filled = [number(row[i], '.') is not None for row in rows if row[i].strip()]
        if filled and all(filled):
            found.append(i)
    return found
def find(names):
    for same in (str.lower, plain, single):
        for name in names:
            hits = [i for i, h in enumerate(header) if same(h) == same(name)]
            if len(hits) == 1:
                return hits[0], ''
            if hits:
                return None, 'two columns are called ' + repr(name)
    for name in names:
        wanted = single(name).split()
        for inside in (True, False):
            hits = []
            for i, h in enumerate(header):
                has = single(h).split()
                small, large = (wanted, has) if inside else (has, wanted)
                if small and all(w in large for w in small):
                    hits.append(i)
            if len(hits) == 1:
                note = 'column %r taken for %r' % (header[hits[0]], names[0])
                if note not in notes:
                    notes.append(note)
                return hits[0], ''
            if hits:
                return None, 'which %r? has: %s' % (names[0], ', '.join(header[i] for i in hits))
    return None, 'no column %r; has: %s' % (names[0], ', '.join(header) or 'nothing')
def choose(names):
    if names != ['']:
        return find(names)
    few = numeric()
    if len(few) == 1:
        notes.append('column %r: the only one with numbers' % header[few[0]])
        return few[0], ''
    return None, 'which column? has: ' + ', '.join(header)
def date(cell):
    return re.fullmatch(r'\\d{4}-\\d\\d-\\d\\d([T ][\\d:.]+Z?)?', cell.strip())
def passes(cell, x, op, values, limits):
    cell = cell.strip()
    if op == 'blank':
        return not cell
    if op == 'filled':
        return bool(cell)
    if op in ('=', '!='):
        same = cell.lower() in values or single(cell) in [single(v) for v in values]
        same = same or (x is not None and x in limits)
        return same == (op == '=')
    if op == 'contains':
        return any(v in cell.lower() for v in values)
    if op == 'starts':
        return any(cell.lower().startswith(v) for v in values)
    if limits and limits[0] is not None:
        a, b = x, limits
    elif date(cell):
        a, b = cell[:10], values
    else:
        return False
    if a is None:
        return False
    return {'<': a < b[0], '<=': a <= b[0], '>': a > b[0], '>=': a >= b[0],
            'between': b[0] <= a <= b[-1]}[op]
def keep(filters):
    global rows
    for names, op, values, limits in filters:
        if names == [''] and op == '=':
            hits = []
            for i in range(len(header)):
                if any(single(row[i]) == single(values[0]) for row in rows):
                    hits.append(i)
            if len(hits) != 1:
                return 'no cell is %r' % values[0] if not hits else '%r stands in several columns' % values[0]
            notes.append('only rows with %s = %s' % (header[hits[0]], values[0]))
            i = hits[0]
        else:
            i, why = choose(names)
            if i is None:
                return why
        xs = numbers(i)
        rows = [row for row, x in zip(rows, xs) if passes(row[i], x, op, values, limits)]
    return ''
def gather(i):
    xs = numbers(i)
    bad = [row[i] for row, x in zip(rows, xs) if x is None and row[i].strip()]
    blank = len([row for row in rows if not row[i].strip()])
    if bad and len(bad) < len(rows) - blank:
        notes.append('%s: %d not a number (%r) left out' % (header[i], len(bad), bad[0]))
    if blank:
        notes.append('%s: %d blank left out' % (header[i], blank))
    good = [x for x in xs if x is not None]
    why = '' if good else 'column %r has no numbers (%r)' % (header[i], bad[0]) if bad else 'no values'
    return good, why
everything = rows
def measure(op, names, n, about, filters):
    global rows
    rows = everything
    why = keep(filters)
    if why:
        return why
    if op == 'rows':
        return str(len(rows))
    if op == 'count':
        i, why = find(names)
        if i is None:
            notes.append('each row counted as one of %r' % names[0])
            return str(len(rows))
        notes.append('different values of column %r counted' % header[i])
        return str(len({row[i].strip() for row in rows if row[i].strip()}))
    i, why = choose(names)
    if i is None:
        return why
    filled = [row[i].strip() for row in rows if row[i].strip()]
    if op == 'distinct':
        return str(len(set(filled)))
    if op == 'values':
        seen = sorted(set(filled), key=filled.index)
        return '; '.join(seen[:8]) if len(seen) <= 8 else '%d different values' % len(seen)
    if op == 'mode':
        counts = {}
        for v in filled:
            counts[v] = counts.get(v, 0) + 1
        most = max(counts.values(), default=0)
        return '; '.join(v for v in counts if counts[v] == most)[:200] or 'no values'
    if op in ('max', 'min') and filled and all(date(v) for v in filled):
        return max(filled) if op == 'max' else min(filled)
    xs, why = gather(i)
    if why:
        return why
    if op in ('argmax', 'argmin'):
        j, why = find(about)
        if j is None:
            return why
        best = max(xs) if op == 'argmax' else min(xs)
        names = [row[j].strip() for row, x in zip(rows, numbers(i)) if x == best]
        return '%s (%s)' % ('; '.join(names), show(best))
    xs.sort()
    size = len(xs)
    if op == 'nth':
        xs = sorted(set(xs))
        if abs(n) > len(xs):
            return 'only %d different values' % len(xs)
        return show(xs[-n] if n > 0 else xs[-n - 1])
    if op == 'top':
        return '; '.join(show(x) for x in (xs[::-1][:n] if n > 0 else xs[:-n]))
    if op == 'median':
        return show(xs[size // 2] if size % 2 else (xs[size // 2 - 1] + xs[size // 2]) / 2)
    if op == 'range':
        return show(xs[0]) + ' to ' + show(xs[-1])
    total = math.fsum(xs)
    return {'max': show(xs[-1]), 'min': show(xs[0]), 'sum': show(round(total, 9)),
            'mean': show(round(total / size, 6))}[op]
"""

_TEXT = """\
lines = text.replace('\\r\\n', '\\n').replace('\\r', '\\n').split('\\n')
if lines and not lines[-1]:
    lines.pop()
"""

_CELLS = """\
def joined(cell):
    source = cell.get('source', '')
    return source if isinstance(source, str) else ''.join(source)
if path.endswith('.ipynb'):
    book = json.loads(text).get('cells', [])
    code = [joined(c) for c in book if c.get('cell_type') == 'code']
    prose = [joined(c) for c in book if c.get('cell_type') == 'markdown']
else:
    book = None
    code, prose = [text], [text]
"""

_HEADINGS = """\
headings = []
for part in prose:
    fenced = False
    for line in part.split('\\n'):
        if re.match(r' {0,3}(```|~~~)', line):
            fenced = not fenced
        found = re.match(r' {0,3}(#{1,6})[ \\t]+(.*?)[ \\t]*#*[ \\t\\r]*$', line)
        if found and not fenced:
            headings.append(found.group(2))
"""

_CODE = """\
quotes = r'#[^\\n]*|\"\"\"(?:\\\\.|[^\\\\])*?\"\"\"|\\'\\'\\'(?:\\\\.|[^\\\\])*?\\'\\'\\'|"(?:\\\\.|[^"\\\\\\n])*"|\\'(?:\\\\.|[^\\'\\\\\\n])*\\''
bare = re.sub(quotes, '0', '\\n'.join(code))
"""

_NOT_BOOK = "'not a notebook' if book is None else "
_SNIPPETS: dict[str, tuple[str, str]] = {
    "lines": ("", "str(len(lines))"),
    "blank_lines": ("", "str(len([l for l in lines if not l.strip()]))"),
    "words": (
        "",
        "str(len(re.sub(r'[\\u3400-\\u9fff]', ' x ', re.sub(r'[\\u3000-\\u303f\\uff00-\\uffef]', ' ', text)).split()))",
    ),
    "chars": ("", "str(len(text))"),
    "bytes": ("", "str(len(raw))"),
    "headings": (_CELLS + _HEADINGS, "str(len(headings))"),
    "heading_list": (_CELLS + _HEADINGS, "'; '.join(headings) or 'none'"),
    "first_heading": (_CELLS + _HEADINGS, "headings[0] if headings else 'none'"),
    "functions": (
        _CELLS + _CODE,
        "str(len(re.findall(r'(?m)^[ \\t]*(?:async[ \\t]+)?def[ \\t]+\\w+', bare)))",
    ),
    "classes": (_CELLS + _CODE, "str(len(re.findall(r'(?m)^[ \\t]*class[ \\t]+\\w+', bare)))"),
    "imports": (
        _CELLS + _CODE,
        "str(len(re.findall(r'(?m)^[ \\t]*(?:import|from)[ \\t]+[\\w.]+', bare)))",
    ),
    "loc": (
        _CELLS,
        "str(len([l for c in code for l in c.splitlines() if l.strip() and not l.strip().startswith('#')]))",
    ),
    "cells": (_CELLS, _NOT_BOOK + "str(len(book))"),
    "code_cells": (_CELLS, _NOT_BOOK + "str(len(code))"),
    "markdown_cells": (_CELLS, _NOT_BOOK + "str(len(prose))"),
    "links": ("", "str(len(re.findall(r'https?://|\\]\\((?!https?://)', text)))"),
    "columns": (_TABLE, "str(len(header))"),
    "column_names": (_TABLE, "', '.join(header) or 'none'"),
}

TABLE_OPS = frozenset(
    "rows max min mean sum median mode nth top range distinct argmax argmin values count "
    "columns column_names".split()
)
TEXT_OPS = frozenset(_SNIPPETS) - TABLE_OPS | {"occurrences"}


def program_for(path: str, measures: Sequence[Measure]) -> str:
    """A program that prints {"cells": one text for each measure, "notes": what to know}."""
    parts = [f"path = {_literal(path)}", _READ]
    needed: list[str] = []
    lines: list[str] = []

    for measure in measures:
        needs, line = _snippet(measure, is_table=path.lower().endswith((".csv", ".tsv", ".txt")))
        needed += [part for part in needs if part not in needed]
        lines.append(line)

    last = "print(json.dumps({'cells': cells, 'notes': list(dict.fromkeys(notes))}, ensure_ascii=False))"
    return "\n".join([*parts, *needed, *lines, last])


def _snippet(measure: Measure, *, is_table: bool) -> tuple[tuple[str, ...], str]:
    """What has to be defined first, and the line that adds the cell."""
    op = measure.op

    if op == "field":
        return (), "cells.append('')"

    if op == "occurrences":
        return (), f"cells.append(str(len(re.findall({_literal(_word(measure.column))}, text))))"

    if op in TABLE_OPS and not is_table:
        return (), "cells.append('not a CSV file')"

    if op in _SNIPPETS:
        needs, value = _SNIPPETS[op]
        parts = _TEXT if op in {"lines", "blank_lines"} else ""
        return tuple(filter(None, (parts, *_parts(needs)))), f"cells.append({value})"

    names = _literal(list(synonyms(measure.column)))
    about = _literal(list(synonyms(measure.about)))
    filters = _literal([_condition(f) for f in measure.filters])
    call = f"measure({op!r}, {names}, {measure.number}, {about}, {filters})"
    return (_TABLE,), f"cells.append({call})"


def _parts(needs: str) -> tuple[str, ...]:
    return tuple(part for part in (_CELLS, _HEADINGS, _CODE, _TABLE) if part in needs)


def _condition(condition: Filter) -> list[object]:
    values = [value.lower() for value in condition.values]
    return [list(synonyms(condition.column)), condition.op, values, [_limit(v) for v in values]]


def _limit(value: str) -> float | None:
    try:
        return float(value.strip("$€£¥% ").replace(",", ""))
    except ValueError:
        return None


def _word(text: str) -> str:
    """A pattern for whole words in any case."""
    import re

    pattern = re.escape(text)
    before = r"\b" if re.match(r"\w", text) and text.isascii() else ""
    after = r"\b" if re.search(r"\w$", text) and text.isascii() else ""
    return f"(?i){before}{pattern}{after}"


def _literal(value: object) -> str:
    """A JSON value as Python source."""
    text = orjson.dumps(value).decode()
    return repr(value) if "null" in text or "true" in text or "false" in text else text
