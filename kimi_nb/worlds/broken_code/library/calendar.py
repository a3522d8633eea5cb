"""Modules about days, hours and what is planned in them."""

from __future__ import annotations

from random import Random

from kimi_nb.worlds.broken_code.template import Template

__all__ = ["MODULES"]


def spans(draw: Random) -> list[list[int]]:
    starts = [draw.randint(0, 40) for _ in range(draw.randint(3, 6))]
    return [[start, start + draw.randint(1, 9)] for start in starts]


YEARS = Template(
    names=("yeardays", "leapyears", "almanac"),
    choose={"leap": ("is_leap", "leap_year", "has_leap_day")},
    source='''
"""Days of the Gregorian calendar."""

LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def $leap(year):
    """Whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 ⟦operator:or¦and⟧ year % 400 == 0)


def days_in(year, month):
    """How many days a month has. Raises ValueError for a month outside 1 to 12."""
    if month < 1 or month ⟦operator:>¦>=⟧ 12:
        raise ValueError("no such month")

    if month == ⟦constant:2¦1⟧ and $leap(year):
        return 29

    return LENGTHS[month - 1]


def day_of_year(year, month, day):
    """The number of a day in its year, from 1."""
    total = day

    for earlier in range(⟦constant:1¦0⟧, month):
        total += LENGTHS[earlier - 1]

    if month > 2 and $leap(year):
        total += 1

    return total
''',
    calls={
        "$leap": lambda draw: [
            draw.choice((1800, 1900, 2000, 2023, 2024, 2100, draw.randint(1900, 2100)))
        ],
        "days_in": lambda draw: [draw.randint(1990, 2030), draw.choice((1, 2, 12, 13))],
        "day_of_year": lambda draw: [
            draw.randint(1990, 2030),
            draw.randint(2, 12),
            draw.randint(1, 28),
        ],
    },
    edges={
        "$leap": ((2000,), (1900,)),
        "days_in": ((2024, 2), (2023, 12), (2023, 13)),
        "day_of_year": ((2024, 3, 1),),
    },
)

DURATIONS = Template(
    names=("durations", "timespans", "stopwatch"),
    choose={"parse": ("to_minutes", "parse_duration", "minutes_of"), "day": (7, 8, 24)},
    source='''
"""Lengths of time, written as 1d2h30m."""

HOURS_PER_DAY = $day
MINUTES = {"d": ⟦operator:HOURS_PER_DAY * 60¦HOURS_PER_DAY + 60⟧, "h": 60, "m": 1}


def $parse(text):
    """The minutes of a length of time. Raises ValueError for any other unit than d, h and m."""
    total = 0
    number = ""

    for letter in text:
        if letter.isdigit():
            number ⟦operator:+=¦=⟧ letter
        elif letter in MINUTES:
            total += int(number) * MINUTES[letter]
            number = ""
        else:
            raise ValueError("no unit of time: " + letter)

    return total


def written(minutes):
    """Minutes as hours and minutes: 1h05."""
    hours = minutes // 60
    return str(hours) + "h" + str(minutes ⟦operator:%¦-⟧ 60).zfill(⟦constant:2¦1⟧)


def overlap(start, end, other_start, other_end):
    """How many minutes two spans have in common, 0 if none."""
    common = min(end, other_end) - max(start, ⟦variable:other_start¦other_end⟧)
    return max(common, 0)
''',
    calls={
        "$parse": lambda draw: [
            f"{draw.randint(1, 3)}d{draw.randint(1, 9)}h{draw.randint(10, 59)}m"
        ],
        "written": lambda draw: [draw.randint(1, 9) * 60 + draw.randint(1, 12)],
        "overlap": lambda draw: [
            draw.randint(0, 20),
            draw.randint(30, 60),
            draw.randint(10, 40),
            draw.randint(41, 70),
        ],
    },
    edges={
        "$parse": (("90m",), ("2x",)),
        "written": ((65,), (600,)),
        "overlap": ((0, 5, 9, 12), (0, 10, 4, 20)),
    },
)

WEEKDAYS = Template(
    names=("weekdays", "weekly", "daynames"),
    choose={"weekday": ("weekday", "weekday_of", "day_name"), "first": (0, 1)},
    source='''
"""Days of the week, by counting from one that is known."""

NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
FIRST = $first


def $weekday(days):
    """The name of the day so many days after a day with the number FIRST."""
    return NAMES[(FIRST + days) % ⟦constant:7¦6⟧]


def is_weekend(name):
    """Whether it is Saturday or Sunday."""
    return NAMES.index(name) ⟦operator:>=¦>⟧ 5


def workdays(days):
    """How many of the first so many days from the day FIRST on are no weekend."""
    count = 0

    for day in range(days):
        if ⟦missing:not is_weekend($weekday(day))¦is_weekend($weekday(day))⟧:
            count += 1

    return count


def next_free(day, busy):
    """The first day from that one on which is not among the busy ones."""
    while day ⟦missing:in busy¦not in busy⟧ and day < 400:
        day += 1

    return day
''',
    calls={
        "$weekday": lambda draw: [draw.randint(0, 400)],
        "is_weekend": lambda draw: [draw.choice(("Monday", "Friday", "Saturday", "Sunday"))],
        "workdays": lambda draw: [draw.randint(3, 40)],
        "next_free": lambda draw: [(day := draw.randint(1, 9)), [day, day + 1, day + 3]],
    },
    edges={"is_weekend": (("Saturday",), ("Friday",)), "next_free": ((4, [4, 5]),)},
)

BOOKINGS = Template(
    names=("bookings", "intervals", "occupancy"),
    choose={"merge": ("merged", "merge", "united"), "gap": (1, 2, 3)},
    source='''
"""Spans of time that may overlap."""

GAP = $gap


def $merge(spans):
    """The spans in order, those joined that overlap or touch."""
    result = []

    for start, end in ⟦missing:sorted(spans)¦spans⟧:
        if result and start ⟦operator:<=¦<⟧ result[-1][1]:
            result[-1][1] = max(result[-1][1], ⟦variable:end¦start⟧)
        else:
            result.append([start, end])

    return result


def covered(spans):
    """How much time the spans cover together."""
    total = 0

    for start, end in $merge(spans):
        total += ⟦arguments:end - start¦start - end⟧

    return total


def gaps(spans):
    """The spans between them that are at least GAP long."""
    joined = $merge(spans)
    between = [[left[1], right[0]] for left, right in zip(joined, joined[⟦constant:1¦0⟧:])]
    return [pair for pair in between if pair[1] - pair[0] >= GAP]
''',
    calls={
        "$merge": lambda draw: [spans(draw)],
        "covered": lambda draw: [spans(draw)],
        "gaps": lambda draw: [spans(draw)],
    },
    edges={
        "$merge": (([[5, 8], [1, 3], [3, 4]],), ([[1, 9], [2, 5]],)),
        "gaps": (([[1, 2], [6, 8], [12, 13]],),),
    },
)

MODULES = (YEARS, DURATIONS, WEEKDAYS, BOOKINGS)
