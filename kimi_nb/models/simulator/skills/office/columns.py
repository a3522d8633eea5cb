"""Tables of numbers whose separators, decimal marks and encodings nobody has agreed on."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["path_of", "program_for", "told"]

_HEAD = "path = "
# It runs in the sandbox, whose Python has no generators, no statistics and no other sniffer.
_PROGRAM = r"""
import csv, json

WORDS = {
    'order': ('order', 'order no', 'order number', 'auftrag', 'bestellung', '订单', '订单号'),
    'product': ('product', 'article', 'item', 'artikel', 'produkt', '产品', '商品'),
    'units': ('units', 'quantity', 'qty', 'menge', 'anzahl', '数量'),
    'price': ('price', 'unit price', 'preis', 'einzelpreis', '单价', '价格'),
}

def is_gb(data):
    # Chinese comes in pairs of high bytes, an accented letter stands alone
    run = 0
    for byte in data:
        if byte >= 128:
            run += 1
        else:
            if run % 2:
                return False
            run = 0
    return run % 2 == 0

def text_of(path):
    data = open(path, 'rb').read()
    if data[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return open(path, encoding='utf-16').read()
    try:
        return open(path, encoding='utf-8-sig', errors='strict').read().lstrip('\ufeff')
    except UnicodeDecodeError:
        return open(path, encoding='gb18030' if is_gb(data) else 'cp1252').read()

def number(cell):
    cell = cell.replace(' ', '').replace('\u00a0', '').strip()
    comma, point = cell.rfind(','), cell.rfind('.')
    if comma > point:
        cell = cell.replace('.', '').replace(',', '.')
    else:
        cell = cell.replace(',', '')
    try:
        return float(cell)
    except ValueError:
        return None

lines = [line for line in text_of(path).splitlines() if line.strip()]
separator = max(',;\t|', key=lambda mark: lines[0].count(mark))
rows = list(csv.reader(lines, delimiter=separator))
names = [name.strip().lower() for name in rows[0]]
at = {}
for key, words in WORDS.items():
    for place, name in enumerate(names):
        if name in words:
            at[key] = place

seen = set()
revenue = {}
for row in rows[1:]:
    if len(row) <= max(at.values()):
        continue
    order = row[at['order']].strip()
    units, price = number(row[at['units']]), number(row[at['price']])
    if not order or order in seen or units is None or price is None:
        continue
    seen.add(order)
    product = row[at['product']].strip()
    revenue[product] = revenue.get(product, 0) + round(100 * units * price)

best = max(revenue, key=lambda name: revenue[name])
print(json.dumps({'revenue': '%.2f' % (sum(revenue.values()) / 100), 'best product': best}))
"""


def program_for(path: str) -> str:
    """Code that prints what is known of a file of sales."""
    return f"{_HEAD}{orjson.dumps(path).decode()}\n{_PROGRAM}"


def path_of(code: str) -> str:
    """The file that such code is about."""
    first = code.partition("\n")[0].removeprefix(_HEAD)

    try:
        return str(orjson.loads(first))
    except orjson.JSONDecodeError:
        return ""


def told(printed: str) -> dict[str, str]:
    """What such code has printed."""
    try:
        found: Any = orjson.loads(printed.strip().rpartition("\n")[2])
        return {str(name): str(value) for name, value in found.items()}
    except (orjson.JSONDecodeError, AttributeError):
        return {}
