"""Everyday wordings, English and Chinese, about six generated worlds: every cell against truth."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import simulator_countries
import simulator_hotels
import simulator_receipts
import simulator_rentals
import simulator_school
import simulator_wards
from simulator_harness import World, head_of, table_of
from simulator_truth import faults

from kimi_nb.tools import Toolset, standard_tools, tool

WORLDS = {
    "school": simulator_school.build,
    "rentals": simulator_rentals.build,
    "hotels": simulator_hotels.build,
    "receipts": simulator_receipts.build,
    "countries": simulator_countries.build,
    "wards": simulator_wards.build,
}


@tool
async def price(museum: str) -> str:
    """The adult ticket price of a museum, in euros."""
    return {"Prado": "15", "Louvre": "22"}[museum]


@pytest.fixture
async def tools() -> AsyncIterator[Toolset]:
    kit = standard_tools()
    yield kit
    await kit.close()


@pytest.mark.parametrize("name", WORLDS)
async def test_every_goal_gives_the_truth(tmp_path, tools, name):
    wrong: list[str] = []

    for number, case in enumerate(WORLDS[name](tmp_path)):
        world = World(tmp_path / case.folder, tools, most=3)
        ask = world.single if number % 4 == 3 else world.swarm
        answer = await ask(case.goal)
        wrong += [f"{case.goal}\n  {fault}\n{answer}" for fault in faults(answer, case.truth)]
        assert answer.splitlines()[-1].startswith(("_Made by the simulator", "_由模拟器")), answer

    assert not wrong, "\n\n".join(wrong)


def test_a_wrong_cell_is_seen():
    answer = "| file | rows | source |\n| --- | --- | --- |\n| a.csv | 3 | a.csv |"
    assert not faults(answer, {"a.csv": [3]})
    assert faults(answer, {"a.csv": [4]})
    assert faults(answer, {"a.csv": [3, 3]})
    assert faults(answer, {"a.csv": [3], "b.csv": [3]})
    assert faults(answer, {"a.csv": []})


@pytest.mark.parametrize(
    "goal",
    [
        (
            "For each CSV file in the folder, give the number of rows and the highest price.\n"
            "Join the results into one table."
        ),
        "number of rows and highest price of every csv in this directory",
        "How many rows has each CSV of my folder, and what is its highest price?",
        "Rows and max price per csv here, please",
        "In the working folder, for each CSV: rows, highest price",
        "该文件夹中每个CSV的行数和最高价格",
        "统计文件夹里每个 CSV 文件的行数、price 的最大值",
        "目录下每个csv有多少行？最高 price 是多少？",
        "For each CSV file ending in .csv, list:\n- number of rows\n- highest price",
    ],
)
@pytest.mark.parametrize("alone", [False, True])
async def test_the_folder_is_the_working_folder(tmp_path, tools, goal, alone):
    (tmp_path / "a.csv").write_text("id,price\n1,5\n2,9\n")
    (tmp_path / "b.csv").write_text("id,price\n1,7\n")
    world = World(tmp_path, tools)
    answer = await (world.single(goal) if alone else world.swarm(goal))
    assert not faults(answer, {"a.csv": [2, 9], "b.csv": [1, 7]}), answer


@pytest.mark.parametrize(
    "goal",
    [
        "For each of these museums, give the ticket price: Prado, Louvre",
        "What is the ticket price of Prado and Louvre?",
        "Give me the ticket price for these museums:\n- Prado\n- Louvre",
        "Prado, Louvre: what's the price of each?",
        "给出以下博物馆的票价：Prado、Louvre",
    ],
)
async def test_a_list_and_a_tool_of_ones_own(tmp_path, tools, goal):
    world = World(tmp_path, Toolset([*tools, price]))
    table = table_of(await world.swarm(goal))
    assert {item: next(iter(row.values())) for item, row in table.items()} == {
        "Prado": "15",
        "Louvre": "22",
    }


COLUMNS = {
    "points.csv": ("1.5", "2,000.25", "-3"),
    "commas.csv": ("1.234,50", "12,5"),
    "spaces.csv": ("1 234", "5 678,5"),
    "both.csv": ("1.234,50", "1,234.50"),
    "endless.csv": ("inf", "1e999", "2"),
    "long.csv": ("123456789012345678901", "5"),
    "powers.csv": ("1e3", "2.5E2"),
}
SUMS = {
    "points.csv": "1998.75",
    "commas.csv": "1247",
    "spaces.csv": "6912.5",
    "both.csv": "column 'price' has no numbers ('1.234,50')",
    "endless.csv": "2",
    "long.csv": "123456789012345678906",
    "powers.csv": "1250",
}


async def test_numbers_as_people_write_them(tmp_path, tools):
    for name, cells in COLUMNS.items():
        (tmp_path / name).write_text("id;price\n" + "".join(f"1;{cell}\n" for cell in cells))

    answer = await World(tmp_path, tools).swarm("sum of price of each csv in this folder")
    assert {item: row["sum of price"] for item, row in table_of(answer).items()} == SUMS


async def test_conditions_look_at_their_own_rows(tmp_path, tools):
    (tmp_path / "a.csv").write_text("price,kind\n90,x\n15,y\n60,y\n12,x\n70,x\n")
    goal = (
        "for each csv here: rows with price at least 50, rows with price between 10 and 20, "
        "rows where kind is x and price is over 50"
    )
    assert not faults(await World(tmp_path, tools).swarm(goal), {"a.csv": [3, 2, 2]})


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("What percentage of rows in each csv here has kind x?", "percentage"),
        ("the number of purple rows in each csv here", "no cell is 'purple'"),
        ("number of unicorns in each csv here", "no column 'unicorn"),
        ("Average price per kind for each csv here", "'per kind'"),
        ("Average price by kind for each csv here", "beyond the simulator"),
        ("rows of each csv here, and the colour", "Found nowhere"),
    ],
)
async def test_what_is_beyond_it_is_said(tmp_path, tools, goal, said):
    (tmp_path / "a.csv").write_text("price,kind\n90,x\n15,y\n")
    assert said in await World(tmp_path, tools).swarm(goal)


async def test_a_value_that_only_other_files_have_is_counted_as_none(tmp_path, tools):
    (tmp_path / "a.csv").write_text("price,state\n90,open\n15,open\n")
    (tmp_path / "b.csv").write_text("price,state\n90,closed\n")
    answer = await World(tmp_path, tools).swarm("number of open rows in each csv here")
    assert not faults(answer, {"a.csv": [2], "b.csv": [0]}) or "ot understood" in head_of(answer)
