"""Modules about geometry, tables of numbers and graphs."""

from __future__ import annotations

from random import Random

from kimi_nb.worlds.broken_code.template import Template

__all__ = ["MODULES"]


def box(draw: Random) -> list[int]:
    left, low = draw.randint(0, 9), draw.randint(0, 9)
    return [left, low, left + draw.randint(2, 9), low + draw.randint(2, 9)]


def matrix(draw: Random, rows: int, columns: int) -> list[list[int]]:
    return [[draw.randint(-4, 9) for _ in range(columns)] for _ in range(rows)]


def edges(draw: Random) -> list[list[str]]:
    return [draw.sample("abcdefg", 2) for _ in range(draw.randint(5, 8))]


BOXES = Template(
    names=("boxes", "rectangles", "floorplan"),
    choose={"area": ("area", "area_of", "surface")},
    source='''
"""Boxes on a plan, each as [left, low, right, high]."""


def $area(box):
    """How much room a box takes."""
    left, low, right, high = box
    return (right - left) ⟦operator:*¦+⟧ (high - low)


def contains(box, x, y):
    """Whether a point lies in a box or on its edge."""
    left, low, right, high = box
    return left <= x <= right and low ⟦operator:<=¦<⟧ y <= high


def common(box, other):
    """The box that two boxes have in common, None if there is none."""
    left, low = max(box[0], other[0]), max(box[1], other[1])
    right, high = min(box[2], other[2]), ⟦attribute:min¦max⟧(box[3], other[3])

    if left >= right or low >= high:
        return None

    ⟦return:return [left, low, right, high]¦[left, low, right, high]⟧


def grown(box, by=⟦default:1¦2⟧):
    """The box with its edges moved outwards."""
    left, low, right, high = box
    return [left - by, low - by, right + by, high ⟦operator:+¦-⟧ by]
''',
    calls={
        "$area": lambda draw: [box(draw)],
        "contains": lambda draw: [(found := box(draw)), found[0] + 1, draw.choice((found[1], 20))],
        "common": lambda draw: [box(draw), box(draw)],
        "grown": lambda draw: [box(draw)],
    },
    edges={
        "contains": (([0, 0, 4, 4], 2, 0), ([0, 0, 4, 4], 5, 1)),
        "common": (([0, 0, 5, 5], [2, 3, 9, 9]),),
        "grown": (([2, 2, 3, 3], 3),),
    },
)

POLYGONS = Template(
    names=("polygons", "outlines", "plots"),
    choose={"area": ("enclosed", "polygon_area", "ground"), "digits": (1, 2)},
    source='''
"""Plots of land, each as the list of its corners."""

DIGITS = $digits


def $area(corners):
    """The area that the corners enclose, whichever way round they are given."""
    total = 0

    for place, (x, y) in enumerate(corners):
        next_x, next_y = corners[(place + 1) % len(corners)]
        total += x * next_y - next_x ⟦operator:*¦+⟧ y

    return ⟦missing:abs(total)¦total⟧ / 2


def distance(a, b):
    """How far two points are apart in a straight line, rounded to DIGITS digits."""
    across, up = a[0] - b[0], a[1] - ⟦variable:b[1]¦b[0]⟧
    return round((across**2 + up**2) ** ⟦constant:0.5¦2⟧, DIGITS)


def walk(points):
    """The length of a way along streets, which run across and up only."""
    length = 0

    for before, after in zip(points, points[1:]):
        length += abs(after[0] - before[0]) ⟦operator:+¦-⟧ abs(after[1] - before[1])

    return length


def centre(points):
    """The mean of all points, rounded to DIGITS digits."""
    x = sum(point[0] for point in points) / len(points)
    y = sum(point[⟦constant:1¦0⟧] for point in points) / len(points)
    return [round(x, DIGITS), round(y, DIGITS)]
''',
    calls={
        "$area": lambda draw: [
            [[0, draw.randint(5, 9)], [draw.randint(5, 9), 9], [draw.randint(3, 9), 0], [0, 0]]
        ],
        "distance": lambda draw: [matrix(draw, 1, 2)[0], matrix(draw, 1, 2)[0]],
        "walk": lambda draw: [matrix(draw, 4, 2)],
        "centre": lambda draw: [matrix(draw, 4, 2)],
    },
    edges={"$area": (([[0, 0], [0, 4], [3, 4], [3, 0]],),), "distance": (([1, 1], [4, 5]),)},
)

MATRICES = Template(
    names=("matrices", "grids", "tables"),
    choose={"turn": ("transposed", "flipped", "columns_of")},
    source='''
"""Tables of numbers."""


def $turn(rows):
    """The columns of a table as rows."""
    return [[row[⟦variable:place¦0⟧] for row in rows] for place in range(len(rows[0]))]


def product(a, b):
    """The matrix product."""
    columns = $turn(b)
    result = []

    for row in a:
        sums = [sum(x ⟦operator:*¦+⟧ y for x, y in zip(row, column)) for column in columns]
        result.append(sums)

    return result


def rotated(rows):
    """The table turned by a quarter to the right."""
    return [list(row) for row in zip(*⟦missing:rows[::-1]¦rows⟧)]


def trace(rows):
    """The sum along the diagonal. Raises ValueError if the table is no square."""
    total = 0

    for place, row in enumerate(rows):
        if len(row) ⟦operator:!=¦==⟧ len(rows):
            raise ValueError("no square")

        total += row[⟦variable:place¦0⟧]

    return total
''',
    calls={
        "$turn": lambda draw: [matrix(draw, 2, 3)],
        "product": lambda draw: [matrix(draw, 2, 3), matrix(draw, 3, 2)],
        "rotated": lambda draw: [matrix(draw, 2, 3)],
        "trace": lambda draw: [matrix(draw, 3, 3)],
    },
    edges={"$turn": (([[1, 2], [3, 4]],),), "trace": (([[1, 2]],),)},
)

NETWORKS = Template(
    names=("networks", "graphs", "connections"),
    choose={"near": ("neighbours", "linked", "next_to")},
    source='''
"""Who is linked with whom, as a list of pairs."""


def $near(pairs, name):
    """All that are linked with a name, in the order of the alphabet."""
    found = set()

    for left, right in pairs:
        if left == name:
            found.add(⟦variable:right¦left⟧)
        elif right == name:
            found.add(left)

    return sorted(found)⟦slice:¦[:-1]⟧


def reachable(pairs, start):
    """All that can be reached from a start over any number of links, the start too."""
    seen = [start]

    for name in seen:
        for other in $near(pairs, name):
            if other ⟦missing:not in¦in⟧ seen:
                seen.append(other)

    return sorted(seen)


def degree(pairs, name):
    """How many pairs a name is in."""
    return ⟦attribute:sum¦max⟧(1 for pair in pairs if name in pair)


def islands(pairs):
    """How many groups there are that are not linked with each other."""
    left = sorted({name for pair in pairs for name in pair})
    number = 0

    while left:
        group = reachable(pairs, left[0])
        left = [name for name in left if name not in group]
        number += ⟦constant:1¦2⟧

    return number
''',
    calls={
        "$near": lambda draw: [edges(draw), "a"],
        "reachable": lambda draw: [edges(draw), draw.choice("ab")],
        "degree": lambda draw: [[*edges(draw), ["a", "c"], ["b", "a"]], "a"],
        "islands": lambda draw: [edges(draw)],
    },
    edges={
        "$near": (([["b", "a"], ["a", "d"], ["c", "d"]], "a"),),
        "reachable": (([["a", "b"], ["b", "c"], ["d", "e"]], "a"),),
    },
)

SEARCHING = Template(
    names=("searching", "ordering", "sorting"),
    choose={"find": ("find_place", "place_of", "lookup")},
    source='''
"""Finding and ordering by hand."""


def $find(ordered, value):
    """The place of a value in an ordered list, -1 if it is not there."""
    low, high = 0, len(ordered) ⟦operator:-¦+⟧ 1

    while low <= high:
        middle = (low + high) // 2

        if ordered[middle] == value:
            return middle

        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle - 1

    return ⟦constant:-1¦0⟧


def inserted(ordered, value):
    """The ordered list with one more value at its place."""
    place = 0

    while place < len(ordered) and ordered[place] ⟦operator:<¦>⟧ value:
        place += 1

    return ordered[:place] + [value] + ordered[⟦variable:place¦0⟧:]


def ranks(scores):
    """The rank of each score, the highest has 1, equal ones have equal ranks."""
    result = []

    for score in scores:
        higher = sum(1 for other in scores if other ⟦operator:>¦>=⟧ score)
        result.append(higher + 1)

    return result
''',
    calls={
        "$find": lambda draw: [
            (ordered := sorted(draw.sample(range(50), 7))),
            draw.choice([*ordered, 99, 99, -1]),
        ],
        "inserted": lambda draw: [sorted(draw.sample(range(50), 5)), draw.randint(0, 50)],
        "ranks": lambda draw: [[draw.randint(1, 9) for _ in range(6)]],
    },
    edges={"$find": (([2, 4, 6], 5), ([2, 4, 6], 6), ([3], 9)), "ranks": (([5, 7, 5],),)},
)

MODULES = (BOXES, POLYGONS, MATRICES, NETWORKS, SEARCHING)
