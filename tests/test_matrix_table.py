"""The table of the fault matrix against its tests: each row has some, each test has its row."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NAME = re.compile(r"test_fault_(\d\d)_\w+")


def table() -> list[tuple[int, set[str]]]:
    """Number and named tests of each row, in their order."""
    text = (TESTS / "faults" / "README.md").read_text("utf-8")
    return [(int(row[1]), set(re.findall(r"`(test_\w+)`", row[4]))) for row in ROW.finditer(text)]


def written() -> dict[int, set[str]]:
    """The tests that there are, by the row in their name."""
    found: dict[int, set[str]] = defaultdict(set)

    for path in sorted(TESTS.glob("test_matrix_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)

            if is_test and (match := NAME.fullmatch(node.name)):
                assert node.name not in found[int(match[1])], f"{node.name} is there twice"
                found[int(match[1])].add(node.name)

    return found


def test_the_table_has_all_forty_rows_in_their_order() -> None:
    assert [number for number, _ in table()] == list(range(1, 41))


def test_each_row_names_all_its_tests_and_no_other() -> None:
    tests = written()
    assert {number: names for number, names in table() if names != tests[number]} == {}


def test_every_row_has_a_test() -> None:
    assert set(written()) == set(range(1, 41))
