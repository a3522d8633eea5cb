"""Goals about grades, the weather, invoices, a paper, a package."""
# ruff: noqa: E501 - a goal reads best on one line

from __future__ import annotations

import random
from pathlib import Path

from simulator_truth import (
    Case,
    different,
    each,
    first,
    found,
    having,
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
    draw = random.Random(11)

    for s in ("class_a", "class_b", "class_c", "class_d"):
        write(
            root / "grades" / f"{s}.csv",
            ["student", "subject", "score", "grade", "passed"],
            [
                [
                    f"st{i}",
                    draw.choice(["math", "art", "bio"]),
                    draw.randint(20, 100),
                    draw.choice("ABCDF"),
                    draw.choice(["yes", "no"]),
                ]
                for i in range(draw.randint(6, 25))
            ],
        )
    for s in ("oslo", "lima", "cairo"):
        write(
            root / "weather" / "daily" / f"{s}.csv",
            ["day", "temp_max", "temp_min", "rain (mm)", "station id"],
            [
                [
                    f"2024-{m:02d}-{d:02d}",
                    round(draw.uniform(5, 40), 1),
                    round(draw.uniform(-20, 5), 1),
                    round(draw.uniform(0, 30), 1),
                    draw.choice(["S1", "S2", "S3"]),
                ]
                for m in (1, 2)
                for d in range(1, draw.randint(4, 9))
            ],
        )
    for s in ("2022", "2023", "2024"):
        write(
            root / "Invoices 2024" / f"invoices {s}.csv",
            ["InvoiceNo", "Client", "Amount", "Paid"],
            [
                [
                    f"I{i}",
                    draw.choice(["Acme", "Bolt", "Core AG"]),
                    f"{draw.uniform(10, 5000):.2f}",
                    draw.choice(["TRUE", "FALSE"]),
                ]
                for i in range(draw.randint(4, 16))
            ],
        )
    for s in ("一月", "二月", "三月"):
        write(
            root / "销售记录" / f"{s}.csv",
            ["日期", "产品", "销售额", "数量", "城市"],
            [
                [
                    f"2024-01-{draw.randint(10, 28)}",
                    draw.choice(["茶", "咖啡", "果汁"]),
                    round(draw.uniform(10, 900), 1),
                    draw.randint(1, 40),
                    draw.choice(["北京", "上海", "深圳"]),
                ]
                for i in range(draw.randint(5, 15))
            ],
        )
    for i, s in enumerate(["intro", "method", "results"]):
        (root / "paper").mkdir(exist_ok=True, parents=True)
        (root / "paper" / f"{s}.md").write_text(
            f"# {s.title()} of it\n\nOur swarm is a swarm of agents.\n\n"
            + "".join(
                f"## Sec {k}\n\nSee [here](https://x.y/{k}) for more words.\n\n"
                for k in range(i + 1)
            )
        )
        (root / "paper" / f"{s}.txt").write_text("alpha beta\ngamma delta epsilon\n" * (i + 2))
    for i in range(3):
        (root / "pkg").mkdir(exist_ok=True)
        (root / "pkg" / f"part{i}.py").write_text(
            "import os\nimport re\n\n\n"
            + "".join(f"def go{k}(a):\n    # FIXME soon\n    return a\n\n\n" for k in range(i + 1))
            + ("class Big:\n    def run(self):\n        pass\n" if i else "")
        )
    for n, y, c in (
        ("atlas", "1990", "Lyon"),
        ("boreas", "2001", "Kyiv"),
        ("ceres", "1975", "Turin"),
    ):
        (root / "ships").mkdir(exist_ok=True)
        (root / "ships" / f"{n}.txt").write_text(
            f"Name: {n.title()}\nBuilt: {y}\nHome port: {c}\nCrew: {int(y) % 37}\n"
        )
    grades = load(root / "grades")
    weather = load(root / "weather/daily")
    invoices = load(root / "Invoices 2024")
    sales = load(root / "销售记录")
    pages = texts(root / "paper", "*.md")
    plain = texts(root / "paper", "*.txt")
    code = texts(root / "pkg", "*.py")
    ships = texts(root / "ships", "*.txt")

    return [
        Case(
            "give me the row count and best (highest) score for each csv in this folder",
            each(grades, len, top("score")),
            "grades",
        ),
        Case(
            "How many students are listed in each file of the grades folder, and what is the average score?",
            each(grades, len, mean("score")),
        ),
        Case(
            "grades/*.csv -> number of rows with score >= 60",
            each(grades, having(lambda row: float(row["score"]) >= 60)),
        ),
        Case(
            "I need the mean score in math for every CSV under grades.",
            each(grades, mean("score", lambda row: row["subject"] == "math")),
        ),
        Case(
            "Please go through weather/daily and report, for each CSV: the hottest temp_max, the coldest temp_min",
            each(weather, top("temp_max"), low("temp_min")),
        ),
        Case("weather/daily: total rain (mm) per file", each(weather, total("rain (mm)"))),
        Case(
            "For each city file in the directory weather/daily/, how many days had more than 10 mm of rain?",
            each(weather, having(lambda row: float(row["rain (mm)"]) > 10)),
        ),
        Case(
            "How many different station ids are in each csv in weather/daily?",
            each(weather, different("station id")),
        ),
        Case(
            "What's the first and last day in each csv of weather/daily?",
            each(
                weather,
                lambda v: min(row["day"] for row in v),
                lambda v: max(row["day"] for row in v),
            ),
        ),
        Case(
            "In the folder 'Invoices 2024', for every csv: number of invoices, sum of Amount, largest Amount",
            each(invoices, len, total("Amount"), top("Amount")),
        ),
        Case(
            'Total Amount of unpaid invoices (Paid = FALSE) for each file in "Invoices 2024/"',
            each(
                invoices, lambda v: sum(float(row["Amount"]) for row in v if row["Paid"] == "FALSE")
            ),
        ),
        Case(
            f"{root}/grades : for all csv files, min / max / mean of score",
            each(grades, low("score"), top("score"), mean("score")),
        ),
        Case(
            "how many invoices did Acme have in each file in Invoices 2024?",
            each(invoices, having(lambda row: row["Client"] == "Acme")),
        ),
        Case(
            "请统计「销售记录」目录下每个 CSV 的行数、销售额总和与最高销售额",
            each(sales, len, total("销售额"), top("销售额")),
        ),
        Case(
            "销售记录文件夹里，每个表的平均数量和最少数量分别是多少？",
            each(sales, mean("数量"), low("数量")),
        ),
        Case(
            "针对销售记录下的各CSV：条数；城市为北京的条数；销售额大于500的条数",
            each(
                sales,
                len,
                having(lambda row: row["城市"] == "北京"),
                having(lambda row: float(row["销售额"]) > 500),
            ),
        ),
        Case(
            "当前目录下每个csv文件有几行？销售额一共是多少？",
            each(sales, len, total("销售额")),
            "销售记录",
        ),
        Case(
            "把销售记录里每个文件的产品种类数和最大数量列成表",
            each(sales, different("产品"), top("数量")),
        ),
        Case("word counts of the text files in paper/", each(plain, words)),
        Case(
            'In the paper folder, for every markdown document: number of headings, number of links, how many times "swarm" appears',
            each(pages, found("^#+ "), lambda t: t.count("]("), found("(?i)\\bswarm\\b")),
        ),
        Case("What is the top-level heading of each .md in paper?", each(pages, first("^# (.*)"))),
        Case("count of FIXME per python file in pkg", each(code, found("FIXME"))),
        Case(
            "number of functions, classes and imports of each python file in the pkg directory",
            each(code, found("^\\s*def "), found("^class "), found("^(?:import|from) ")),
        ),
        Case(
            "How many lines of code has each module in pkg/*.py?",
            each(
                code,
                lambda t: sum(
                    1
                    for line in t.splitlines()
                    if line.strip() and (not line.strip().startswith("#"))
                ),
            ),
        ),
        Case(
            "For every ship in ships/, when was it built and what is its home port?",
            each(ships, first("Built: (.*)"), first("Home port: (.*)")),
        ),
        Case(
            "list name, crew and home port of all files in the ships folder",
            each(ships, first("Name: (.*)"), first("Crew: (.*)"), first("Home port: (.*)")),
        ),
        Case(
            "For each file:\n* rows\n* average score\n* lowest score\n\nThe files are the CSVs in grades.",
            each(grades, len, mean("score"), low("score")),
        ),
        Case(
            "How many students are there altogether in grades/?",
            {"": [sum(map(len, grades.values()))]},
        ),
    ]
