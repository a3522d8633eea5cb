"""Sales of a branch in a month, as CSV files with the dirt that such files have."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from typing import NamedTuple

from kimi_nb.worlds.office_files.papers import Paper, amount, cents

__all__ = ["FACTS", "sales"]

FACTS = (
    "`revenue`, the sum of units × price, and `best product`, the product with the highest "
    "revenue. A row counts once per order number, however often the file has it; rows without "
    "an order number, without units or without a price do not count. Separators, decimal marks "
    "and encodings differ from file to file."
)


class _Style(NamedTuple):
    """How one branch's program writes."""

    encoding: str
    separator: str
    mark: str
    """Of decimals."""
    headers: tuple[str, str, str, str, str]
    products: tuple[str, ...]
    total: str


_ENGLISH = ("order", "date", "product", "units", "price")
_GOODS = ("desk lamp", "office chair", "filing cabinet", "whiteboard", "monitor arm", "shelf")
_GERMAN = ("Auftrag", "Datum", "Artikel", "Menge", "Preis")
_WAREN = ("Schreibtisch", "Bürostuhl", "Aktenschränkchen", "Wandtafel", "Fußstütze", "Regal")
_CHINESE = ("订单", "日期", "产品", "数量", "单价")
_HUOPIN = ("台灯", "办公椅", "文件柜", "白板", "显示器支架", "书架")
_STYLES = (
    _Style("utf-8", ",", ".", _ENGLISH, _GOODS, "TOTAL"),
    _Style("utf-8-sig", ";", ",", _GERMAN, _WAREN, "Summe"),
    _Style("cp1252", ";", ",", _GERMAN, _WAREN, "Summe"),
    _Style("gb18030", ",", ".", _CHINESE, _HUOPIN, "合计"),
    _Style("utf-16", "\t", ".", _ENGLISH, _GOODS, "TOTAL"),
    _Style("utf-8", "|", ".", _CHINESE, _HUOPIN, "合计"),
)
_BLANKS = ("", "", "n/a", "-")


class _Order(NamedTuple):
    number: str
    day: str
    product: str
    units: int | None
    price: int | None
    """Cents."""


def sales(draw: random.Random, branch: str, year: int, month: int) -> Paper:
    """A month's file of a branch."""
    style = draw.choice(_STYLES)
    orders = _orders(draw, style.products, f"{year}-{month:02}")
    revenue: Counter[str] = Counter()

    for order in orders:
        revenue[order.product] += (order.units or 0) * (order.price or 0)

    rows = [_row(draw, style, order) for order in orders]
    rows += [list(row) for row in draw.sample(rows, draw.randint(1, 4))]
    draw.shuffle(rows)
    total = sum(revenue.values())
    rows.append(
        ["", "", style.total, "", amount(total + cents(draw, 1, 900), comma=style.mark == ",")]
    )
    text = _written(style, rows)
    facts = {"revenue": total / 100, "best product": revenue.most_common(1)[0][0]}
    path = f"sales/{branch}-{year}-{month:02}.csv"
    return Paper(path=path, facts={**facts}, data=lambda: text.encode(style.encoding))


def _orders(draw: random.Random, products: tuple[str, ...], month: str) -> list[_Order]:
    """Of which one product has sold clearly best."""
    prices = {product: cents(draw, 20, 1_400) for product in products}
    best = draw.choice(products)
    first = draw.randint(1_000, 8_000)
    found = [
        _Order(
            f"{'ABCDEFGH'[n % 8]}{first + n}",
            f"{month}-{draw.randint(1, 28):02}",
            product := draw.choice(products),
            None if draw.random() < 0.08 else draw.randint(1, 9),
            None if draw.random() < 0.08 else prices[product],
        )
        for n in range(draw.randint(15, 40))
    ]
    sold = sum((order.units or 0) * (order.price or 0) for order in found)
    units = sold // prices[best] + draw.randint(2, 9)
    return [*found, _Order(f"A{first + 99}", f"{month}-28", best, units, prices[best])]


def _row(draw: random.Random, style: _Style, order: _Order) -> list[str]:
    units = draw.choice(_BLANKS) if order.units is None else str(order.units)
    price = draw.choice(_BLANKS)

    if order.price is not None:
        price = amount(order.price, comma=style.mark == ",", grouped=draw.random() < 0.5)

    return [order.number, order.day, order.product, units, price]


def _written(style: _Style, rows: list[list[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=style.separator, lineterminator="\r\n")
    writer.writerow(style.headers)
    writer.writerows(rows)
    return out.getvalue()
