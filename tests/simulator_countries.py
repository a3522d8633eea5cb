"""Goals about countries, a web server, courses, budgets, notes, logs."""
# ruff: noqa: E501 - a goal reads best on one line

from __future__ import annotations

import random
import statistics
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
    numbers,
    texts,
    top,
    total,
    write,
)


def build(root: Path) -> list[Case]:
    draw = random.Random(33)

    for s in ("alpha", "beta", "gamma"):
        write(
            root / "data sets" / f"{s}.csv",
            ["Country", "Population", "GDP_per_capita", "Continent", "Area km2"],
            [
                [
                    f"Land{i}",
                    draw.randint(1000, 9999999),
                    draw.randint(500, 90000),
                    draw.choice(["Europe", "Asia", "Africa"]),
                    draw.randint(10, 99999),
                ]
                for i in range(draw.randint(5, 18))
            ],
        )
    for s in ("w1", "w2"):
        write(
            root / "Web" / "access" / f"{s}.csv",
            ["ip", "path", "status", "bytes", "ms"],
            [
                [
                    f"10.0.0.{draw.randint(1, 5)}",
                    draw.choice(["/", "/a", "/b"]),
                    draw.choice([200, 404, 500]),
                    draw.randint(10, 9000),
                    draw.randint(1, 900),
                ]
                for i in range(draw.randint(9, 25))
            ],
        )
    for s in ("fall", "spring"):
        write(
            root / "courses" / f"{s}.csv",
            ["course", "teacher", "credits", "enrolled", "room"],
            [
                [
                    f"C{i}",
                    draw.choice(["Dr. Wu", "Dr. Li"]),
                    draw.randint(2, 10),
                    draw.randint(5, 150),
                    draw.choice(["H1", "H2"]),
                ]
                for i in range(draw.randint(5, 12))
            ],
        )
    for s in ("第一季度", "第二季度", "第三季度"):
        write(
            root / "财务" / "2024" / f"{s}.csv",
            ["月份", "部门", "收入", "支出", "备注"],
            [
                [
                    draw.randint(1, 12),
                    draw.choice(["技术", "市场"]),
                    round(draw.uniform(100, 9999), 2),
                    round(draw.uniform(10, 999), 2),
                    draw.choice(["", "ok"]),
                ]
                for i in range(draw.randint(5, 14))
            ],
        )
    for i, s in enumerate(["readme", "todo", "log"]):
        (root / "Notes").mkdir(exist_ok=True, parents=True)
        (root / "Notes" / f"{s}.md").write_text(
            f"---\ntitle: N {s}\ntags: a, b\nauthor: Z{i}\n---\n# Top {s}\n\nTODO one\nfoo TODO two\n\n## Sub\n"
            + "bar\n" * i
        )
    for i in range(3):
        (root / "code").mkdir(exist_ok=True)
        (root / "code" / f"z{i}.py").write_text(
            "import re\nimport os\n\n"
            + f"def q{i}():\n    return 0\n\n\n" * (i + 1)
            + f"class Z{i}(Exception):\n    pass\n"
        )
    for i in range(2):
        (root / "logs").mkdir(exist_ok=True)
        (root / "logs" / f"l{i}.log").write_text(
            "".join(
                f"{k} {draw.choice(['ERROR', 'INFO', 'WARNING'])} msg\n"
                for k in range(draw.randint(8, 20))
            )
        )
    lands = load(root / "data sets")
    web = load(root / "Web/access")
    courses = load(root / "courses")
    budgets = load(root / "财务/2024")
    notes = texts(root / "Notes", "*.md")
    code = texts(root / "code", "*.py")
    logs = texts(root / "logs", "*.log")

    return [
        Case(
            "Go over every csv in the folder 'data sets' and note the number of countries, the total Population and the maximum GDP_per_capita.",
            each(lands, len, total("Population"), top("GDP_per_capita")),
        ),
        Case(
            "For each file in data sets, average Area km2 and smallest Population",
            each(lands, mean("Area km2"), low("Population")),
        ),
        Case(
            "Which country has the largest population in each CSV file of data sets?",
            each(lands, lambda v: max(v, key=lambda row: int(row["Population"]))["Country"]),
        ),
        Case(
            "how many rows of each CSV in 'data sets' have GDP_per_capita under 20000?",
            each(lands, having(lambda row: int(row["GDP_per_capita"]) < 20000)),
        ),
        Case(
            "In Web/access, for each CSV: number of requests, number of 404s (status = 404), max ms",
            each(web, len, having(lambda row: row["status"] == "404"), top("ms")),
        ),
        Case(
            "Web/access — rows with status 500 per csv",
            each(web, having(lambda row: row["status"] == "500")),
        ),
        Case(
            "Count unique ip values and sum bytes for each csv file in Web/access",
            each(web, different("ip"), total("bytes")),
        ),
        Case(
            "for all CSVs below Web/access give the mean and median of ms",
            each(web, mean("ms"), lambda v: statistics.median(numbers(v, "ms"))),
        ),
        Case(
            "How many lines does each csv in Web/access have, not counting the header?",
            each(web, len),
        ),
        Case(
            "courses/: what's the biggest enrolled number, the fewest credits and the number of courses in each csv",
            each(courses, top("enrolled"), low("credits"), len),
        ),
        Case(
            "total credits of courses in room H1 for each csv in courses",
            each(courses, total("credits", lambda row: row["room"] == "H1")),
        ),
        Case(
            "每个季度文件（财务/2024 目录）的收入总和、支出总和和行数",
            each(budgets, total("收入"), total("支出"), len),
        ),
        Case(
            "请分析 财务/2024 下的所有CSV，给出每个文件收入的最大值、最小值、平均值",
            each(budgets, top("收入"), low("收入"), mean("收入")),
        ),
        Case(
            "财务/2024/ 中各文件部门为技术的记录数有多少",
            each(budgets, having(lambda row: row["部门"] == "技术")),
        ),
        Case(
            "帮我看看这个目录里每个表格有多少条记录，支出最多的是多少",
            each(budgets, len, top("支出")),
            "财务/2024",
        ),
        Case(
            "备注为空的行数，按财务/2024里的每个文件统计",
            each(budgets, having(lambda row: row["备注"] == "")),
        ),
        Case("How many TODO items are in each markdown file in Notes?", each(notes, found("TODO"))),
        Case(
            "author and tags of each .md file in ./Notes",
            each(notes, first("author: (.*)"), first("tags: (.*)")),
        ),
        Case(
            "For each note in Notes: title, number of lines, first heading",
            each(notes, first("title: (.*)"), lines, first("^# (.*)")),
        ),
        Case(
            "Names of the classes and number of functions in each python file of code",
            each(code, every("class (\\w+)"), found("^\\s*def ")),
        ),
        Case(
            "How many errors are in each log file in logs/ (lines with ERROR)?",
            each(logs, lambda t: sum("ERROR" in line for line in t.splitlines())),
        ),
        Case(
            "number of lines and number of lines containing WARNING in each .log of logs",
            each(logs, lines, lambda t: sum("WARNING" in line for line in t.splitlines())),
        ),
        Case("For each CSV file: rows.", each(courses, len), "courses"),
        Case(
            "Compare fall.csv and spring.csv in courses: rows, average enrolled",
            each(courses, len, mean("enrolled")),
        ),
        Case(
            "What is the total number of rows over all CSV files in courses?",
            {"": [sum(map(len, courses.values()))]},
        ),
    ]
