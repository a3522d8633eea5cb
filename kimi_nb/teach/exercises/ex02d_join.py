"""Notebook 02: what is made of what comes back."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Reports = list[dict[str, Any]]
Joined = dict[str, list[float] | None]


def join(items: list[str], reports: Reports) -> Joined:
    table: Joined = dict.fromkeys(items)

    for report in reports:
        if report["ok"]:
            for line in report["text"].splitlines():
                name, rows, highest = line.split(";")
                table[name] = [int(rows), float(highest)]

    return table


def _dropped(items: list[str], reports: Reports) -> Joined:
    return {name: row for name, row in join(items, reports).items() if row is not None}


def _zeros(items: list[str], reports: Reports) -> Joined:
    return {name: row or [0, 0.0] for name, row in join(items, reports).items()}


def _first_line(items: list[str], reports: Reports) -> Joined:
    return join(items, [{**each, "text": each["text"].split("\n")[0]} for each in reports])


def _as_text(items: list[str], reports: Reports) -> dict[str, Any]:
    table: dict[str, Any] = dict.fromkeys(items)
    lines = [line for report in reports if report["ok"] for line in report["text"].splitlines()]
    return table | {name: row for name, *row in (line.split(";") for line in lines)}


def _trusting(items: list[str], reports: Reports) -> Joined:
    return join(items, [{**report, "ok": True} for report in reports])


def _partial(dice: Random) -> list[list[Any]]:
    """Each has a report of two lines and leaves items out; all but the last have a failed one."""
    cases: list[list[Any]] = []

    for place in range(4):
        items = [f"{name}.csv" for name in dice.sample(SHOPS, 6)]
        lines = [
            f"{name};{dice.randint(20, 200)};{dice.randint(100, 9999) / 100}" for name in items
        ]
        reports = [
            {"ok": True, "text": "\n".join(lines[:2])},
            {"ok": False, "text": "ERROR: did not finish within its 50 steps"},
            {"ok": True, "text": lines[3]},
        ]
        dice.shuffle(reports)
        reports = [report for report in reports if report["ok"] or place < 3]
        cases.append([items, reports])

    return cases


SHOPS = ["north", "south", "west", "east", "harbour", "station", "airport", "old", "new"]

JOIN = Exercise(
    id="ex02.join",
    title=Text("Join what came back, and say what did not", "汇总返回的结果，并说明缺了什么"),
    task=Text(
        "`items` are files that were handed out, `reports` what came back: each has `ok` and "
        "`text`. The text of a good report has one line for each of its files, as "
        '`"north.csv;84;87.64"`; the text of a failed one is a sentence. Return a dict with every '
        "item: `[rows, highest]` as numbers where it was reported, `None` where it was not.",
        "`items` 是分派出去的文件，`reports` 是返回的报告：每份有 `ok` 和 `text`。"
        '成功的报告里，每个文件占一行，如 `"north.csv;84;87.64"`；失败的报告里只有一句话。'
        "返回一个包含每个文件的字典：报告了的是数字列表 `[行数, 最大值]`，没有报告的是 `None`。",
    ),
    difficulty=2,
    minutes=7,
    form="function",
    name="join",
    stub='def join(items, reports):\n    """Each item with its row, or None."""\n    ...',
    cases=_partial,
    solve=join,
    hints=(
        Text(
            "Begin with a table in which every item is missing.",
            "先建一张表，里面每一项都还缺着。",
        ),
        Text(
            "`dict.fromkeys(items)`, and then go through the lines of the good reports.",
            "用 `dict.fromkeys(items)`，然后逐行处理成功的报告。",
        ),
    ),
    mistakes=(
        Mistake(
            key="dropped",
            wrong=_dropped,
            says=Text(
                "Your table is shorter than the list, and nobody is told. Who reads it takes it "
                "for all there is: which files are missing?",
                "你的表比清单短，却没有说明。读表的人会以为就这么多：缺了哪些文件？",
            ),
        ),
        Mistake(
            key="zeros",
            wrong=_zeros,
            says=Text(
                "Zero rows is a finding, and nobody found it. What does a mean over your table "
                "say?",
                "“零行”也是一项结果，可是没有人得出过它。用你的表求平均值会得到什么？",
            ),
        ),
        Mistake(
            key="first-line",
            wrong=_first_line,
            says=Text(
                "A sub-agent that had two files reports two lines. How many did you read?",
                "一个子智能体负责两个文件，就会报告两行。你读了几行？",
            ),
        ),
        Mistake(
            key="as-text",
            wrong=_as_text,
            says=Text(
                "Your rows are texts. Which of two texts is the highest, '9.5' or '87.64'?",
                "你的行是文本。'9.5' 和 '87.64' 作为文本，哪个更大？",
            ),
        ),
        Mistake(
            key="trusting",
            wrong=_trusting,
            says=Text(
                "A failed report is a sentence, and you took it for a row. One sub-agent of a "
                "hundred fails: what becomes of the other ninety-nine?",
                "失败的报告是一句话，你却把它当成了一行数据。一百个子智能体里有一个失败："
                "另外九十九个的结果怎么办？",
            ),
        ),
    ),
)

EXERCISES = (JOIN,)
