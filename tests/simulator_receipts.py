"""Goals about receipts, a laboratory, films, employees, a wiki, scripts."""
# ruff: noqa: E501 - a goal reads best on one line

from __future__ import annotations

import random
from importlib.metadata import version
from pathlib import Path

from simulator_truth import (
    Case,
    each,
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
    draw = random.Random(21)

    for s in ("north_store", "south_store", "online"):
        write(
            root / "receipts" / f"{s}.csv",
            ["receipt_no", "item", "price_usd", "units", "payment method", "member"],
            [
                [
                    1000 + i,
                    draw.choice(["milk", "bread", "egg"]),
                    round(draw.uniform(0.5, 30), 2),
                    draw.randint(1, 12),
                    draw.choice(["cash", "card"]),
                    draw.choice(["Y", "N"]),
                ]
                for i in range(draw.randint(5, 22))
            ],
        )
    for s in ("k1", "k2", "k3", "k4"):
        write(
            root / "Lab Data" / "run 7" / f"{s}.csv",
            ["sample", "Temperature_C", "pH", "valid"],
            [
                [
                    f"S{i}",
                    round(draw.uniform(-10, 90), 1),
                    round(draw.uniform(3, 11), 2),
                    draw.choice(["true", "false"]),
                ]
                for i in range(draw.randint(4, 15))
            ],
        )
    for s in ("1990", "2000"):
        write(
            root / "films" / f"{s}s.csv",
            ["title", "year", "rating", "genre", "length"],
            [
                [
                    f"Film {i}",
                    int(s) + draw.randint(0, 9),
                    round(draw.uniform(1, 10), 1),
                    draw.choice(["drama", "comedy", "war"]),
                    draw.randint(70, 200),
                ]
                for i in range(draw.randint(5, 19))
            ],
        )
    for s in ("研发部", "市场部", "财务部"):
        write(
            root / "员工信息" / f"{s}.csv",
            ["工号", "姓名", "年龄", "月薪", "入职日期", "性别"],
            [
                [
                    i,
                    f"员工{i}",
                    draw.randint(21, 60),
                    draw.randint(4000, 30000),
                    f"20{draw.randint(10, 23)}-0{draw.randint(1, 9)}-{draw.randint(10, 28)}",
                    draw.choice("男女"),
                ]
                for i in range(draw.randint(5, 14))
            ],
        )
    for i, s in enumerate(["x", "y"]):
        (root / "letters").mkdir(exist_ok=True, parents=True)
        (root / "letters" / f"{s}.txt").write_text(
            f"From: {['Ada', 'Bob'][i]}\nTo: {['Cy', 'Di'][i]}\nSubject: {['Hello there', 'Bill'][i]}\n\nDear friend,\nplease pay.\n"
            + "please.\n" * i
        )
    for i, s in enumerate(["one", "two", "three"]):
        (root / "wiki").mkdir(exist_ok=True)
        (root / "wiki" / f"{s}.md").write_text(
            f"# Page {s}\n\nIntro para.\n\n" + "## H\n\n- item\n\n" * (i + 1) + "### Deep\n"
        )
    for i in range(3):
        (root / "scripts").mkdir(exist_ok=True)
        (root / "scripts" / f"s{i}.py").write_text(
            "from os import path\n\n# note\nx = 1\n"
            + f"\n\nclass A{i}:\n    def m(self):\n        return 1\n" * (i + 1)
        )
    receipts = load(root / "receipts")
    lab = load(root / "Lab Data/run 7")
    films = load(root / "films")
    staff = load(root / "员工信息")
    wiki = texts(root / "wiki", "*.md")
    code = texts(root / "scripts", "*.py")
    letters = texts(root / "letters", "*.txt")

    return [
        Case(
            "receipts: For each CSV, how many rows? Biggest price_usd? Smallest price_usd?",
            each(receipts, len, top("price_usd"), low("price_usd")),
        ),
        Case(
            "Total units sold per csv file in the receipts directory.",
            each(receipts, total("units")),
        ),
        Case(
            "please calculate the total of units and the mean price_usd for all CSV files located in ./receipts/",
            each(receipts, total("units"), mean("price_usd")),
        ),
        Case(
            "How many receipts were paid by card in each csv of receipts?",
            each(receipts, having(lambda row: row["payment method"] == "card")),
        ),
        Case(
            "number of rows with payment method = cash and price_usd > 10 for each csv in receipts",
            each(
                receipts,
                having(
                    lambda row: row["payment method"] == "cash" and float(row["price_usd"]) > 10
                ),
            ),
        ),
        Case(
            "For all files in receipts: what is the average price_usd of milk?",
            each(receipts, mean("price_usd", lambda row: row["item"] == "milk")),
        ),
        Case(
            "I need the number of member purchases (member is Y) per file of receipts",
            each(receipts, having(lambda row: row["member"] == "Y")),
        ),
        Case(
            "What different payment methods are there in each CSV in receipts? How many rows?",
            each(receipts, lambda v: sorted({row["payment method"] for row in v}), len),
        ),
        Case(
            'Max and min Temperature_C plus mean pH, every CSV in "Lab Data/run 7"',
            each(lab, top("Temperature_C"), low("Temperature_C"), mean("pH")),
        ),
        Case(
            "For each csv in Lab Data/run 7 give me the number of samples and the highest temperature",
            each(lab, len, top("Temperature_C")),
        ),
        Case(
            "how many samples have a pH between 5 and 8 in every file of Lab Data/run 7?",
            each(lab, having(lambda row: 5 <= float(row["pH"]) <= 8)),
        ),
        Case(
            "How many samples are valid (valid = true) in each csv file in Lab Data/run 7?",
            each(lab, having(lambda row: row["valid"] == "true")),
        ),
        Case(
            "films folder: number of films, best rating, average length for each csv",
            each(films, len, top("rating"), mean("length")),
        ),
        Case(
            "For each CSV in films, what is the title of the film with the highest rating?",
            each(films, lambda v: max(v, key=lambda row: float(row["rating"]))["title"]),
        ),
        Case(
            "films/*.csv: earliest year, latest year, rows",
            each(films, low("year"), top("year"), len),
        ),
        Case(
            "Which CSV in films has the most rows?", {"": [max(films, key=lambda k: len(films[k]))]}
        ),
        Case(
            "员工信息文件夹下每个CSV：人数、平均年龄、最高月薪",
            each(staff, len, mean("年龄"), top("月薪")),
        ),
        Case(
            "请分别统计员工信息目录里各文件中年龄不小于30的员工人数",
            each(staff, having(lambda row: int(row["年龄"]) >= 30)),
        ),
        Case(
            "员工信息里每个文件性别为女的有多少人？月薪总额是多少？",
            each(staff, having(lambda row: row["性别"] == "女"), total("月薪")),
        ),
        Case(
            "对“员工信息”目录下的每一个csv文件，统计月薪在10000到20000之间的行数，结果做成表格",
            each(staff, having(lambda row: 10000 <= int(row["月薪"]) <= 20000)),
        ),
        Case(
            "每个部门文件里最早的入职日期是哪天？一共有多少行？（员工信息文件夹）",
            each(staff, lambda v: min(row["入职日期"] for row in v), len),
        ),
        Case(
            "统计本目录下所有CSV文件的行数、月薪均值、月薪最小值，汇总成表。",
            each(staff, len, mean("月薪"), low("月薪")),
            "员工信息",
        ),
        Case(
            "How often does the word please occur in each txt file in letters, and how many lines has it?",
            each(letters, found("(?i)\\bplease\\b"), lines),
        ),
        Case(
            "what are the first heading and the number of headings of every page in wiki/*.md",
            each(wiki, first("# (.*)"), found("^#+ ")),
        ),
        Case(
            "How many classes and methods are defined in each script in scripts/",
            each(code, found("^class "), found("^\\s*def ")),
        ),
        Case(
            "For each package of numpy, networkx, openai: the version",
            {"": [version(name) for name in ("numpy", "networkx", "openai")]},
        ),
        Case(
            "list files in wiki with their size in bytes and number of words",
            each(wiki, lambda t: len(t.encode()), words),
        ),
        Case(
            "For each CSV file in my folder, number of rows; sum of units; highest price_usd",
            each(receipts, len, total("units"), top("price_usd")),
            "receipts",
        ),
    ]
