"""What a user gets by `pip install`: the built wheel, opened."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from kimi_nb._version import __version__
from kimi_nb.cli.lab import PICTURES

ROOT = Path(__file__).parents[1]
CURRICULUM = "kimi_nb/curriculum/"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> dict[str, bytes]:
    (path,) = dist.glob("*.whl")

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def info(wheel: dict[str, bytes], name: str) -> str:
    return wheel[f"kimi_nb-{__version__}.dist-info/{name}"].decode()


def names(dist: Path) -> set[str]:
    """The files of the source archive."""
    (path,) = dist.glob("*.tar.gz")

    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_wheel_has_every_module_and_nothing_else(wheel: dict[str, bytes]) -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "kimi_nb").rglob("*")
        if "__pycache__" not in path.parts and path.is_file()  # others may be compiling
    }
    others = (f"kimi_nb-{__version__}.dist-info/", CURRICULUM)
    assert {name for name in wheel if not name.startswith(others)} == sources
    assert "kimi_nb/py.typed" in sources


def test_the_notebooks_are_in_the_wheel_and_nothing_that_lies_hidden_beside_them(
    wheel: dict[str, bytes],
) -> None:
    packed = {name.removeprefix(CURRICULUM) for name in wheel if name.startswith(CURRICULUM)}
    notebooks = {path for name in ("en", "zh") for path in (ROOT / "notebooks" / name).rglob("*")}
    seen = {path.relative_to(ROOT / "notebooks") for path in notebooks if path.is_file()}
    shown = {path.as_posix() for path in seen if not any(part[0] == "." for part in path.parts)}
    assert packed == shown | set(PICTURES)
    assert {"en/00-quickstart.ipynb", "zh/00-quickstart.ipynb"} <= packed


def test_the_pictures_of_the_page_are_in_the_wheel_and_in_the_source_archive(
    dist: Path, wheel: dict[str, bytes]
) -> None:
    sources = {path.stem for path in (ROOT / "widgets" / "src").glob("*.ts")}
    styled = {path.stem for path in (ROOT / "widgets" / "src").glob("*.css")}
    entries = sources & styled
    needed = {f"kimi_nb/static/{name}.{kind}" for name in entries for kind in ("js", "css")}
    needed.add("kimi_nb/static/LICENSES.txt")
    assert "kimi_nb/static/swarm.js" in needed
    assert needed <= wheel.keys()
    assert needed <= names(dist)
    assert b"render" in wheel["kimi_nb/static/swarm.js"]


def test_the_source_archive_installs_without_node_and_npm(dist: Path, tmp_path: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", tmp_path, archive]
    nowhere = {"PATH": os.devnull, "npm_config_registry": "http://127.0.0.1:9"}
    done = subprocess.run(command, env={**os.environ, **nowhere}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "kimi_nb" / "static" / "swarm.js").is_file()


def test_the_wheel_carries_no_run(wheel: dict[str, bytes]) -> None:
    assert [name for name in wheel if name.endswith((".jsonl", ".pyc", ".env"))] == []


def test_the_wheel_says_what_it_is(wheel: dict[str, bytes]) -> None:
    metadata = Parser().parsestr(info(wheel, "METADATA"))
    assert (metadata["Name"], metadata["Version"]) == ("kimi-nb", __version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert info(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text("utf-8")
    assert "kimi-nb = kimi_nb.cli:main" in info(wheel, "entry_points.txt")


def test_the_source_archive_is_enough_to_build_from_and_no_more(dist: Path) -> None:
    packed = names(dist)
    tops = {name.partition("/")[0] for name in packed}
    extra = {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    assert tops == extra | {"kimi_nb", "notebooks", "widgets"}
    assert [name for name in packed if name.startswith("widgets/")] == ["widgets/build.py"]


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(
        r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert versions[0] == __version__
