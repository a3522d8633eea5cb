"""What is said of a package is what lies on the disk."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import sys
import tokenize
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset, list_packages, package_info

TOOLS = Toolset([list_packages, package_info])


def ask(tool: str, /, **arguments: str) -> ToolOutcome:
    context = ToolContext(folder=Path(), agent="a1", run="r1")
    return asyncio.run(TOOLS.call(tool, json.dumps(arguments), context))


def facts(name: str) -> dict[str, str]:
    outcome = ask("package_info", name=name)
    assert outcome.ok, outcome.text
    return dict(line.split(": ", 1) for line in outcome.text.splitlines())


class Site:
    """A folder with packages, first on sys.path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(
        self,
        name: str,
        metadata: str,
        files: dict[str, bytes] | None = None,
        *,
        record: bool = True,
    ) -> Path:
        info = self.path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}\n"
        )

        for file, content in (files or {}).items():
            target = self.path / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

        if record:
            listed = [*(files or {}), f"{info.name}/METADATA", f"{info.name}/RECORD"]
            (info / "RECORD").write_text("".join(f"{file},,\n" for file in listed))

        return info


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Site(tmp_path)


def test_a_package_is_described_line_by_line(site: Site) -> None:
    site.add(
        "Demo.Package",
        "Summary: A demonstration.\nLicense-Expression: MIT AND Apache-2.0\nLicense: nonsense\n"
        "Requires-Dist: Zebra>=1\n"
        "Requires-Dist: apple ; python_version >= '3.11'\n"
        "Requires-Dist: apple[extra] ; sys_platform != 'nothing'\n"
        "Requires-Dist: old ; python_version < '3'\n"
        "Requires-Dist: optional ; extra == 'more'\n",
        {
            "demo/__init__.py": b"",
            "demo/a.py": b"# comment\n\nx = 1  # code\n\n   \n  # comment\n\tif x:\n\t\ty = '#'\n",
            "demo/b.py": b"a = 1\r\n\r\n# c\r\nb = 2",
            "demo/data.txt": b"not code\n",
        },
    )
    assert ask("package_info", name="demo_package").text == (
        "name: Demo.Package\n"
        "version: 1.0\n"
        "licence: MIT AND Apache-2.0\n"
        "direct dependencies: apple, Zebra (2)\n"
        "modules: 3\n"
        "lines of code: 5\n"
        "summary: A demonstration."
    )


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License: BSD 3-Clause", "BSD 3-Clause"),
        ("License: " + "x" * 100, "not stated"),
        ("License: UNKNOWN", "not stated"),
        ("", "not stated"),
        (
            "License: " + "x" * 100 + "\nClassifier: License :: OSI Approved :: MIT License\n"
            "Classifier: Programming Language :: Python\nClassifier: License :: Public Domain",
            "MIT License; Public Domain",
        ),
    ],
)
def test_the_licence_is_found_where_it_is_stated(site: Site, metadata: str, licence: str) -> None:
    site.add("licensed", metadata)
    assert facts("licensed")["licence"] == licence


def test_no_dependencies_is_said_so(site: Site) -> None:
    site.add("lonely", "")
    found = facts("lonely")
    assert found["direct dependencies"] == "none (0)"
    assert (found["modules"], found["lines of code"]) == ("0", "0")
    assert found["summary"] == "none"


def test_what_cannot_be_counted_is_unknown(site: Site) -> None:
    site.add("unrecorded", "", {"unrecorded.py": b"x = 1\n"}, record=False)
    editable = site.add("edited", "", {"__editable___edited.py": b"x = 1\n"})
    (editable / "direct_url.json").write_text(
        json.dumps({"url": "file:///home/me/edited", "dir_info": {"editable": True}})
    )
    gone = site.add("gone", "", {"gone.py": b"x = 1\n"})
    (gone.parent / "gone.py").unlink()

    for name, why in [
        ("unrecorded", "the package has no list of its files"),
        ("edited", "editable install: file:///home/me/edited"),
        ("gone", "the files of its list are not there"),
    ]:
        assert facts(name)["modules"] == facts(name)["lines of code"] == f"unknown ({why})"


def test_names_are_listed_once_and_sorted(site: Site) -> None:
    site.add("Zzz-Last", "")
    site.add("aaa.first", "")
    site.add("py_test", "")
    (site.path / "broken-1.0.dist-info").mkdir()
    names = ask("list_packages").text.splitlines()
    normal = [canonicalize_name(name) for name in names]
    assert normal == sorted(set(normal))
    assert names[0] == "aaa.first"
    assert names[-1] == "Zzz-Last"
    assert set(normal) >= {"pytest", "hypothesis", "orjson"}


def test_a_package_that_is_not_there_is_answered_with_the_nearest() -> None:
    outcome = ask("package_info", name="hypothesi")
    assert not outcome.ok
    assert "no package 'hypothesi' is installed; did you mean 'hypothesis'" in outcome.text
    assert not ask("package_info", name="").ok


@pytest.mark.parametrize("name", ["packaging", "pytest", "orjson", "hypothesis"])
def test_real_packages_are_counted_right(name: str) -> None:
    distribution = importlib.metadata.distribution(name)
    files = [file for file in distribution.files or () if str(file).endswith(".py")]
    found = facts(name)
    assert found["version"] == distribution.version
    assert found["modules"] == str(len(files))
    assert found["lines of code"] == str(sum(code_lines(Path(str(f.locate()))) for f in files))
    requirements = map(Requirement, distribution.requires or ())
    needed = {
        canonicalize_name(each.name)
        for each in requirements
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }
    assert found["direct dependencies"].endswith(f"({len(needed)})")


def code_lines(path: Path) -> int:
    """The slow way: line by line, as text."""
    with tokenize.open(path) as file:
        stripped = [line.strip() for line in file.read().split("\n")]

    return sum(1 for line in stripped if line and not line.startswith("#"))


def test_looking_at_packages_imports_none_of_them() -> None:
    before = set(sys.modules)
    facts("nbformat")
    assert "nbformat" not in set(sys.modules) - before
