"""Notebook 10: where two pictures differ, how alike they are, and how often one can look."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.question import Question
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES", "PREDICTIONS"]

Grid = list[list[int]]
Box = list[int]

PREDICTIONS = (
    Question(
        id="p10.tokens",
        asks=Text(
            "One agent looks at eight photos, one after the other; each counts 1,400 tokens. How "
            "many tokens does it read over the whole run?",
            "一个智能体依次看八张照片，每张按 1,400 个 token 计。整个运行中它一共读入多少 token？",
        ),
        of="tokens_in",
    ),
)


def box(one: list[list[int]], two: list[list[int]]) -> list[int]:
    rows, columns = range(len(one)), range(len(one[0]))
    apart = [(x, y) for y in rows for x in columns if one[y][x] != two[y][x]]

    if not apart:
        return []

    across, down = zip(*apart, strict=True)
    return [min(across), min(down), max(across) + 1, max(down) + 1]


def _last_pixel(one: Grid, two: Grid) -> Box:
    found = box(one, two)
    return found and [found[0], found[1], found[2] - 1, found[3] - 1]


def _rows_first(one: Grid, two: Grid) -> Box:
    found = box(one, two)
    return found and [found[1], found[0], found[3], found[2]]


def _first_only(one: Grid, two: Grid) -> Box:
    for y, (above, below) in enumerate(zip(one, two, strict=True)):
        for x, (left, right) in enumerate(zip(above, below, strict=True)):
            if left != right:
                return [x, y, x + 1, y + 1]

    return []


def _first_and_last(one: Grid, two: Grid) -> Box:
    """Row by row: right where the one is left of and above the other."""
    apart = [
        (x, y) for y, row in enumerate(one) for x, colour in enumerate(row) if colour != two[y][x]
    ]

    if not apart:
        return []

    (left, top), (right, bottom) = apart[0], apart[-1]
    return [left, top, right + 1, bottom + 1]


def _paper(dice: Random) -> Grid:
    """White, with one rectangle that covers less than half of it."""
    width, height = dice.randint(9, 12), dice.randint(6, 8)
    ink = dice.randint(1, 9)
    left, top = dice.randint(1, 3), dice.randint(1, 2)
    right, bottom = left + dice.randint(3, 5), top + dice.randint(2, 3)
    return [
        [ink if left <= x < right and top <= y < bottom else 0 for x in range(width)]
        for y in range(height)
    ]


def _pairs(dice: Random) -> list[list[Any]]:
    """Two spots apart, wider than high, on either diagonal; and a pair that is equal."""
    drawn: list[list[Any]] = []

    for number in range(4):
        one = _paper(dice)
        two = [list(row) for row in one]
        across = [dice.randint(4, 5), dice.randint(7, 8)]
        above, below = across if number % 2 else reversed(across)

        for x, y in ((above, 0), (below, dice.randint(2, 3))):
            two[y][x] = (one[y][x] + dice.randint(1, 8)) % 10

        drawn.append([one, two])

    same = _paper(dice)
    return [*drawn, [same, [list(row) for row in same]]]


BOX = Exercise(
    id="ex10.box",
    title=Text("Where do two pictures differ?", "两幅图哪里不同？"),
    task=Text(
        "`one` and `two` are pictures of the same size: lists of rows, each a list of colours. "
        "Return the smallest box that holds every pixel that differs: `[left, top, right, "
        "bottom]`, right and bottom one beyond the last such pixel, as slices have it. Return "
        "`[]` for equal pictures.",
        "`one` 和 `two` 是两幅同样大小的图：由行组成的列表，每行是颜色的列表。"
        "返回包住所有不同像素的最小方框 `[left, top, right, bottom]`；right 和 bottom "
        "比最后一个不同的像素大 1，与切片的写法一致。两幅图相同时返回 `[]`。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="box",
    stub='def box(one, two):\n    """The box of all that differs, or []."""\n    ...',
    cases=_pairs,
    solve=box,
    hints=(
        Text(
            "Collect the places of all pixels that differ first.",
            "先把所有不同像素的位置收集起来。",
        ),
        Text(
            "`one[y][x]` is row y, column x; the box begins with the smallest x and the smallest "
            "y, which need not be of the same pixel.",
            "`one[y][x]` 是第 y 行第 x 列；方框从最小的 x 和最小的 y 开始，"
            "两者不必来自同一个像素。",
        ),
    ),
    mistakes=(
        Mistake(
            key="edge",
            wrong=_last_pixel,
            says=Text(
                "Your box ends one pixel too early. How wide is a box with left 3 and right 3?",
                "方框早结束了一个像素。left 和 right 都是 3 的方框有多宽？",
            ),
        ),
        Mistake(
            key="axes",
            wrong=_rows_first,
            says=Text(
                "x and y have changed places. Which index of `one[…][…]` counts the rows?",
                "x 和 y 弄反了。`one[…][…]` 的哪个下标数的是行？",
            ),
        ),
        Mistake(
            key="first",
            wrong=_first_only,
            says=Text(
                "That is the first pixel that differs. There are two faults in the pictures: what "
                "does a mender see who looks at the first one only?",
                "这只是第一个不同的像素。图里有两处错误：只看第一处的人会漏掉什么？",
            ),
        ),
        Mistake(
            key="scan",
            wrong=_first_and_last,
            says=Text(
                "You took the first and the last pixel, row by row. Is the first one always the "
                "leftmost, and the last one the rightmost?",
                "你取的是逐行扫描时的第一个和最后一个像素。第一个一定在最左，最后一个一定在最右吗？",
            ),
        ),
    ),
)


def likeness(drawn: list[list[int]], target: list[list[int]]) -> float:
    cells = [pair for rows in zip(drawn, target, strict=True) for pair in zip(*rows, strict=True)]
    alike = sum(mine == theirs for mine, theirs in cells) / len(cells)
    blank = sum(theirs == 0 for _, theirs in cells) / len(cells)
    return max(0.0, (alike - blank) / (1 - blank))


def _share(drawn: Grid, target: Grid) -> float:
    cells = [pair for rows in zip(drawn, target, strict=True) for pair in zip(*rows, strict=True)]
    return sum(mine == theirs for mine, theirs in cells) / len(cells)


def _of_ink(drawn: Grid, target: Grid) -> float:
    """Of what the target has drawn; what was drawn beside it goes unpunished."""
    cells = [pair for rows in zip(drawn, target, strict=True) for pair in zip(*rows, strict=True)]
    ink = [mine == theirs for mine, theirs in cells if theirs]
    return sum(ink) / len(ink)


def _below_nought(drawn: Grid, target: Grid) -> float:
    blank = _share([[0] * len(row) for row in target], target)
    return (_share(drawn, target) - blank) / (1 - blank)


def _drafts(dice: Random) -> list[list[Any]]:
    """A target with blank paper, with itself, all covered, one column off, and with less of it."""
    target = _paper(dice)
    ink = max(map(max, target))
    shifted = [[0, *row[:-1]] for row in target]
    part = [row if y % 2 else [0] * len(row) for y, row in enumerate(target)]
    drafts = [
        [[0] * len(row) for row in target],
        [list(row) for row in target],
        [[ink] * len(row) for row in target],
        shifted,
        part,
    ]
    return [[draft, target] for draft in drafts]


LIKENESS = Exercise(
    id="ex10.likeness",
    title=Text("A judge that blank paper does not fool", "白纸骗不过的评判"),
    task=Text(
        "`drawn` and `target` are pictures of the same size, 0 is white; the target is not all "
        "white. Let s be the share of pixels that are equal, and b what blank white paper would "
        "get for that target. Return (s − b) / (1 − b), and 0 where that is below 0.",
        "`drawn` 和 `target` 是两幅同样大小的图，0 表示白色；目标图不是全白。"
        "设 s 为相同像素所占的比例，b 为一张白纸对这个目标能得到的 s。返回 (s − b) / (1 − b)；"
        "若小于 0，则返回 0。",
    ),
    difficulty=3,
    minutes=7,
    form="function",
    name="likeness",
    stub='def likeness(drawn, target):\n    """From 0, blank paper, to 1."""\n    ...',
    cases=_drafts,
    solve=likeness,
    hints=(
        Text(
            "Which pixels of the target does blank paper get right?", "白纸能蒙对目标的哪些像素？"
        ),
        Text(
            "b is the share of 0 in the target; it does not depend on what was drawn.",
            "b 就是目标图中 0 所占的比例，与画了什么无关。",
        ),
    ),
    mistakes=(
        Mistake(
            key="blank",
            wrong=_share,
            says=Text(
                "That is the plain share of equal pixels. What does it give to a sheet on which "
                "nothing was drawn?",
                "这只是相同像素的比例。一张什么都没画的白纸会得到多少分？",
            ),
        ),
        Mistake(
            key="ink",
            wrong=_of_ink,
            says=Text(
                "You looked only where the target has ink. What would a sheet get that is painted "
                "over from edge to edge?",
                "你只看了目标有颜色的地方。整张涂满颜色的图会得到多少分？",
            ),
        ),
        Mistake(
            key="below",
            wrong=_below_nought,
            says=Text(
                "A draft can be worse than blank paper, but a quality lies between 0 and 1.",
                "草图可以比白纸还差，但质量总在 0 到 1 之间。",
            ),
        ),
    ),
)

EXERCISES = (BOX, LIKENESS)
