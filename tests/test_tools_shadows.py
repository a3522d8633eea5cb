"""What a model writes is not run by the Python that writes it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.write import write_file


def write(folder: Path, path: str, text: str = "x = 1\n") -> ToolOutcome:
    context = ToolContext(folder=folder, agent="a1", run="r1")
    arguments = json.dumps({"path": path, "text": text})
    return asyncio.run(Toolset([write_file]).call("write_file", arguments, context))


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a notebook: its Python looks there for modules first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "json.py",  # of the standard library
        "json/__init__.py",
        "numpy.py",  # installed
        "PIL/__init__.py",
        "PIL/Image.py",  # a folder is enough where the library is not installed
        "sitecustomize.py",
        "defusedxml.py",  # not installed, and tried by libraries that are
    ],
)
def test_no_file_takes_the_place_of_a_library(kernel: Path, path: str) -> None:
    outcome = write(kernel, path)
    assert not outcome.ok
    assert "in place of a library" in outcome.text
    assert not list(kernel.iterdir())


@pytest.mark.parametrize(
    "path", ["solve.py", "shop/__init__.py", "shop/json.py", "code/main.py", "json/notes.md"]
)
def test_other_modules_are_written(kernel: Path, path: str) -> None:
    assert write(kernel, path).ok
    assert (kernel / path).is_file()


def test_a_package_of_the_user_s_goes_on_whoever_asks_for_it(kernel: Path) -> None:
    (kernel / "defusedxml").mkdir()
    (kernel / "defusedxml" / "__init__.py").touch()
    assert write(kernel, "defusedxml/more.py").ok


def test_a_folder_above_the_one_that_is_looked_in(kernel: Path) -> None:
    (kernel / "deep").mkdir()
    sys.path.insert(0, str(kernel / "deep"))  # of the fixture's own list
    assert not write(kernel, "deep/json.py").ok
    assert write(kernel, "other/json.py").ok


def test_a_folder_that_nobody_looks_in_has_all_names(tmp_path: Path) -> None:
    assert write(tmp_path, "json.py").ok


def test_the_libraries_themselves_are_not_written() -> None:
    outcome = write(Path(sysconfig.get_path("purelib")), "kimi_nb_test_of_shadows.txt")
    assert not outcome.ok
    assert "part of Python itself" in outcome.text


STEERED = """
import asyncio, json, sys
from pathlib import Path
sys.path.insert(0, "")
from kimi_nb.tools import ToolContext, Toolset
from kimi_nb.tools.shipped import shipped
tools = Toolset([shipped("write_file"), shipped("view_image")])
context = ToolContext(folder=Path.cwd(), agent="a1", run="r1")
code = "import pathlib; pathlib.Path('ran').touch()"
async def go():
    for name, given in (("write_file", {"path": "PIL/__init__.py", "text": code}),
                        ("view_image", {"path": "x.gif"})):
        print(await tools.call(name, json.dumps(given), context))
asyncio.run(go())
"""


def test_an_agent_that_writes_and_looks_runs_nothing_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "x.gif").write_bytes(b"GIF89a\x01\x00\x01\x00" + bytes(20))
    subprocess.run([sys.executable, "-c", STEERED], cwd=tmp_path, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.gif"]
