"""Goals about a hospital, machines, loans, shops, designs, tools."""
# ruff: noqa: E501 - a goal reads best on one line

from __future__ import annotations

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
    draw = random.Random(77)

    for s in ("ward1", "ward2", "ward3"):
        write(
            root / "hospital" / f"{s}.csv",
            ["patient_id", "age", "sex", "admitted", "stay_days", "cost"],
            [
                [
                    f"P{i}",
                    draw.randint(1, 95),
                    draw.choice("MF"),
                    f"2024-0{draw.randint(1, 9)}-{draw.randint(10, 28)}",
                    draw.randint(1, 30),
                    round(draw.uniform(100, 9000), 2),
                ]
                for i in range(draw.randint(5, 20))
            ],
        )
    for s in ("lineA", "lineB"):
        write(
            root / "Production Q3" / f"{s}.csv",
            ["batch", "machine", "output", "defects", "shift"],
            [
                [
                    i,
                    draw.choice(["M1", "M2", "M3"]),
                    draw.randint(100, 999),
                    draw.randint(0, 9),
                    draw.choice(["day", "night"]),
                ]
                for i in range(draw.randint(6, 20))
            ],
        )
    for s in ("lib_a", "lib_b", "lib_c"):
        write(
            root / "library" / "loans" / f"{s}.csv",
            ["Book Title", "Borrower", "Days Late", "Fine (EUR)", "Returned"],
            [
                [
                    f"Book {draw.randint(1, 9)}",
                    draw.choice(["Ann", "Ben", "Cat"]),
                    draw.randint(0, 40),
                    round(draw.uniform(0, 20), 2),
                    draw.choice(["yes", "no"]),
                ]
                for i in range(draw.randint(6, 20))
            ],
        )
    for s in ("一店", "二店"):
        write(
            root / "门店数据" / f"{s}.csv",
            ["日期", "商品", "销量", "单价", "会员"],
            [
                [
                    f"2024-0{draw.randint(1, 9)}-{draw.randint(10, 28)}",
                    draw.choice(["牛奶", "面包", "鸡蛋"]),
                    draw.randint(1, 50),
                    round(draw.uniform(2, 60), 1),
                    draw.choice(["是", "否"]),
                ]
                for i in range(draw.randint(6, 16))
            ],
        )
    for i, s in enumerate(["spec", "plan"]):
        (root / "Design Docs").mkdir(exist_ok=True, parents=True)
        (root / "Design Docs" / f"{s}.md").write_text(
            f"---\ntitle: The {s}\nstatus: {['draft', 'final'][i]}\nowner: {['Kay', 'Lou'][i]}\n---\n# {s.title()}\n\nThe system shall work. [x](http://q.r)\n\n"
            + "## More\n\nsystem system\n" * (i + 1)
        )
    for i in range(3):
        (root / "tools").mkdir(exist_ok=True)
        (root / "tools" / f"t{i}.py").write_text(
            "import sys\nimport json\nfrom os import path\n\n"
            f"def run{i}(a, b=1):\n    return a\n\n\n"
            + "def extra():\n    # FIXME\n    return 1\n"
            * i
        )
    wards = load(root / "hospital")
    output = load(root / "Production Q3")
    loans = load(root / "library/loans")
    shops = load(root / "门店数据")
    docs = texts(root / "Design Docs", "*.md")
    code = texts(root / "tools", "*.py")

    return [
        Case(
            "For every ward in hospital/ (one csv each) I need the number of patients, their average age and the longest stay_days.",
            each(wards, len, mean("age"), top("stay_days")),
        ),
        Case(
            "hospital/*.csv: how many patients are female (sex = F)?",
            each(wards, having(lambda row: row["sex"] == "F")),
        ),
        Case(
            "How many patients older than 65 are in each csv of hospital?",
            each(wards, having(lambda row: int(row["age"]) > 65)),
        ),
        Case(
            "total cost and highest cost for each CSV under the hospital folder",
            each(wards, total("cost"), top("cost")),
        ),
        Case(
            "When was the first and the most recent admitted date in each hospital csv?",
            each(
                wards,
                lambda v: min(row["admitted"] for row in v),
                lambda v: max(row["admitted"] for row in v),
            ),
        ),
        Case(
            "Read the CSVs in Production Q3. For each: number of batches; total output; total defects; max defects.",
            each(output, len, total("output"), total("defects"), top("defects")),
        ),
        Case(
            "How many batches with zero defects (defects = 0) per csv in Production Q3",
            each(output, having(lambda row: row["defects"] == "0")),
        ),
        Case(
            "number of different machines in each file of Production Q3",
            each(output, different("machine")),
        ),
        Case(
            "In Production Q3, which CSV has the highest total output?",
            {"": [max(output, key=lambda k: total("output")(output[k]))]},
        ),
        Case(
            "library/loans: number of loans, max Days Late, sum of Fine (EUR) for every csv",
            each(loans, len, top("Days Late"), total("Fine (EUR)")),
        ),
        Case(
            "For every csv in library/loans count how many loans were not returned (Returned = no)",
            each(loans, having(lambda row: row["Returned"] == "no")),
        ),
        Case(
            "How many loans have Days Late greater than 14 in each spreadsheet of library/loans/?",
            each(loans, having(lambda row: int(row["Days Late"]) > 14)),
        ),
        Case(
            "average Fine (EUR) of borrower Ann in each CSV of library/loans",
            each(loans, mean("Fine (EUR)", lambda row: row["Borrower"] == "Ann")),
        ),
        Case(
            "How many unique borrowers and unique book titles does each csv in library/loans have?",
            each(loans, different("Borrower"), different("Book Title")),
        ),
        Case(
            "门店数据文件夹中每个CSV：总销量、最高单价、记录数",
            each(shops, total("销量"), top("单价"), len),
        ),
        Case(
            "请统计门店数据目录下各CSV文件里会员为是的行数以及销量大于等于20的行数",
            each(
                shops,
                having(lambda row: row["会员"] == "是"),
                having(lambda row: int(row["销量"]) >= 20),
            ),
        ),
        Case(
            "对“门店数据”中的每个csv，最早日期和最晚日期分别是什么？",
            each(
                shops,
                lambda v: min(row["日期"] for row in v),
                lambda v: max(row["日期"] for row in v),
            ),
        ),
        Case(
            "每个csv有多少条数据？有多少种商品？", each(shops, len, different("商品")), "门店数据"
        ),
        Case(
            "把当前文件夹中每个CSV文件的销量求和、单价求平均，整理成表格",
            each(shops, total("销量"), mean("单价")),
            "门店数据",
        ),
        Case(
            "For each doc in 'Design Docs': title, status and owner",
            each(docs, first("title: (.*)"), first("status: (.*)"), first("owner: (.*)")),
        ),
        Case(
            'How many times is the word "system" used in each markdown file of Design Docs? Also the number of words.',
            each(docs, found("(?i)\\bsystem\\b"), words),
        ),
        Case(
            "List number of imports and number of functions for each python file in tools/",
            each(code, found("^(?:import|from) "), found("^def ")),
        ),
        Case("function names in every .py of tools", each(code, every("def (\\w+)"))),
        Case(
            "which of the files in tools contains the most lines?",
            {"": [max(code, key=lambda k: len(code[k].splitlines()))]},
        ),
        Case(
            "For the CSVs in this folder give me the row count, the total output and the mean of defects. Thanks in advance!",
            each(output, len, total("output"), mean("defects")),
            "Production Q3",
        ),
        Case(
            "Give rows + min age + max age for hospital/ward1.csv and hospital/ward3.csv",
            each({k: wards[k] for k in ("ward1.csv", "ward3.csv")}, len, low("age"), top("age")),
        ),
        Case(
            "What are the columns of each csv in hospital and how many rows are there?",
            each(wards, lambda v: list(v[0]), len),
        ),
    ]
