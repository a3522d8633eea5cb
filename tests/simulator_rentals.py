"""Goals about flats, teams, sales, school classes, recipes, a library."""
# ruff: noqa: E501 - a goal reads best on one line

from __future__ import annotations

import json
import random
from pathlib import Path

from simulator_truth import (
    Case,
    different,
    each,
    every,
    first,
    found,
    having,
    lines,
    load,
    low,
    mean,
    texts,
    top,
    total,
    words,
    write,
)


def build(root: Path) -> list[Case]:
    draw = random.Random(5)

    for s in ("berlin", "munich", "hamburg"):
        write(
            root / "rentals" / f"{s}.csv",
            ["listing_id", "rooms", "rent (€)", "district", "furnished", "available_from"],
            [
                [
                    f"L{i}",
                    draw.randint(1, 6),
                    draw.randint(400, 3000),
                    draw.choice(["north", "west", "old town"]),
                    draw.choice(["yes", "no"]),
                    f"2025-0{draw.randint(1, 9)}-{draw.randint(10, 28)}",
                ]
                for i in range(draw.randint(5, 20))
            ],
        )
    for s in ("team1", "team2", "team3", "team4"):
        write(
            root / "Sport Results" / f"{s}.csv",
            ["player", "goals", "assists", "minutesPlayed", "position"],
            [
                [
                    f"P{i}",
                    draw.randint(0, 20),
                    draw.randint(0, 15),
                    draw.randint(90, 3000),
                    draw.choice(["keeper", "defender", "striker"]),
                ]
                for i in range(draw.randint(4, 12))
            ],
        )
    for s in ("logA", "logB"):
        write(
            root / "sales.d" / f"{s}.csv",
            ["Date", "Product", "Qty", "Unit Price (USD)", "Region"],
            [
                [
                    f"2024-{draw.randint(10, 12)}-{draw.randint(10, 28)}",
                    draw.choice(["pen", "ink", "pad"]),
                    draw.randint(1, 30),
                    f"${draw.uniform(1, 60):.2f}",
                    draw.choice(["EU", "US"]),
                ]
                for i in range(draw.randint(6, 12))
            ],
        )
    for s in ("甲班", "乙班", "丙班"):
        write(
            root / "成绩单" / f"{s}.csv",
            ["姓名", "科目", "分数", "是否及格"],
            [
                [
                    f"学生{i}",
                    draw.choice(["语文", "数学"]),
                    (sc := draw.randint(30, 100)),
                    "是" if sc >= 60 else "否",
                ]
                for i in range(draw.randint(6, 15))
            ],
        )
    for i, s in enumerate(["pasta", "soup", "cake"]):
        (root / "recipes").mkdir(exist_ok=True, parents=True)
        (root / "recipes" / f"{s}.md").write_text(
            f"---\ntitle: Best {s}\nauthor: Chef {i}\nservings: {i + 2}\n---\n\n# {s.title()}\n\n## Ingredients\n\nSalt and sugar. Salt again.\n\n"
            + "## Step\n\nStir salt.\n\n" * (i + 1)
        )
    for i in range(3):
        (root / "lib").mkdir(exist_ok=True)
        (root / "lib" / f"a{i}.py").write_text(
            "import json\n\n"
            + "".join(f"\ndef h{k}():\n    pass  # TODO {k}\n\n" for k in range(i + 1))
            + f"\nclass K{i}:\n    x = 1\n"
        )
    for i in range(2):
        (root / "books").mkdir(exist_ok=True)
        cells = [{"cell_type": "markdown", "metadata": {}, "source": [f"# Unit {i}"]}] * (i + 1) + [
            {
                "cell_type": "code",
                "metadata": {},
                "source": ["y=2"],
                "outputs": [],
                "execution_count": None,
            }
        ] * (i + 3)
        (root / "books" / f"u{i}.ipynb").write_text(
            json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        )
    flats = load(root / "rentals")
    teams = load(root / "Sport Results")
    sales = load(root / "sales.d")
    classes = load(root / "成绩单")
    recipes = texts(root / "recipes", "*.md")
    code = texts(root / "lib", "*.py")

    return [
        Case(
            "There are some rental listings as csv in rentals. For each city I want: number of listings, average rent (€), cheapest rent (€)",
            each(flats, len, mean("rent (€)"), low("rent (€)")),
        ),
        Case(
            "rentals/*.csv: count, max rent, min rent",
            each(flats, len, top("rent (€)"), low("rent (€)")),
        ),
        Case(
            "How many furnished flats (furnished = yes) are in every file under rentals/ ?",
            each(flats, having(lambda row: row["furnished"] == "yes")),
        ),
        Case(
            "For each of the CSV files in rentals, how many listings have 3 or more rooms?",
            each(flats, having(lambda row: int(row["rooms"]) >= 3)),
        ),
        Case(
            "Mean rent of listings in the old town, per CSV in rentals",
            each(flats, mean("rent (€)", lambda row: row["district"] == "old town")),
        ),
        Case(
            "what is the earliest available_from date in each of the rentals csvs",
            each(flats, lambda v: min(row["available_from"] for row in v)),
        ),
        Case(
            "number of different districts for each csv file in rentals/, please",
            each(flats, different("district")),
        ),
        Case(
            "Sport Results: total goals and total assists by file",
            each(teams, total("goals"), total("assists")),
        ),
        Case(
            'From the folder "Sport Results" read all CSVs and tell me (a) how many players, (b) the most goals, (c) the average minutesPlayed.',
            each(teams, len, top("goals"), mean("minutesPlayed")),
        ),
        Case(
            "for every csv in Sport Results count the players whose position is striker",
            each(teams, having(lambda row: row["position"] == "striker")),
        ),
        Case(
            "Number of players with at least 5 goals for each CSV in 'Sport Results/'",
            each(teams, having(lambda row: int(row["goals"]) >= 5)),
        ),
        Case(
            "Which file in Sport Results has the highest total goals?",
            {"": [max(teams, key=lambda k: total("goals")(teams[k]))]},
        ),
        Case(
            "sales.d: for each csv give the rows, sum of Qty and the highest Unit Price (USD)",
            each(
                sales,
                len,
                total("Qty"),
                lambda v: max(float(row["Unit Price (USD)"][1:]) for row in v),
            ),
        ),
        Case(
            "Look in the folder sales.d. For each file: the number of records where Region is EU; the average quantity.",
            each(sales, having(lambda row: row["Region"] == "EU"), mean("Qty")),
        ),
        Case(
            "请问成绩单文件夹里每个CSV有多少行，最高分和平均分是多少？",
            each(classes, len, top("分数"), mean("分数")),
        ),
        Case(
            "统计成绩单目录中各文件分数低于60的人数",
            each(classes, having(lambda row: int(row["分数"]) < 60)),
        ),
        Case(
            "成绩单/ 里每个文件：数学科目的平均分数",
            each(classes, mean("分数", lambda row: row["科目"] == "数学")),
        ),
        Case(
            "对这个文件夹里的每个csv文件，给出记录条数、最低分数、分数总和，并汇总成一张表。",
            each(classes, len, low("分数"), total("分数")),
            "成绩单",
        ),
        Case(
            "成绩单里每个班级有几个学生不及格（是否及格=否）？",
            each(classes, having(lambda row: row["是否及格"] == "否")),
        ),
        Case(
            "请列出 recipes 目录下每个 Markdown 文件的标题和作者",
            each(recipes, first("title: (.*)"), first("author: (.*)")),
        ),
        Case(
            'For each recipe in recipes/: author, servings, and how often "salt" is mentioned',
            each(recipes, first("author: (.*)"), first("servings: (.*)"), found("(?i)\\bsalt\\b")),
        ),
        Case(
            "number of headings + number of words in every md file of the recipes folder",
            each(recipes, found("^#+ "), words),
        ),
        Case("How many TODOs are in each .py file in lib?", each(code, found("TODO"))),
        Case(
            "For each python script in lib list its functions and its classes by name",
            each(code, every("def (\\w+)"), every("class (\\w+)")),
        ),
        Case(
            "count lines and functions for all python files in ./lib",
            each(code, lines, found("^\\s*def ")),
        ),
        Case(
            "How many code cells and how many markdown cells does each notebook in books contain?",
            {f"u{i}.ipynb": [i + 3, i + 1] for i in range(2)},
        ),
        Case(
            "Give me the number of rows of every csv file here and in the subfolders",
            {**each(flats, len), **each(teams, len), **each(sales, len), **each(classes, len)},
        ),
        Case(
            "In total, how many listings are there in rentals, and what's the highest rent?",
            {"": [sum(map(len, flats.values())), max(top("rent (€)")(v) for v in flats.values())]},
        ),
        Case(
            "I have these files: rentals/berlin.csv and rentals/munich.csv. What's the number of rows and the average number of rooms in each?",
            each({k: flats[k] for k in ("berlin.csv", "munich.csv")}, len, mean("rooms")),
        ),
    ]
