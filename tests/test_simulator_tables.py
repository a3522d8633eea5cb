"""Everyday wordings about folders of CSV files: every cell against truth computed here."""

from __future__ import annotations

import csv
import random
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from simulator_harness import World, table_of

from kimi_nb.tools import Toolset, standard_tools

NAMES = ("north", "south", "two words", "东部", "a,b")
CITIES = ("Paris", "Rome", "New York")
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five CSV files beneath data/, one beneath data/old/, and what is no CSV."""
    root = tmp_path_factory.mktemp("work")
    (root / "data" / "old").mkdir(parents=True)
    (root / "data" / "readme.txt").write_text("price: 1\n")
    draw = random.Random(7)

    for number, name in enumerate([*NAMES, "old/first"]):
        with (root / "data" / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "City", "unit_price", "quantity", "day"])

            for row in range(20 + number * 7):
                day = f"2024-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}"
                price = f"{draw.randint(100, 9999) / 100:.2f}"
                writer.writerow([row, draw.choice(CITIES), price, draw.randint(1, 9), day])

    return root


@pytest.fixture
async def tools() -> AsyncIterator[Toolset]:
    kit = standard_tools()
    yield kit
    await kit.close()


def _rows(folder: Path, name: str) -> Rows:
    with (folder / "data" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _prices(rows: Rows) -> list[float]:
    return [float(row["unit_price"]) for row in rows]


def _in(rows: Rows, *cities: str) -> Rows:
    return [row for row in rows if row["City"] in cities]


def rows(rows: Rows) -> int:
    return len(rows)


def highest(rows: Rows) -> float:
    return max(_prices(rows))


def lowest(rows: Rows) -> float:
    return min(_prices(rows))


def mean(rows: Rows) -> float:
    return statistics.fmean(_prices(rows))


def total(rows: Rows) -> int:
    return sum(int(row["quantity"]) for row in rows)


def median(rows: Rows) -> float:
    return statistics.median(_prices(rows))


def in_paris(rows: Rows) -> int:
    return len(_in(rows, "Paris"))


def mean_in_rome(rows: Rows) -> float:
    return mean(_in(rows, "Rome"))


def total_in_rome(rows: Rows) -> int:
    return total(_in(rows, "Rome"))


def over_50(rows: Rows) -> int:
    return sum(price > 50 for price in _prices(rows))


def cities(rows: Rows) -> int:
    return len({row["City"] for row in rows})


WORDINGS = [
    ("Look at every CSV under data: (1) number of rows (2) highest unit price", (rows, highest)),
    (
        "I have a bunch of CSVs in data/. How many rows has each, and what's the avg unit price?",
        (rows, mean),
    ),
    ("for every csv in data/, how many lines without the header are there?", (rows,)),
    ("请列出data目录中所有CSV的行数、最高单价", (rows, highest)),
    ("sum of quantity for orders from Rome in each csv in data/", (total_in_rome,)),
    (
        (
            "For each CSV file in data/, give the number of rows and the highest unit price. "
            "Join the results into one table."
        ),
        (rows, highest),
    ),
    (
        "What's the largest unit_price in every csv under data/? also how many lines of data",
        (highest, rows),
    ),
    ("对 data/ 里的每个 CSV 文件，给出行数和 unit_price 的最大值，汇总成一张表。", (rows, highest)),
    ("请统计data文件夹下每个csv文件有多少行，以及单价的最小值和平均值", (rows, lowest, mean)),
    ("data 目录下的每个CSV，价格最高是多少？一共有多少条记录？", (highest, rows)),
    ("How many rows does each csv in data have, and what is the average unit price?", (rows, mean)),
    ("data/*.csv: rows, min(unit_price), max(unit_price)", (rows, lowest, highest)),
    (
        "Tell me the total quantity and mean unit price for all the CSVs in the data folder please",
        (total, mean),
    ),
    ("min, max and mean of unit_price for every CSV in ./data", (lowest, highest, mean)),
    ("Go through the csv files in the folder data and tell me the cheapest unit price", (lowest,)),
    (
        "I'd like the record count per file and the sum of quantities, for the CSV files in `data`",
        (rows, total),
    ),
    ("for all csv files in data: highest and lowest unit price", (highest, lowest)),
    (
        "Could you please check each of the CSVs in data/ and report the median unit price?",
        (median,),
    ),
    ("how many rows where city is Paris in each CSV file in data/", (in_paris,)),
    (
        "For every csv in data/, number of rows with City = Paris, and the number of rows",
        (in_paris, rows),
    ),
    (
        "average unit price of the rows whose city is Rome, for each csv file in data/",
        (mean_in_rome,),
    ),
    ("In each CSV in data/, how many orders have a unit price over 50?", (over_50,)),
    (
        "For each CSV file in data/ count the rows with unit_price > 50 and the total of quantity.",
        (over_50, total),
    ),
    ("data/ 里每个 CSV 文件中 unit_price 大于 50 的行数", (over_50,)),
    ("对于 data/ 下的所有 csv 文件，城市是 Rome 的平均单价是多少？", (mean_in_rome,)),
    ("How many different cities are there in each CSV file in data/?", (cities,)),
    ("number of unique cities and number of rows for every table in data/", (cities, rows)),
    (
        "For each spreadsheet in data/: row count; maximum unit price; average unit price",
        (rows, highest, mean),
    ),
    (
        "Make me a table with the row count and the peak unit price of every CSV file in data/",
        (rows, highest),
    ),
    (
        "For each CSV file in data/, what is the unit price's maximum and minimum?",
        (highest, lowest),
    ),
    (
        "Rows, total quantity, top unit price - for each csv file inside data/.",
        (rows, total, highest),
    ),
]


@pytest.mark.parametrize(("goal", "truths"), WORDINGS, ids=[w[0][:40] for w in WORDINGS])
async def test_every_cell_is_right(folder, tools, goal, truths):
    answer = await World(folder, tools, most=3).swarm(goal)
    table = table_of(answer)
    assert list(table) == sorted(f"data/{name}.csv" for name in NAMES)

    for name in NAMES:
        cells = list(table[f"data/{name}.csv"].values())
        expected = [truth(_rows(folder, name)) for truth in truths]
        assert [float(cell) for cell in cells[: len(truths)]] == pytest.approx(expected), answer
        assert table[f"data/{name}.csv"].get("source", table[f"data/{name}.csv"].get("来源"))

    assert "ot understood" not in answer, answer
    assert "没有理解" not in answer, answer


@pytest.mark.parametrize("most", [0, 1, 2, 5, 50])
async def test_any_number_of_agents_gives_the_same_table(folder, tools, most):
    world = World(folder, tools, most=most)
    table = table_of(await world.swarm(WORDINGS[5][0]))
    alone = table_of(await World(folder, tools).single(WORDINGS[5][0]))
    assert table == alone
    assert world.launched == min(most, len(NAMES))
