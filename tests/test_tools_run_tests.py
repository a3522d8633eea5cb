"""`run_tests`: pytest in the native sandbox, told file by file."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from kimi_nb.tools import Toolset, native
from kimi_nb.tools import run_tests as module
from kimi_nb.tools.base import ToolContext, ToolOutcome
from kimi_nb.tools.run_tests import run_tests

sandboxed = pytest.mark.skipif(bool(native.available()), reason=native.available() or "-")
GOOD = "from shop.price import price\n\ndef test_one():\n    assert price(1) == 2\n"
BAD = """from shop.price import price

def test_two():
    assert price(2) == 5

def test_three():
    pass
"""
EVIL = """import pathlib, pytest

def test_evil():
    with pytest.raises(PermissionError):
        pathlib.Path({!r}).read_text()

    with pytest.raises(PermissionError):
        pathlib.Path("made.txt").write_text("x")
"""


async def ran(folder: Path, path: str = "") -> ToolOutcome:
    context = ToolContext(folder=folder, agent="a", run="r")
    return await Toolset([run_tests]).call(
        "run_tests", orjson.dumps({"path": path}).decode(), context
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for path, text in {
        "shop/__init__.py": "",
        "shop/price.py": "def price(number):\n    return number * 2\n",
        "tests/test_good.py": GOOD,
        "tests/test_bad.py": BAD,
        "tests/test_lost.py": "from shop.price import gone\n\ndef test_four():\n    pass\n",
    }.items():
        (tmp_path / "work" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "work" / path).write_text(text, "utf-8")

    return tmp_path / "work"


@sandboxed
async def test_each_file_is_told_and_each_failure_shown(shop: Path) -> None:
    outcome = await ran(shop)
    lines = outcome.text.splitlines()
    assert outcome.ok
    assert "tests/test_good.py: 1 passed" in lines
    assert "tests/test_bad.py: 1 failed, 1 passed" in lines
    assert "tests/test_lost.py: 1 not run" in lines
    assert "assert 4 == 5" in outcome.text
    assert "cannot import name 'gone'" in outcome.text


@sandboxed
async def test_one_file_can_be_run_by_itself(shop: Path) -> None:
    text = (await ran(shop, "tests/test_good.py")).text
    assert text.startswith("tests/test_good.py: 1 passed")
    assert "test_bad" not in text


@sandboxed
async def test_nothing_is_written_and_nothing_outside_is_read(shop: Path) -> None:
    secret = shop.parent / "secret.txt"
    secret.write_text("hush", "utf-8")
    (shop / "tests/test_evil.py").write_text(EVIL.format(str(secret)), "utf-8")
    assert (await ran(shop, "tests/test_evil.py")).text.startswith("tests/test_evil.py: 1 passed")
    assert names(shop) == ["shop", "tests"]
    assert "__pycache__" not in names(shop / "tests")


@sandboxed
async def test_an_endless_test_is_ended(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", {"file": 2.0, "folder": 2.0})
    (shop / "tests/test_long.py").write_text("def test_it():\n    while True: pass\n", "utf-8")
    outcome = await ran(shop, "tests/test_long.py")
    assert not outcome.ok
    assert "endless loop" in outcome.text


@sandboxed
async def test_an_ini_above_the_folder_is_not_used_and_its_own_is(shop: Path) -> None:
    (shop.parent / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", "utf-8")
    assert (await ran(shop, "tests/test_good.py")).ok
    (shop / "pytest.ini").write_text("[pytest]\npython_functions = check_*\n", "utf-8")
    assert "no tests ran" in (await ran(shop, "tests/test_good.py")).text


@sandboxed
async def test_many_failures_leave_the_table_whole(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    body = "\n".join(f"def test_{n}():\n    assert {n} == 'x' * 99\n" for n in range(60))

    for n in range(8):
        (tests / f"test_{n}.py").write_text(body, "utf-8")

    text = (await ran(tmp_path)).text
    assert [f"tests/test_{n}.py: 60 failed" in text for n in range(8)] == [True] * 8
    assert "more; run one file" in text
    assert len(text) < 8_000


@pytest.mark.parametrize("path", ["../other", "/etc", "tests/none.py"])
async def test_only_what_is_in_the_folder_is_run(tmp_path: Path, path: str) -> None:
    assert not (await ran(tmp_path, path)).ok


async def test_without_a_sandbox_nothing_runs(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: "no landlock here")
    outcome = await ran(shop)
    assert outcome.text == "ERROR: no landlock here"
