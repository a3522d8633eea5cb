"""Modules about money, goods, marks and records."""

from __future__ import annotations

from random import Random

from kimi_nb.worlds.broken_code.library.text import WORDS
from kimi_nb.worlds.broken_code.template import Template

__all__ = ["MODULES"]


def moves(draw: Random) -> list[list[object]]:
    kinds = ("in", "in", "out", "fee")
    return [[draw.choice(kinds), draw.randint(5, 90)] for _ in range(draw.randint(4, 8))]


def stock(draw: Random) -> dict[str, int]:
    return {name: draw.randint(0, 30) for name in draw.sample(WORDS, 4)}


def games(draw: Random) -> list[list[object]]:
    teams = WORDS[:4]
    return [
        [*draw.sample(teams, 2), draw.randint(0, 3), draw.randint(0, 3)]
        for _ in range(draw.randint(4, 7))
    ]


ACCOUNTS = Template(
    names=("accounts", "bank", "passbook"),
    choose={"replay": ("balance_after", "replay", "settle"), "fee": (2, 3, 5), "limit": (50, 80)},
    source='''
"""Bank accounts that may go below zero, but not far."""

FEE = $fee
LIMIT = $limit


class Account:
    """An account with its balance and the number of moves that were refused."""

    def __init__(self, balance=⟦default:0¦1⟧):
        self.balance = balance
        self.refused = 0

    def put(self, amount):
        """Put an amount in. Raises ValueError if it is not above zero."""
        if amount <= 0:
            raise ValueError("nothing to put in")

        self.balance ⟦operator:+=¦-=⟧ amount

    def take(self, amount):
        """Take an amount out, unless that leads below the limit; whether it was done."""
        if self.balance - amount < ⟦operator:-LIMIT¦LIMIT⟧:
            self.refused += 1
            return False

        self.balance -= amount
        return True


def $replay(moves):
    """The balance after all moves, and how many were refused; a fee is FEE and what is given."""
    account = Account()

    for kind, amount in moves:
        if kind == "in":
            account.put(amount)
        elif kind == "fee":
            account.take(⟦operator:FEE + amount¦FEE * amount⟧)
        else:
            account.take(amount)

    return [account.balance, account.⟦attribute:refused¦balance⟧]


def interest(balance, percent, years):
    """What a balance has grown to after so many years, rounded to two digits."""
    for _ in range(years):
        balance += balance * percent / ⟦constant:100¦10⟧

    return round(balance, 2)
''',
    calls={
        "$replay": lambda draw: [moves(draw)],
        "interest": lambda draw: [draw.randint(100, 900), draw.randint(1, 7), draw.randint(1, 5)],
    },
    edges={
        "$replay": (
            ([["in", 10], ["out", 200], ["fee", 4]],),
            ([["in", 0]],),
            ([["out", 50], ["out", 30]],),
            ([["out", 80]],),
        )
    },
)

TAXES = Template(
    names=("taxes", "levies", "duties"),
    choose={"tax": ("tax_on", "tax", "levy"), "free": (100, 150, 200), "step": (300, 400)},
    source='''
"""A tax in steps: more for what is above each step."""

FREE = $free
STEP = $step
RATES = [10, 25]


def $tax(income):
    """Nothing up to FREE, 10 percent of what is above it up to STEP, 25 percent beyond."""
    tax = 0

    if income > FREE:
        tax += (⟦attribute:min¦max⟧(income, STEP) - FREE) * RATES[0] / 100

    if income > STEP:
        tax += (income - ⟦variable:STEP¦FREE⟧) * RATES[⟦constant:1¦0⟧] / 100

    return round(tax, 2)


def net(income):
    """What is left of an income."""
    return round(⟦arguments:income - $tax(income)¦$tax(income) - income⟧, 2)


def household(incomes):
    """The tax of all together."""
    total = 0

    for income in incomes:
        total += $tax(income)

    return round(total, 2)
''',
    calls={
        "$tax": lambda draw: [draw.randint(50, 900)],
        "net": lambda draw: [draw.randint(50, 900)],
        "household": lambda draw: [[draw.randint(50, 900) for _ in range(3)]],
    },
    edges={"$tax": ((100,), (250,), (800,))},
)

STOCK = Template(
    names=("stock", "warehouse", "pantry"),
    choose={"short": ("to_order", "running_low", "missing"), "least": (8, 10, 12)},
    source='''
"""What lies in store."""

LEAST = $least


def $short(stock):
    """The goods of which fewer than LEAST are there, in the order of the alphabet."""
    return sorted(name for name in stock if stock[name] ⟦operator:<¦>⟧ LEAST)


def after_delivery(stock, delivery):
    """The stock with a delivery added to it; the old one stays as it was."""
    result = dict(stock)

    for name, number in delivery.items():
        result[name] = result.get(name, 0) ⟦operator:+¦-⟧ number

    return result


def worth(stock, prices):
    """What all goods are worth together; those without a price count nothing."""
    total = 0

    for name, number in stock.items():
        total += ⟦variable:number¦1⟧ * prices.get(name, ⟦default:0¦1⟧)

    return total


def taken(stock, name, number):
    """What is left of one of the goods. Raises ValueError if there are not so many."""
    there = stock.get(name, 0)

    if number ⟦operator:>¦>=⟧ there:
        raise ValueError("not so many there")

    return there - number
''',
    calls={
        "$short": lambda draw: [stock(draw)],
        "after_delivery": lambda draw: [stock(draw), stock(draw)],
        "worth": lambda draw: [
            (goods := stock(draw)),
            {name: draw.randint(2, 9) for name in list(goods)[:3]},
        ],
        "taken": lambda draw: [{"pier": draw.randint(8, 10)}, "pier", draw.randint(7, 11)],
    },
    edges={"taken": (({"pier": 4}, "pier", 4), ({"pier": 4}, "pier", 5))},
)

LEAGUE = Template(
    names=("league", "standings", "tournament"),
    choose={"points": ("points", "points_of", "score_table"), "win": (2, 3)},
    source='''
"""Games of teams, each as [home, guest, goals of home, goals of guest]."""

WIN = $win


def $points(games):
    """The points of each team: WIN for a game that was won, 1 for a draw."""
    table = {}

    for home, guest, scored, conceded in games:
        table.setdefault(home, 0)
        table.setdefault(guest, 0)

        if scored > conceded:
            table[home] += WIN
        elif scored < conceded:
            table[⟦variable:guest¦home⟧] += WIN
        else:
            table[home] += ⟦constant:1¦2⟧
            table[guest] += 1

    return table


def winner(games):
    """The team with the most points, the first in the alphabet where they are equal."""
    table = $points(games)
    return ⟦attribute:min¦max⟧(table, key=lambda team: (-table[team], team))


def goals(games, team):
    """How many goals a team has scored."""
    total = 0

    for home, guest, scored, conceded in games:
        if team == home:
            total += scored
        elif team == guest:
            total += ⟦variable:conceded¦scored⟧

    ⟦return:return total¦total⟧
''',
    calls={
        "$points": lambda draw: [games(draw)],
        "winner": lambda draw: [games(draw)],
        "goals": lambda draw: [games(draw), "amber"],
    },
    edges={"$points": (([["amber", "basin", 1, 1], ["cedar", "amber", 0, 2]],),)},
)

MODULES = (ACCOUNTS, TAXES, STOCK, LEAGUE)
