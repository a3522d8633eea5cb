"""Goals about text, Markdown, Python and notebook files, packages, lists and own tools."""

from __future__ import annotations

import ast
import importlib.metadata
import re
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from simulator_harness import QUIET, World, head_of, table_of

from kimi_nb.tools import Toolset, standard_tools, tool

MARKDOWN = {
    "alpha.md": "---\ntitle: The first\nauthor: Ann\n---\n# Head\n\n"
    "Swarm of bees, swarm!\n\n## Two\n",
    "beta.md": "# Only heading\n\n```\n# not a heading\n```\nNo swarms here. Author: Bob\n",
    "γ 文件.md": "# 中文\n\n- **Author:** 李雷\n\nswarm | pipe \\ back\n### Deep #\n",
}
SOURCE = '''"""Doc with def fake(): inside."""
import os
from re import sub


class A:
    """class Fake: no."""

    async def go(self):
        return "def no():"  # class X


def outer():
    def inner():
        return """
def not_one():
"""

    return inner
'''
CELLS = [
    {"cell_type": "markdown", "source": ["# Title\n", "text"]},
    {"cell_type": "code", "source": "def f():\n    return 1\n"},
    {"cell_type": "code", "source": ["x = 1\n", "# note\n"]},
]
MUSEUMS = {
    "louvre.md": "# Louvre\n\nOpening hours: 9:00–18:00\nTicket price: 22 €\n",
    "prado.txt": "name: Prado\nopening hours: 10-20\nticket price = 15 €\n",
    "uffizi.md": "# Uffizi\n\nThe ticket price is 25.50 € in summer. Closed on Mondays.\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("work")

    for name, files in {"notes": MARKDOWN, "museums": MUSEUMS}.items():
        (root / name).mkdir()

        for file, text in files.items():
            (root / name / file).write_text(text)

    (root / "src").mkdir()
    (root / "src" / "one.py").write_text(SOURCE)
    (root / "src" / "empty.py").write_text("")
    (root / "books").mkdir()
    (root / "books" / "n.ipynb").write_bytes(orjson.dumps({"cells": CELLS, "metadata": {}}))
    (root / "people").mkdir()
    (root / "people" / "list.txt").write_text("Alice Smith, phone 123\nBob Jones, phone 456\n")
    return root


@pytest.fixture
async def tools() -> AsyncIterator[Toolset]:
    kit = standard_tools()
    yield kit
    await kit.close()


def _columns(answer: str) -> dict[str, list[str]]:
    return {item: list(cells.values()) for item, cells in table_of(answer).items()}


async def _ask(folder, tools, goal) -> dict[str, list[str]]:
    answer = await World(folder, tools, most=2).swarm(goal)
    assert "ot understood" not in answer, answer
    assert "没有理解" not in answer, answer
    return _columns(answer)


@pytest.mark.parametrize(
    "goal",
    [
        "How often does 'swarm' occur in each .md file in notes/?",
        "how many times is `swarm` mentioned in every Markdown file in the notes folder",
        'Count the occurrences of "swarm" in each markdown file of notes/',
        "统计 notes/ 里每个 Markdown 文件中“swarm”出现的次数",
        "number of mentions of swarm in all md files in notes",
    ],
)
async def test_matches_of_a_word(folder, tools, goal):
    found = await _ask(folder, tools, goal)
    truth = {f"notes/{n}": len(re.findall(r"(?i)\bswarm\b", t)) for n, t in MARKDOWN.items()}
    assert {item: int(cells[0]) for item, cells in found.items()} == truth


@pytest.mark.parametrize(
    "goal",
    [
        "Count the words and lines of every Markdown file in notes",
        "For each .md in notes/: number of words, number of lines",
        "what's the word count and the line count of each markdown file in notes?",
        "notes 文件夹里每个 Markdown 文件的字数和文本行数",
    ],
)
async def test_words_and_lines(folder, tools, goal):
    found = await _ask(folder, tools, goal)

    for name, text in MARKDOWN.items():
        words = re.sub(r"[\u4e00-\u9fff]", " x ", text).split()
        assert found[f"notes/{name}"][:2] == [str(len(words)), str(len(text.splitlines()))]


@pytest.mark.parametrize(
    "goal",
    [
        "List the headings of each Markdown file in notes/",
        "For each markdown file in notes, show all headings",
        "列出 notes/ 中每个 Markdown 文件的所有标题",
    ],
)
async def test_lists_of_headings(folder, tools, goal):
    found = await _ask(folder, tools, goal)
    assert [cells[0] for cells in found.values()] == ["Head; Two", "Only heading", "中文; Deep"]


async def test_numbers_of_headings_and_the_first(folder, tools):
    goal = "How many headings does each note in notes/ have, and what is the first heading?"
    found = await _ask(folder, tools, goal)
    assert [c[:2] for c in found.values()] == [["2", "Head"], ["1", "Only heading"], ["2", "中文"]]


@pytest.mark.parametrize(
    "goal",
    [
        "Give the title and author of every note in notes/",
        "For each markdown file in notes: what is its title and who is the author?",
        "给出 notes/ 里每个 Markdown 文件的标题和作者",
    ],
)
async def test_fields(folder, tools, goal):
    found = await _ask(folder, tools, goal)
    assert found["notes/alpha.md"][:2] == ["The first", "Ann"]
    assert found["notes/beta.md"][0] == "Only heading"
    assert found["notes/γ 文件.md"][:2] == ["中文", "李雷"]


async def test_the_first_example_of_the_design(folder, tools):
    goal = "Compare the opening hours and ticket prices of the museums in museums/."
    found = await _ask(folder, tools, goal)
    assert found["museums/louvre.md"][:2] == ["9:00–18:00", "22 €"]
    assert found["museums/prado.txt"][:2] == ["10-20", "15 €"]
    assert found["museums/uffizi.md"][0] == "no 'opening hours' found"
    assert found["museums/uffizi.md"][1].startswith("25.50 €")


@pytest.mark.parametrize(
    "goal",
    [
        "number of functions and classes in each Python file under src/",
        "For every python script in src: how many functions and classes?",
        "How many functions and how many classes does each .py file in src have?",
    ],
)
async def test_functions_and_classes(folder, tools, goal):
    found = await _ask(folder, tools, goal)
    nodes = list(ast.walk(ast.parse(SOURCE)))
    functions = sum(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) for n in nodes)
    classes = sum(isinstance(n, ast.ClassDef) for n in nodes)
    assert found["src/one.py"][:2] == [str(functions), str(classes)]
    assert found["src/empty.py"][:2] == ["0", "0"]


async def test_notebooks(folder, tools):
    goal = "For each notebook in books/, how many cells, code cells, headings and functions?"
    found = await _ask(folder, tools, goal)
    assert found["books/n.ipynb"][:4] == ["3", "2", "1", "1"]


async def test_facts_found_by_search(folder, tools):
    found = await _ask(folder, tools, "For each of Alice, Bob and Carol find the phone in people/")
    assert "123" in found["Alice"][0]
    assert found["Alice"][1] == "people/list.txt:1"
    assert "456" in found["Bob"][0]
    assert found["Carol"][0] == "no 'phone' found"


@pytest.mark.parametrize(
    "goal",
    [
        "For these packages give version and licence: orjson, pytest and aiohttp",
        "Compare the versions and licences of the packages orjson, pytest and aiohttp.",
        "version and licence of each of these packages:\n- orjson\n- pytest\n- aiohttp",
        "给出以下包的版本和许可证：orjson、pytest、aiohttp",
    ],
)
async def test_named_packages(folder, tools, goal):
    found = await _ask(folder, tools, goal)
    assert list(found) == ["orjson", "pytest", "aiohttp"]

    for name, cells in found.items():
        assert cells[0] == importlib.metadata.version(name)
        assert "no " not in cells[1]


@tool
async def price(museum: str) -> str:
    """The adult ticket price of a museum, in euros."""
    return {"Paris": "17", "Rome": "20 | 25"}.get(museum, "unknown")


@tool
async def inhabitants(city: str) -> str:
    """How many people live in a city."""
    return f"{len(city)} million"


@pytest.mark.parametrize(
    "goal",
    [
        "For each city in this list: Paris, Rome give the ticket price",
        "What is the ticket price in Paris and Rome?",
        "Compare Paris and Rome by ticket price.",
        "Give the ticket price for:\n- Paris\n- Rome",
    ],
)
async def test_own_tools_are_chosen_by_their_descriptions(folder, tools, goal):
    world = World(folder, Toolset([*tools, inhabitants, price]), most=2)
    found = _columns(await world.swarm(goal))
    assert {item: cells[0] for item, cells in found.items()} == {"Paris": "17", "Rome": "20 | 25"}
    assert {name for name, _ in world.tool_calls} == {"price"}


async def test_two_own_tools_give_two_columns(folder, tools):
    world = World(folder, Toolset([*tools, inhabitants, price]), most=2)
    goal = "For each of Paris, Rome and Oslo give the ticket price and how many people live there"
    found = _columns(await world.swarm(goal))
    assert found["Rome"][:2] == ["20 | 25", "4 million"]
    assert found["Oslo"][:2] == ["unknown", "4 million"]


@pytest.mark.parametrize(
    "goal", ["", "   ", "write me a poem", "what is the capital of France?", "写一首诗"]
)
async def test_what_is_beyond_it_gets_a_plain_statement(folder, tools, goal):
    for mode in ("swarm", "single"):
        answer = await getattr(World(folder, tools), mode)(goal)
        assert "MOONSHOT_API_KEY" in answer
        assert "--model" in answer
        assert answer.count("\n- ") == 3
        assert "|" not in answer


@pytest.mark.parametrize(
    ("goal", "said"),
    [("Write me a poem.", "beyond me: 'Write me a poem'."), ("写一首诗。", "：“写一首诗”。")],
)
async def test_a_goal_is_quoted_with_one_full_stop(folder, tools, goal, said):
    assert said in await World(folder, tools).swarm(goal)


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("Count the rows of each CSV in nowhere/", "nowhere"),
        ("Count the rows of each CSV in notes/", "alpha.md"),
        ("统计 nowhere/ 里每个 CSV 的行数", "nowhere"),
    ],
)
async def test_no_files_is_said_clearly(folder, tools, goal, said):
    answer = await World(folder, tools).swarm(goal)
    assert said in answer
    assert "| " not in answer


async def test_sixty_files_alone_cost_what_a_swarm_keeps(tmp_path, tools):
    for number in range(60):
        filler = "".join(f"line {n} of some text\n" for n in range(40))
        (tmp_path / f"n{number:02}.md").write_text(
            f"title: T{number}\n{filler}code: {number * 7}\n"
        )

    goal = "For each Markdown file here, give the title and the code."
    truth = {f"n{n:02}.md": [f"T{n}", str(n * 7)] for n in range(60)}
    swarm = await World(tmp_path, tools, most=20).swarm(goal)
    assert {item: cells[:2] for item, cells in _columns(swarm).items()} == truth
    alone = _columns(await World(tmp_path, tools).single(goal))
    right = sum(alone[item][:2] == cells for item, cells in truth.items())
    assert 5 < right < 50
    assert all("not remembered" in c[-1] for i, c in alone.items() if c[:2] != truth[i])


async def test_a_failed_sub_agent_is_tried_again(folder, tools):
    goal = "Count the lines of every Markdown file in notes"
    world = World(folder, tools, most=10, fail_agents=frozenset({2}))
    found = _columns(await world.swarm(goal))
    assert [cells[0] for cells in found.values()] == ["9", "6", "6"]
    assert world.launched == 4


async def test_without_agents_left_it_does_the_rest_itself(folder, tools):
    goal = "Count the lines of every Markdown file in notes"
    world = World(folder, tools, most=3, fail_agents=frozenset({2}))
    found = _columns(await world.swarm(goal))
    assert [cells[0] for cells in found.values()] == ["9", "6", "6"]
    assert world.launched == 3


async def test_what_fails_twice_is_listed_with_the_reason(folder, tools):
    goal = "Count the lines of every Markdown file in notes"
    world = World(folder, tools, most=10, fail_agents=frozenset({2, 4}))
    answer = await world.swarm(goal)
    found = _columns(answer)
    assert found["notes/alpha.md"][0] == "9"
    assert found["notes/beta.md"][0] == "—"
    assert "could not be reached" in found["notes/beta.md"][-1]
    assert "1 of them could not be done" in head_of(answer)


async def test_one_map_task_gives_the_same_table(folder, tools):
    from dataclasses import replace

    goal = "Count the words of every Markdown file in notes"
    options = replace(QUIET, use_map=True)
    mapped = await World(folder, tools, options=options).swarm(goal)
    assert mapped == await World(folder, tools).swarm(goal)


@pytest.mark.parametrize(
    "refusal",
    [
        "no more sub-agents: the limit of 9 is reached",
        "3 more sub-agents were asked for, but only 0 of 9 are left; give each more to do",
    ],
)
async def test_refused_agents_leave_it_to_work_alone(folder, tools, refusal):
    class Refusing(World):
        async def _agent(self, prompt: str) -> str:
            assert prompt
            return f"ERROR: {refusal}"

    world = Refusing(folder, tools, most=9)
    found = _columns(await world.swarm("Count the lines of every Markdown file in notes"))
    assert [cells[0] for cells in found.values()] == ["9", "6", "6"]
    assert len(world.tool_calls) == 4
