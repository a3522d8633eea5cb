"""Modules about numbers and statistics."""

from __future__ import annotations

from random import Random

from kimi_nb.worlds.broken_code.template import Template

__all__ = ["MODULES"]


def values(draw: Random, least: int = 3, most: int = 8) -> list[int]:
    return [draw.randint(-20, 60) for _ in range(draw.randint(least, most))]


STATISTICS = Template(
    names=("statistics_lite", "averages", "summary"),
    choose={"mean": ("mean", "average", "mean_of"), "digits": (1, 2, 3)},
    source='''
"""What a list of numbers is like."""

DIGITS = $digits


def $mean(values):
    """The arithmetic mean, rounded to DIGITS digits. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")

    return round(sum(values) ⟦operator:/¦//⟧ len(values), DIGITS)


def median(values):
    """The value in the middle, or the mean of the two there."""
    ordered = ⟦missing:sorted(values)¦list(values)⟧
    middle = len(ordered) // 2

    if len(ordered) % 2 == ⟦constant:1¦0⟧:
        return ordered[middle]

    return (ordered[middle - 1] + ordered[middle]) / 2


def spread(values):
    """How far the largest value is above the smallest."""
    return max(values) - ⟦attribute:min¦max⟧(values)


def clipped(values, low, high):
    """The values, those outside of low and high moved to the nearer of these."""
    result = []

    for value in values:
        if value < low:
            result.append(⟦variable:low¦value⟧)
        elif value > high:
            result.append(high)
        else:
            result.append(value)

    return result
''',
    calls={
        "$mean": lambda draw: [values(draw)],
        "median": lambda draw: [values(draw)],
        "spread": lambda draw: [values(draw)],
        "clipped": lambda draw: [values(draw, 5), 0, draw.randint(20, 40)],
    },
    edges={"$mean": (([],), ([1, 2, 2],)), "median": (([9, 1, 5],), ([8, 2, 4, 1],))},
)

DIVISORS = Template(
    names=("divisors", "primes", "factors"),
    choose={"common": ("common_divisor", "largest_common", "gcd")},
    source='''
"""Which numbers divide which."""


def $common(a, b):
    """The largest number that divides both."""
    while b:
        a, b = b, a % b

    return abs(a)


def is_prime(number):
    """Whether only 1 and the number itself divide it."""
    if number < ⟦constant:2¦1⟧:
        return False

    for divisor in range(2, number):
        if number ⟦operator:%¦//⟧ divisor == 0:
            return False

    return True


def prime_factors(number):
    """The primes whose product is the number, from small to large."""
    factors = []
    divisor = 2

    for divisor in range(2, number + ⟦constant:1¦0⟧):
        while number % divisor == 0:
            factors.append(divisor)
            number = number // divisor

    return factors


def divisors(number):
    """All that divide the number, from 1 up."""
    return [each for each in range(1, number ⟦operator:+¦-⟧ 1) if number % each == 0]
''',
    calls={
        "$common": lambda draw: [
            (factor := draw.randint(2, 9)) * draw.randint(2, 9),
            factor * draw.randint(2, 9),
        ],
        "is_prime": lambda draw: [draw.choice((1, 2, 9, draw.randint(2, 60)))],
        "prime_factors": lambda draw: [draw.choice((5, 7, 11, draw.randint(2, 80)))],
        "divisors": lambda draw: [draw.randint(2, 40)],
    },
    edges={"is_prime": ((1,), (2,)), "prime_factors": ((13,), (12,))},
)

ROMAN = Template(
    names=("roman", "numerals", "inscriptions"),
    choose={"write": ("to_roman", "roman_of", "inscribe")},
    source='''
"""Roman numerals."""

SIGNS = [
    [1000, "M"], [900, "CM"], [500, "D"], [400, "CD"], [100, "C"], [90, "XC"],
    [50, "L"], [40, "XL"], [10, "X"], [9, "IX"], [5, "V"], [4, "IV"], [1, "I"],
]
VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def $write(number):
    """The number in Roman signs. Raises ValueError below 1."""
    if number < ⟦constant:1¦0⟧:
        raise ValueError("there is no such numeral")

    text = ""

    for value, sign in SIGNS:
        text += sign * (number ⟦operator://¦%⟧ value)
        number = number % value

    return text


def from_roman(text):
    """The number that Roman signs mean."""
    total = 0
    after = 0

    for sign in reversed(text):
        value = VALUES[sign]

        if value ⟦operator:<¦<=⟧ after:
            total -= value
        else:
            total += value

        after = value

    return total
''',
    calls={
        "$write": lambda draw: [draw.choice((0, 1, 4, draw.randint(1, 2999)))],
        "from_roman": lambda draw: [
            "M" * draw.randint(0, 2)
            + draw.choice(("", "CM", "D", "CC"))
            + draw.choice(("", "XC", "XXX", "XL"))
            + draw.choice(("I", "II", "IV", "VIII", "IX"))
        ],
    },
    edges={"$write": ((1994,),), "from_roman": (("XXII",),)},
)

BASES = Template(
    names=("bases", "digits", "notation"),
    choose={"digits": ("digits_of", "in_base", "to_digits"), "base": (7, 8, 12, 16)},
    source='''
"""Numbers in other bases."""

BASE = $base


def $digits(number, base=⟦default:BASE¦10⟧):
    """The digits of a number in that base, the highest first."""
    digits = []

    while number > 0:
        digits.append(number % base)
        number = number // base

    return ⟦missing:digits[::-1]¦digits⟧ or [0]


def value_of(digits, base=BASE):
    """The number that has these digits in that base."""
    total = 0

    for digit in digits:
        if digit >= base:
            raise ValueError("no such digit")

        total = ⟦variable:total * base + digit¦total * digit + base⟧

    return total


def digit_sum(number):
    """The sum of the decimal digits, whatever the sign."""
    total = 0

    for digit in str(⟦missing:abs(number)¦number⟧):
        total += int(digit)

    return total
''',
    calls={
        "$digits": lambda draw: [draw.randint(10, 5000)],
        "value_of": lambda draw: [[draw.randint(0, 6) for _ in range(draw.randint(2, 5))]],
        "digit_sum": lambda draw: [draw.randint(-9999, 9999)],
    },
    edges={
        "$digits": ((0,), (5, 2)),
        "value_of": (([1, 0, 1], 2), ([1, 2], 2)),
        "digit_sum": ((-305,),),
    },
)

SERIES = Template(
    names=("series", "running", "smoothing"),
    choose={"window": (3, 4), "moving": ("moving_average", "smoothed", "rolling_mean")},
    source='''
"""Numbers that come one after the other."""

WINDOW = $window


def $moving(values):
    """The mean of each WINDOW values in a row, rounded to two digits."""
    means = []

    for start in range(len(values) - WINDOW ⟦operator:+¦-⟧ 1):
        part = values[start : start + WINDOW]
        means.append(round(sum(part) / ⟦variable:WINDOW¦len(values)⟧, 2))

    return means


def running_total(values):
    """The sum of all values so far, for each of them."""
    totals = []
    total = 0

    for value in values:
        total ⟦operator:+=¦-=⟧ value
        totals.append(total)

    return totals


def changes(values):
    """How much each value is above the one before it."""
    return [⟦arguments:after - before¦before - after⟧ for before, after in zip(values, values[1:])]


def peaks(values):
    """The places of values that are larger than both neighbours."""
    inner = range(1, len(values) - 1)
    return [n for n in inner if values[n - 1] < values[n] ⟦operator:>¦<⟧ values[n + 1]]
''',
    calls={
        "$moving": lambda draw: [values(draw, 5, 8)],
        "running_total": lambda draw: [values(draw)],
        "changes": lambda draw: [values(draw)],
        "peaks": lambda draw: [values(draw, 6, 9)],
    },
    edges={"peaks": (([1, 5, 2, 8, 3],),), "$moving": (([1, 2],),)},
)

MODULES = (STATISTICS, DIVISORS, ROMAN, BASES, SERIES)
