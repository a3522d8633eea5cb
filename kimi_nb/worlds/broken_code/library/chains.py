"""Modules of which each imports from the one before: a fault below shows in all above."""

from __future__ import annotations

from random import Random

from kimi_nb.worlds.broken_code.library import formulas
from kimi_nb.worlds.broken_code.library.text import WORDS
from kimi_nb.worlds.broken_code.template import Template

__all__ = ["CHAINS"]


def lines(draw: Random) -> list[list[object]]:
    return [
        [draw.choice(WORDS), f"{draw.randint(1, 9)}.{draw.randint(0, 99):02}", draw.randint(1, 6)]
        for _ in range(draw.randint(2, 4))
    ]


def walls(draw: Random) -> list[list[int]]:
    return [[draw.randint(0, 4), draw.randint(1, 3)] for _ in range(5)]


MONEY = Template(
    names=("money", "cents", "amounts"),
    choose={"cents": ("to_cents", "cents_of", "parse_amount")},
    source='''
"""Amounts of money in cents."""


def $cents(text):
    """The cents of an amount such as 12.50. Raises ValueError for one below zero."""
    whole, _, part = text.partition(".")

    if whole.startswith("-"):
        raise ValueError("below zero")

    return int(whole) * ⟦constant:100¦10⟧ + int(part.ljust(2, "0")⟦missing:[:2]¦[:1]⟧)


def shown(cents):
    """Cents as an amount with two digits behind the point."""
    return str(cents ⟦operator://¦%⟧ 100) + "." + str(cents % 100).zfill(2)
''',
    calls={
        "$cents": lambda draw: [f"{draw.randint(1, 99)}.{draw.randint(10, 99)}"],
        "shown": lambda draw: [draw.randint(101, 99999)],
    },
    edges={"$cents": (("7.5",), ("-1",)), "shown": ((1205,),)},
)

BASKET = Template(
    names=("basket", "orders", "cart"),
    choose={"total": ("total", "basket_total", "sum_of"), "many": (3, 4, 5), "less": (5, 10)},
    source='''
"""What is bought: lines of a name, a price and a number."""

from $below import $cents

MANY = $many
LESS = $less


def line_total(price, number):
    """The cents of one line, LESS percent less from MANY pieces on."""
    cents = $cents(price) * number

    if number ⟦operator:>=¦>⟧ MANY:
        cents -= cents * LESS // 100

    return cents


def $total(lines):
    """The cents of all lines."""
    total = 0

    for name, price, number in lines:
        total += line_total(⟦arguments:price, number¦price, 1⟧)

    return total
''',
    calls={
        "line_total": lambda draw: [f"{draw.randint(1, 40)}.25", draw.randint(1, 6)],
        "$total": lambda draw: [lines(draw)],
    },
    edges={"line_total": (("2.00", 3), ("2.00", 4), ("2.00", 5))},
)

INVOICE = Template(
    names=("invoice", "billing", "receipts"),
    choose={"bill": ("bill", "amount_due", "invoice_total"), "post": (390, 490, 590)},
    source='''
"""Bills for what was bought."""

from $below import $total

POST = $post
FREE_FROM = 10000


def postage(cents):
    """POST, or nothing from FREE_FROM cents on."""
    return 0 if cents ⟦operator:>=¦<=⟧ FREE_FROM else POST


def $bill(lines):
    """The cents to be paid: all lines and the postage."""
    cents = $total(lines)
    return cents ⟦operator:+¦-⟧ postage(cents)


def shares(lines, persons):
    """What each of so many persons pays; the first ones pay a cent more if it does not divide."""
    each, rest = divmod($total(lines), persons)
    return [each + 1 if place ⟦operator:<¦<=⟧ rest else each for place in range(persons)]
''',
    calls={
        "postage": lambda draw: [draw.randint(1, 20000)],
        "$bill": lambda draw: [lines(draw)],
        "shares": lambda draw: [lines(draw), draw.randint(2, 5)],
    },
    edges={"postage": ((10000,), (9999,))},
)

FIELD = Template(
    names=("field", "terrain", "board"),
    choose={"free": ("free_cells", "steps_from", "ways_on"), "size": (4, 5)},
    source='''
"""A square field with walls in it."""

SIZE = $size


def inside(x, y):
    """Whether a cell lies on the field."""
    return 0 <= x < SIZE and 0 ⟦operator:<=¦<⟧ y < SIZE


def $free(x, y, walls):
    """The cells beside one that are on the field and no walls: left, right, below, above."""
    around = [[x - 1, y], [x + 1, y], [x, y - 1], [x, y ⟦operator:+¦-⟧ 1]]
    return [cell for cell in around if inside(cell[0], cell[1]) and cell ⟦missing:not in¦in⟧ walls]
''',
    calls={
        "inside": lambda draw: [draw.randint(-1, 7), draw.randint(-1, 7)],
        "$free": lambda draw: [draw.randint(0, 4), draw.randint(0, 4), walls(draw)],
    },
    edges={"inside": ((0, 0), (4, 5), (5, 9)), "$free": ((1, 1, [[0, 1]]),)},
)

ROUTES = Template(
    names=("routes", "paths", "mazes"),
    choose={"steps": ("steps_between", "shortest", "path_length")},
    source='''
"""Ways over a field."""

from $below import $free


def distances(start, walls):
    """Pairs of each cell that can be reached and its distance, in the order of reaching."""
    found = [[start, ⟦constant:0¦1⟧]]
    seen = [start]

    for cell, distance in found:
        for other in $free(cell[0], cell[1], walls):
            if other not in seen:
                seen.append(other)
                found.append([other, distance ⟦operator:+¦-⟧ 1])

    return found


def $steps(start, end, walls):
    """The least number of steps between two cells, -1 if there is no way."""
    for cell, distance in distances(start, walls):
        if cell == ⟦variable:end¦start⟧:
            return distance

    return -1
''',
    calls={
        "distances": lambda draw: [[0, 0], [[1, 0], [1, 1], [draw.randint(0, 1), 2]]],
        "$steps": lambda draw: [[0, 0], [draw.randint(2, 4), draw.randint(1, 4)], walls(draw)],
    },
    edges={"$steps": (([0, 0], [2, 0], [[1, 0]]), ([0, 0], [9, 9], []))},
)

DELIVERY = Template(
    names=("delivery", "rounds", "couriers"),
    choose={"tour": ("tour_length", "round_trip", "tour"), "pace": (2, 3, 4)},
    source='''
"""Tours of a courier over a field."""

from $below import $steps

MINUTES_PER_STEP = $pace


def $tour(stops):
    """The steps from stop to stop and back to the first."""
    total = 0

    for before, after in zip(stops, stops[1:] + stops[:⟦constant:1¦0⟧]):
        total += $steps(before, after, [])

    return total


def minutes(stops):
    """How long the tour takes."""
    return $tour(stops) ⟦operator:*¦+⟧ MINUTES_PER_STEP


def nearest(start, stops):
    """The stop with the least number of steps from the start."""
    return ⟦attribute:min¦max⟧(stops, key=lambda stop: $steps(start, stop, []))
''',
    calls={
        "$tour": lambda draw: [[[0, 0], [draw.randint(1, 4), 2], [2, draw.randint(1, 4)]]],
        "minutes": lambda draw: [[[0, 0], [draw.randint(1, 4), 2], [2, draw.randint(1, 4)]]],
        "nearest": lambda draw: [
            [draw.randint(0, 1), 0],
            [[0, 3], [draw.randint(2, 4), 4], [1, 1]],
        ],
    },
)

CHAINS = (
    (MONEY, BASKET, INVOICE),
    (FIELD, ROUTES, DELIVERY),
    formulas.CHAIN,
)
"""From the bottom up. `$below` is the module before, by its dotted name."""
