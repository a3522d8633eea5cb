"""Dirty files, half-understood goals, other people's tables: no confident wrong number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_harness import QUIET, SPAWN, World, assemble, head_of, table_of

from kimi_nb.models.simulator.respond import respond
from kimi_nb.models.simulator.tables import read_tables, write_table
from kimi_nb.tools import Toolset, standard_tools

FILES: dict[str, bytes] = {
    "money.csv": 'product,price,city,day\nApple,"1,200.50",Paris,2024-01-02\n'
    "Pear,3,Rome,2024-06-01\n"
    "Apple,€5,Paris,2024-02-03\n".encode(),
    "semicolon.csv": b"product;price;city\nBirne;3,50;Rome\nApfel;1.200,75;Paris\n",
    "bom.csv": "price,city\n7,Rome\n".encode("utf-8-sig"),
    "utf16.csv": "price,city\n4,Rome\n".encode("utf-16"),
    "latin.csv": "price,city\n4,Münster\n".encode("latin-1"),
    "empty.csv": b"",
    "only header.csv": b"price,city\n",
    "quoted.csv": b'name,price\n"two\nlines",7\n"a ""b"" | c",8\n',
    "UPPER.CSV": b"Price\n11\n",
    "no header.csv": b"1,2\n3,4\n",
    "two.csv": b"unit price,total price\n1,2\n",
    "words.csv": b"price\nhigh\nlow\n",
    "mixed.csv": b"price\n5\nn/a\n\n7\n",
    "minus.csv": "price\n-5\n−3.5\n".encode(),
    "binary.csv": bytes(range(256)),
    "年.csv": "价格,城市\n3,巴黎\n8,罗马\n".encode(),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("work")
    (root / "data" / "sub").mkdir(parents=True)
    (root / "数据").mkdir()

    for name, data in FILES.items():
        (root / "data" / name).write_bytes(data)

    (root / "data" / "t.tsv").write_text("price\tcity\n9\tRome\n")
    (root / "data" / "sub" / "deep.csv").write_text("price\n99\n")
    (root / "数据" / "甲.csv").write_text("价格,城市\n3,巴黎\n8,罗马\n1,巴黎\n")
    big = "".join(f"{n},{n * 7 % 9973 / 2},{'ab'[n % 2]}\n" for n in range(10_000))
    (root / "big.csv").write_text("id,price,kind\n" + big)
    return root


@pytest.fixture
async def tools() -> AsyncIterator[Toolset]:
    kit = standard_tools()
    yield kit
    await kit.close()


async def test_dirty_files_give_right_cells_or_say_why(folder, tools):
    goal = "For each CSV file in data/: the number of rows and the highest price"
    answer = await World(folder, tools, most=4).swarm(goal)
    table = table_of(answer)
    assert set(table) == {f"data/{name}" for name in FILES}
    cells = {item.removeprefix("data/"): row for item, row in table.items()}
    right = {
        "money.csv": ("3", "1200.5"),
        "semicolon.csv": ("2", "1200.75"),
        "bom.csv": ("1", "7"),
        "utf16.csv": ("1", "4"),
        "latin.csv": ("1", "4"),
        "quoted.csv": ("2", "8"),
        "UPPER.CSV": ("1", "11"),
        "mixed.csv": ("3", "7"),
        "minus.csv": ("2", "-3.5"),
        "only header.csv": ("0", "no values"),
        "empty.csv": ("0", "no column 'price'; has: nothing"),
        "no header.csv": ("2", "no column 'price'; has: column 1, column 2"),
        "two.csv": ("1", "which 'price'? has: unit price, total price"),
        "words.csv": ("2", "column 'price' has no numbers ('high')"),
        "年.csv": ("2", "no column 'price'; has: 价格, 城市"),
        "binary.csv": ("—", "—"),
    }
    found = {name: (row["rows"], row["highest price"]) for name, row in cells.items()}
    assert found == right
    assert "n/a" in cells["mixed.csv"]["note"]
    assert "decimal commas" in cells["semicolon.csv"]["note"]
    assert "not UTF-8" in cells["latin.csv"]["note"]
    assert "binary" in cells["binary.csv"]["note"]
    assert "€5" in cells["money.csv"]["note"]
    assert "Subfolders were not searched" in head_of(answer)


@pytest.mark.parametrize(
    ("goal", "cell"),
    [
        ("how many rows before 2024-05-01 in data/money.csv", "2"),
        ("average price of apples in data/money.csv", "602.75"),
        ("most expensive product in data/money.csv", "Apple (1200.5)"),
        ("which product has the lowest price in data/money.csv?", "Pear (3)"),
        ("number of rows for Paris in data/money.csv", "2"),
        (
            "number of rows for Oslo in data/money.csv",
            "no cell is 'Oslo'; has: product, price, city, day",
        ),
        ("how many rows in data/money.csv where price is greater than 4 and less than 2,000?", "2"),
        ("rows in data/money.csv with price between 3 and 5", "2"),
        ("how many rows in data/minus.csv where the price is negative", "2"),
        ("latest day in data/money.csv", "2024-06-01"),
        ("the second highest price in data/money.csv", "5"),
        ("top 2 prices in data/money.csv", "1200.5; 5"),
        ("most common city in data/money.csv", "Paris"),
        ("how many rows have no price in data/mixed.csv", "0"),
        ("What are the column names of data/money.csv?", "product, price, city, day"),
        ("highest price in big.csv where kind is a", "4986"),
        (
            "total price in big.csv",
            str(sum(n * 7 % 9973 for n in range(10_000)) / 2).removesuffix(".0"),
        ),
        ("数据文件夹里的每个CSV，城市是巴黎的有几行？", "2"),
        ("数据/ 里每个 CSV 文件的价格最大值", "8"),
    ],
)
async def test_one_cell(folder, tools, goal, cell):
    answer = await World(folder, tools).swarm(goal)
    ((row),) = table_of(answer).values()
    assert next(iter(row.values())) == cell, answer


@pytest.mark.parametrize(
    ("goal", "left_out"),
    [
        ("Give the highest price per city for each CSV in data/", "per city"),
        ("rows and the variance of price for each CSV in data/", "variance"),
        ("rows of each CSV in data/, sorted by size", "sorted by"),
        ("rows, mean price and a chart for every csv in data/", "chart"),
        ("the number of dark purple rows in each csv in data/", "purple"),
        ("比较 data/ 里各个 CSV 的平均 price，按降序排序", "按降序排序"),
        ("rows and the city with the highest average price of each csv in data/", "average"),
        ("rows of each csv in data/, and how many missing values there are", "missing"),
        ("the sum of price times quantity for each csv in data/", "times quantity"),
    ],
)
async def test_what_was_not_understood_is_said(folder, tools, goal, left_out):
    head = head_of(await World(folder, tools).swarm(goal))
    assert left_out in head.partition("ot understood" if head.isascii() else "没有理解")[2]


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        (
            "Which CSV in data/ has the most rows?",
            "Highest 'rows' of all: data/mixed.csv, data/money.csv (3)",
        ),
        ("Which file in data/ has the lowest price?", "data/minus.csv (-5)"),
        ("total rows of all csv files in data/", "Total of 'rows': 23"),
    ],
)
async def test_questions_about_all_items_together(folder, tools, goal, said):
    assert said in head_of(await World(folder, tools).swarm(goal))


async def test_subfolders_on_request(folder, tools):
    goal = "the maximum price of each csv in data/ including subfolders"
    table = table_of(await World(folder, tools).swarm(goal))
    assert table["data/sub/deep.csv"]["highest price"] == "99"


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])), min_size=6, max_size=6
    )
)
def test_any_cell_survives_a_table(texts):
    rows = [texts[:3], texts[3:]]
    (table,) = read_tables("before\n\n" + write_table(["a", "b", "c"], rows) + "\n\nafter")
    assert [list(row) for row in table.rows] == [[" ".join(t.split()) for t in row] for row in rows]


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                "for",
                "each",
                "csv",
                "in",
                "data/",
                "the",
                "highest",
                "price",
                "where",
                "city",
                "is",
                "Paris",
                "and",
                "rows",
                "of",
                "'x'",
                ",",
                ":",
                "-",
                "between",
                "3",
                "or",
                "not",
                "which",
                "most",
                "每个",
                "的",
                "最大值",
                "行数",
                "大于",
                "和",
                "。",
                "packages",
                "installed",
                "how",
                "many",
                "mean",
                "top",
                "3",
            ]
        )
    ).map(" ".join)
)
def test_no_goal_breaks_it(goal):
    system = "You may launch at most 3 sub-agents in this run."
    messages = [{"role": "system", "content": system}, {"role": "user", "content": goal}]
    request = {"messages": messages, "tools": [*SPAWN, *standard_tools().specs]}
    turn = assemble(respond(request, QUIET))
    assert turn.text or turn.calls
    assert turn.finish == ("tool_calls" if turn.calls else "stop")


def test_foreign_messages_do_not_break_it():
    goal = "Count the rows of each CSV file in data/"
    call = {"id": "x", "type": "function", "function": {"name": "list_files", "arguments": "{oops"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": goal}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {
            "role": "tool",
            "tool_call_id": "x",
            "content": [{"type": "text", "text": "data/a.csv\t1"}],
        },
        {"role": "tool", "tool_call_id": "unknown", "content": "?"},
    ]
    turn = assemble(respond({"messages": messages, "tools": standard_tools().specs}, QUIET))
    assert [call["function"]["name"] for call in turn.calls] == ["python"]
