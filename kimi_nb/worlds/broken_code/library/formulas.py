"""A chain of modules about formulas: tokens, their values, and sheets of them."""

from __future__ import annotations

from random import Random

from kimi_nb.worlds.broken_code.template import Template

__all__ = ["CHAIN"]


def formula(draw: Random) -> str:
    numbers = [str(draw.randint(2, 20)) for _ in range(4)]
    signs = [draw.choice("+-*") for _ in range(3)]
    return " ".join(a + " " + b for a, b in zip(numbers, [*signs, ""], strict=True)).strip()


TOKENS = Template(
    names=("tokens", "symbols", "lexing"),
    choose={"split": ("tokens_of", "split_formula", "tokenise")},
    source='''
"""Formulas cut into their parts."""

SIGNS = ⟦constant:"+-*"¦"+-"⟧


def $split(text):
    """Numbers and signs in their order. Raises ValueError for anything else."""
    parts = []
    number = ""

    for letter in text + " ":
        if letter.isdigit():
            number += letter
            continue

        if number:
            parts.append(⟦missing:int(number)¦number⟧)
            number = ""

        if letter in SIGNS:
            parts.append(letter)
        elif letter != " ":
            raise ValueError("unknown: " + letter)

    return parts


def numbers(parts):
    """The numbers among the parts."""
    return [part for part in parts if part ⟦missing:not in¦in⟧ ["+", "-", "*"]]
''',
    calls={
        "$split": lambda draw: [formula(draw)],
        "numbers": lambda draw: [[draw.randint(1, 9), draw.choice("+-*"), draw.randint(1, 9)]],
    },
    edges={"$split": (("12*3",), ("4/2",))},
)

FORMULAS = Template(
    names=("formulas", "calculator", "evaluate"),
    choose={"value": ("value", "result_of", "calculate")},
    source='''
"""The values of formulas."""

from $below import $split


def applied(sign, left, right):
    """What a sign makes of two numbers."""
    if sign == "*":
        return left ⟦operator:*¦+⟧ right

    return left + right if sign == "+" else ⟦arguments:left - right¦right - left⟧


def $value(text):
    """The value of a formula, worked out from left to right."""
    parts = $split(text)
    total = parts[0]

    for place in range(1, len(parts), ⟦constant:2¦1⟧):
        total = applied(parts[place], total, parts[place + 1])

    return total
''',
    calls={
        "applied": lambda draw: [draw.choice("+-*"), draw.randint(2, 9), draw.randint(2, 9)],
        "$value": lambda draw: [formula(draw)],
    },
    edges={"applied": (("*", 3, 4), ("-", 9, 2)), "$value": (("2 + 3 * 4",),)},
)

SHEET = Template(
    names=("sheet", "ledger", "worksheet"),
    choose={"column": ("column_total", "sum_column", "sheet_total")},
    source='''
"""Sheets of formulas."""

from $below import $value


def $column(formulas):
    """The sum of the values of all formulas; empty ones count nothing."""
    total = 0

    for text in formulas:
        if text.strip():
            total ⟦operator:+=¦-=⟧ $value(text)

    return total


def largest(formulas):
    """The formula with the largest value."""
    return ⟦attribute:max¦min⟧(formulas, key=$value)


def above(formulas, limit):
    """How many formulas have a value above the limit."""
    return sum(1 for text in formulas if $value(text) ⟦operator:>¦>=⟧ limit)
''',
    calls={
        "$column": lambda draw: [[formula(draw), "", formula(draw)]],
        "largest": lambda draw: [[formula(draw) for _ in range(3)]],
        "above": lambda draw: [
            ["7", f"{draw.randint(2, 9)} + 1", formula(draw)],
            draw.randint(5, 8),
        ],
    },
    edges={"above": ((["5", "2 + 3", "6"], 5),)},
)

CHAIN = (TOKENS, FORMULAS, SHEET)
