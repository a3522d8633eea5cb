"""Goals about hotels, energy, tickets, stock, documents, an app."""
# ruff: noqa: E501 - a goal reads best on one line

from __future__ import annotations

import random
from importlib.metadata import version
from pathlib import Path

from simulator_truth import (
    Case,
    different,
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
    draw = random.Random(8)

    for s in ("paris", "vienna", "lisbon", "oslo"):
        write(
            root / "hotel exports" / f"{s}.csv",
            ["hotelName", "stars", "pricePerNight", "reviews", "breakfast"],
            [
                [
                    f"Hotel {i}",
                    draw.randint(1, 5),
                    round(draw.uniform(40, 400), 2),
                    draw.randint(0, 900),
                    draw.choice(["included", "extra"]),
                ]
                for i in range(draw.randint(5, 18))
            ],
        )
    for s in ("jan", "feb", "mar"):
        write(
            root / "energy" / "2023" / f"{s}.csv",
            ["timestamp", "kwh", "building", "cost_eur"],
            [
                [
                    f"2023-01-{draw.randint(10, 28)} 0{draw.randint(0, 9)}:00",
                    round(draw.uniform(0, 90), 2),
                    draw.choice(["A", "B", "C"]),
                    round(draw.uniform(0, 30), 2),
                ]
                for i in range(draw.randint(6, 25))
            ],
        )
    for s in ("a", "b", "c"):
        write(
            root / "Tickets" / f"{s}.csv",
            ["ticket", "priority", "assignee", "hours", "state"],
            [
                [
                    i,
                    draw.choice(["low", "high", "urgent"]),
                    draw.choice(["Kim", "Lee", "Max"]),
                    draw.randint(1, 40),
                    draw.choice(["open", "closed"]),
                ]
                for i in range(draw.randint(6, 25))
            ],
        )
    for s in ("华东", "华南", "华北"):
        write(
            root / "库存" / f"{s}.csv",
            ["商品名称", "单价", "库存量", "供应商", "入库日期"],
            [
                [
                    f"货{i}",
                    round(draw.uniform(5, 99), 2),
                    draw.randint(0, 300),
                    draw.choice(["甲公司", "乙公司"]),
                    f"2024-0{draw.randint(1, 9)}-{draw.randint(10, 28)}",
                ]
                for i in range(draw.randint(5, 14))
            ],
        )
    for i, s in enumerate(["monday", "tuesday"]):
        (root / "diary").mkdir(exist_ok=True, parents=True)
        (root / "diary" / f"{s}.txt").write_text(
            f"Mood: {['good', 'bad'][i]}\nWeather: {['rain', 'sun'][i]}\n\nToday I saw a cat. The cat ran.\n"
            * 1
            + "More text here.\n" * i
        )
    for i, s in enumerate(["api", "guide", "faq"]):
        (root / "docs").mkdir(exist_ok=True)
        (root / "docs" / f"{s}.md").write_text(
            f"---\ntitle: The {s}\nauthor: W{i}\nversion: 1.{i}\n---\n# {s.upper()}\n\n"
            + "## Part\n\ntext [l](http://a.b) note\n\n" * (i + 1)
            + "```python\nx\n```\n"
        )
    for i in range(3):
        (root / "app").mkdir(exist_ok=True)
        (root / "app" / f"m{i}.py").write_text(
            '"""Doc."""\nimport os\nimport sys\n\n\n'
            + "".join(f"async def w{k}():\n    print('x')\n\n\n" for k in range(i))
            + f"def main{i}():\n    print('hello')\n"
        )
    hotels = load(root / "hotel exports")
    energy = load(root / "energy/2023")
    tickets = load(root / "Tickets")
    stock = load(root / "库存")
    docs = texts(root / "docs", "*.md")
    code = texts(root / "app", "*.py")
    diary = texts(root / "diary", "*.txt")

    return [
        Case(
            "hotel exports folder: per csv, how many hotels and what's the average pricePerNight?",
            each(hotels, len, mean("pricePerNight")),
        ),
        Case(
            'I\'d like to see, for each spreadsheet in "hotel exports", the dearest pricePerNight, the lowest number of stars and the total number of reviews.',
            each(hotels, top("pricePerNight"), low("stars"), total("reviews")),
        ),
        Case(
            "How many hotels have 4 stars or more in each CSV of hotel exports?",
            each(hotels, having(lambda row: int(row["stars"]) >= 4)),
        ),
        Case(
            "For every CSV under hotel exports: rows where pricePerNight is below 100 and breakfast is included",
            each(
                hotels,
                having(
                    lambda row: float(row["pricePerNight"]) < 100 and row["breakfast"] == "included"
                ),
            ),
        ),
        Case(
            "In each file of hotel exports, which hotelName has the most reviews?",
            each(hotels, lambda v: max(v, key=lambda row: int(row["reviews"]))["hotelName"]),
        ),
        Case(
            "Find the highest kwh and the mean kwh in every csv file inside energy/2023.",
            each(energy, top("kwh"), mean("kwh")),
        ),
        Case(
            "energy/2023/*.csv — entries, total cost_eur, building count (distinct)",
            each(energy, len, total("cost_eur"), different("building")),
        ),
        Case(
            "Could you sum the kwh of building A for each file in energy/2023?",
            each(energy, total("kwh", lambda row: row["building"] == "A")),
        ),
        Case(
            "How many measurements above 50 kwh does each CSV file in energy/2023 contain?",
            each(energy, having(lambda row: float(row["kwh"]) > 50)),
        ),
        Case(
            "Count the open tickets in each csv of the Tickets folder (state = open) and give the total number of tickets too.",
            each(tickets, having(lambda row: row["state"] == "open"), len),
        ),
        Case(
            "tickets folder: for each csv the number of urgent tickets",
            each(tickets, having(lambda row: row["priority"] == "urgent")),
        ),
        Case(
            "For each CSV file in Tickets give average hours, max hours, min hours and number of records, one table please",
            each(tickets, mean("hours"), top("hours"), low("hours"), len),
        ),
        Case(
            "Total hours for assignee Kim per file in Tickets",
            each(tickets, total("hours", lambda row: row["assignee"] == "Kim")),
        ),
        Case(
            "how many distinct assignees appear in each Tickets csv",
            each(tickets, different("assignee")),
        ),
        Case(
            "How many tickets are not closed in each CSV file in Tickets?",
            each(tickets, having(lambda row: row["state"] != "closed")),
        ),
        Case(
            "请统计库存文件夹下每个CSV文件的记录数、最高单价和库存量总和。",
            each(stock, len, top("单价"), total("库存量")),
        ),
        Case(
            "库存目录里的各个表格，库存量为0到50之间的商品有多少条？",
            each(stock, having(lambda row: 0 <= int(row["库存量"]) <= 50)),
        ),
        Case(
            "分别求出库存/下每个csv的平均单价、最便宜的单价", each(stock, mean("单价"), low("单价"))
        ),
        Case(
            "库存文件夹：每个文件中供应商是甲公司的商品数量",
            each(stock, having(lambda row: row["供应商"] == "甲公司")),
        ),
        Case(
            "针对当前文件夹的所有 CSV，告诉我最晚的入库日期以及单价超过50的行数",
            each(
                stock,
                lambda v: max(row["入库日期"] for row in v),
                having(lambda row: float(row["单价"]) > 50),
            ),
            "库存",
        ),
        Case(
            "每个CSV文件有几行？最高单价是多少？请合并为一个表格。",
            each(stock, len, top("单价")),
            "库存",
        ),
        Case(
            "What's the mood and the weather in each text file in diary/?",
            each(diary, first("Mood: (.*)"), first("Weather: (.*)")),
        ),
        Case("word count, line count of the diary txt files", each(diary, words, lines)),
        Case(
            "How many times does 'cat' appear in every file in diary?",
            each(diary, found("(?i)\\bcat\\b")),
        ),
        Case(
            "For each Markdown document in the docs directory list title, author and version",
            each(docs, first("title: (.*)"), first("author: (.*)"), first("version: (.*)")),
        ),
        Case(
            "docs: number of links and headings per markdown file",
            each(docs, lambda t: t.count("]("), found("^#+ ")),
        ),
        Case(
            "How many functions are there in each Python file of app/, and how many lines?",
            each(code, found("^(?:async )?def "), lines),
        ),
        Case(
            "count occurrences of print in all the python files in app",
            each(code, found("\\bprint\\b")),
        ),
        Case(
            "Which licence do the packages rich and networkx have, and what are their versions?",
            {"": [version("networkx")]},
        ),
        Case(
            "我安装的 numpy 和 networkx 是什么版本？", {"": [version("numpy"), version("networkx")]}
        ),
    ]
