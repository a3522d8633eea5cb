"""Python for the sandbox, in pieces: a program has only those that its measures need.

The sandbox's Python is small: no class inheritance, no `yield`, no `str.lower` as a value.
"""

from __future__ import annotations

__all__ = ["NEEDS", "PIECES"]

PIECES: dict[str, str] = {
    "read": """\
import csv, json, math, re
raw = open(path, 'rb').read()
notes, cells = [], []
if raw[:2] in (b'\\xff\\xfe', b'\\xfe\\xff'):
    text = raw.decode('utf-16')
elif b'\\0' in raw:
    raise ValueError('this is a binary file')
else:
    text = raw.decode('utf-8', 'replace')
    if len([c for c in text[:4000] if c < ' ' and c not in '\\t\\r\\n\\f']) * 50 > len(text[:4000]):
        raise ValueError('this is a binary file')
    if '\\ufffd' in text:
        notes.append('not UTF-8: some characters are unreadable')
text = text.lstrip('\\ufeff')
""",
    "plain": """\
def plain(name):
    return re.sub(r'[\\W_]+', ' ', name.lower()).strip()
def single(name):
    words = []
    for w in plain(name).split():
        if w.endswith('ies') and len(w) > 4:
            w = w[:-3] + 'y'
        elif w.endswith(('sses', 'xes', 'ches', 'shes')):
            w = w[:-2]
        elif w.endswith('s') and not w.endswith(('ss', 'us', 'is')) and len(w) > 2:
            w = w[:-1]
        words.append(w)
    return ' '.join(words)
def plural_of(name):
    return name != single(name) and plain(name) != single(name) or not name.isascii()
""",
    "number": """\
signs = re.compile(r'[\\s$€£¥%\\u00a0\\u202f]|EUR|USD|CNY|元')
thousands = re.compile(r'[-+]?\\d{1,3}(,\\d{3})+(\\.\\d+)?')
proper = re.compile(r'[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?')
european = re.compile(r'\\D{0,3}[-+]?\\d+(\\.\\d{3})*,(\\d{1,2}|\\d{4,})\\D{0,4}')
grouped = re.compile(r'\\D{0,3}[-+]?\\d{1,3}(\\.\\d{3})+(,\\d+)?\\D{0,4}')
stripped = []
def number(cell, decimal='.'):
    if decimal == '.' and cell.replace('.', '', 1).isdigit() and cell.isascii():
        return float(cell) if '.' in cell else int(cell)
    if not cell.strip():
        return None
    s = signs.sub('', cell).replace('−', '-')
    if len(s) < len(cell.strip()) and not stripped:
        stripped.append(cell.strip())
    if decimal == ',':
        s = s.replace('.', '').replace(',', '.')
    elif thousands.fullmatch(s):
        s = s.replace(',', '')
    if s.lstrip('+-').isdigit() and s.isascii():
        return int(s)
    x = float(s) if proper.fullmatch(s) else None
    return x if x is not None and x - x == 0 else None
def numbers(column, rows):
    cells = [row[column].strip() for row in rows]
    bare = [signs.sub('', cell) if ',' in cell else '' for cell in cells]
    decimal = ',' if any(european.fullmatch(cell) for cell in bare) else '.'
    if decimal == ',':
        odd = [c for c in cells if '.' in c and not grouped.fullmatch(c) and number(c) is not None]
        if odd:
            notes.append('%s mixes decimal commas and points, as in %r' % (header[column], odd[0]))
            return [None] * len(cells)
        notes.append('%s: decimal commas' % header[column])
    stripped.clear()
    xs = [number(cell, decimal) for cell in cells]
    if stripped and any(x is not None for x in xs):
        notes.append('%s: signs left out, as in %r' % (header[column], stripped[0]))
    return xs
def show(x):
    if isinstance(x, int):
        return str(x)
    return str(int(x)) if abs(x) < 1e15 and x == int(x) else repr(x)
""",
    "table": """\
head = text.lstrip().split('\\n')[0]
comma = max([',', ';', '\\t', '|'], key=lambda c: head.count(c))
comma = '\\t' if path.lower().endswith('.tsv') else comma
table = [row for row in csv.reader(text.splitlines(True), delimiter=comma) if row]
header, rows = (table[0], table[1:]) if table else ([], [])
if not table:
    notes.append('the file is empty')
elif all(re.fullmatch(r'\\s*[-+]?\\d[\\d.,]*\\s*', cell) for cell in header):
    notes.append('no header row: columns are numbered')
    header, rows = ['column %d' % (i + 1) for i in range(len(header))], table
header = [name.strip() for name in header]
ragged = len([row for row in rows if len(row) != len(header)])
if ragged:
    notes.append('%d rows have another number of cells than the header' % ragged)
rows = [row + [''] * (len(header) - len(row)) for row in rows]
everything = rows
""",
    "find": """\
def find(names):
    for same in (lambda s: s.lower(), plain, single):
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
                notes.append('column %r taken for %r' % (header[hits[0]], names[0]))
                return hits[0], ''
            if hits:
                has = ', '.join(header[i] for i in hits)
                return None, 'which %r? has: %s' % (names[0], has)
    for name in names:
        hits = [i for i, h in enumerate(header) if h and (name in h or h in name)]
        if len(hits) == 1 and not name.isascii():
            notes.append('column %r taken for %r' % (header[hits[0]], names[0]))
            return hits[0], ''
    return None, 'no column %r; has: %s' % (names[0], ', '.join(header) or 'nothing')
""",
    "narrow": """\
def narrow(rows, i, name):
    rest = [w for w in single(name).split() if i is None or w not in single(header[i]).split()]
    if i is None or not rest or len(rest) == len(single(name).split()):
        return rows
    value = ' '.join(rest)
    hits = [j for j in range(len(header)) if any(single(row[j]) == value for row in rows)]
    if len(hits) != 1:
        return rows
    notes.append('only rows with %s = %s' % (header[hits[0]], value))
    return [row for row in rows if single(row[hits[0]]) == value]
""",
    "choose": """\
def choose(dates=False):
    found = []
    for i in range(len(header)):
        filled = [row[i] for row in rows if row[i].strip()]
        if filled and all(date(c) if dates else number(c) is not None for c in filled):
            found.append(i)
    if len(found) == 1:
        what = 'dates' if dates else 'numbers'
        notes.append('column %r: the only one with %s' % (header[found[0]], what))
        return found[0], ''
    return None, 'which column? has: ' + (', '.join(header) or 'nothing')
""",
    "date": """\
def date(cell):
    return re.fullmatch(r'\\d{4}-\\d\\d-\\d\\d([T ][\\d:.]+Z?)?', cell.strip())
""",
    "filter": """\
def passes(cell, x, op, values, limits):
    cell, words = cell.strip(), [v.lower() for v in values]
    if op == 'blank':
        return not cell
    if op == 'filled':
        return bool(cell)
    if op in ('=', '!='):
        same = cell.lower() in words or single(cell) in [single(v) for v in values]
        same = same or (x is not None and x in limits)
        return same == (op == '=')
    if op == 'contains':
        return any(v in cell.lower() for v in words)
    if op == 'starts':
        return any(cell.lower().startswith(v) for v in words)
    a, b = (x, limits) if limits[0] is not None else (cell[:10] if date(cell) else None, values)
    if a is None:
        return False
    if op == 'between':
        return b[0] <= a <= b[-1]
    return {'<': a < b[0], '<=': a <= b[0], '>': a > b[0], '>=': a >= b[0]}[op]
def hidden(value):
    hits = []
    for i in range(len(header)):
        if any(single(row[i]) == single(value) for row in rows):
            hits.append(i)
    if not hits:
        for i, h in enumerate(header):
            part = value.removesuffix(h).removeprefix(h)
            if part == value:
                part = ' '.join([w for w in value.split() if single(w) not in single(h).split()])
            if h and part and part != value and any(single(row[i]) == single(part) for row in rows):
                hits.append(i)
                value = part
                break
    if not hits and any(single(value) == single(h) for h in header):
        return None, 'one result for each %s is beyond the simulator' % value
    called = [h for h in header if single(value).split()[:1] == single(h).split()[:1]]
    if not hits and called and value.endswith('s'):
        return 0, ''
    if len(hits) != 1:
        few = 'no cell is %r' if not hits else '%r stands in several columns'
        return None, few % value + '; has: ' + ', '.join(header)
    return hits[0], value
def keep(rows, filters):
    for names, op, values, limits in filters:
        dates = bool(values) and date(values[0]) is not None
        if names == [''] and op in ('=', '!='):
            i, why = hidden(values[0])
            values = values if i is None else [why, *values[1:]]
            if i is not None and not why:
                continue
            if i is not None:
                notes.append('only rows with %s %s %s' % (header[i], op, why))
        else:
            i, why = pick(names, dates)
        if i is None:
            return rows, why
        xs = numbers(i, rows)
        if op in ('<', '<=', '>', '>=', 'between') and limits[0] is not None:
            bad = [row[i] for row, x in zip(rows, xs) if x is None and row[i].strip()]
            if bad:
                notes.append('%s: %d not a number (%r) left out' % (header[i], len(bad), bad[0]))
        rows = [row for row, x in zip(rows, xs) if passes(row[i], x, op, values, limits)]
    return rows, ''
""",
    "gather": """\
def gather(i):
    xs = numbers(i, rows)
    bad = [row[i] for row, x in zip(rows, xs) if x is None and row[i].strip()]
    blank = len([row for row in rows if not row[i].strip()])
    good = [x for x in xs if x is not None]
    if good and bad:
        notes.append('%s: %d not a number (%r) left out' % (header[i], len(bad), bad[0]))
    if good and blank:
        notes.append('%s: %d blank left out' % (header[i], blank))
    if good:
        return good, ''
    return [], 'column %r has no numbers (%r)' % (header[i], bad[0]) if bad else 'no values'
""",
    "lines": """\
lines = text.replace('\\r\\n', '\\n').replace('\\r', '\\n').split('\\n')
if not lines[-1]:
    lines.pop()
""",
    "cells": """\
def joined(cell):
    source = cell.get('source', '')
    return source if isinstance(source, str) else ''.join(source)
book = json.loads(text).get('cells', []) if path.lower().endswith('.ipynb') else None
code = prose = [text]
if book is not None:
    code = [joined(c) for c in book if c.get('cell_type') == 'code']
    prose = [joined(c) for c in book if c.get('cell_type') == 'markdown']
""",
    "headings": """\
headings = []
for part in prose:
    fenced = False
    for line in part.split('\\n'):
        if re.match(r' {0,3}(```|~~~)', line):
            fenced = not fenced
        found = re.match(r' {0,3}(#{1,6})[ \\t]+(.*?)[ \\t]*#*[ \\t\\r]*$', line)
        if found and not fenced:
            headings.append(found.group(2))
""",
    "bare": """\
quotes = (r'#[^\\n]*|\"\"\"(?:\\\\.|[^\\\\])*?\"\"\"|\\'\\'\\'(?:\\\\.|[^\\\\])*?\\'\\'\\''
          r'|"(?:\\\\.|[^"\\\\\\n])*"|\\'(?:\\\\.|[^\\'\\\\\\n])*\\'')
bare = re.sub(quotes, '0', '\\n'.join(code))
""",
}

NEEDS: dict[str, tuple[str, ...]] = {
    "table": ("read",),
    "number": ("table",),
    "find": ("plain", "table"),
    "narrow": ("find",),
    "choose": ("number", "date"),
    "filter": ("find", "number", "date"),
    "gather": ("number",),
    "lines": ("read",),
    "cells": ("read",),
    "headings": ("cells",),
    "bare": ("cells",),
}
"""What each piece needs before it."""
