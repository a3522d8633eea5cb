"""The repository itself: what lies where, and that its documents tell the truth."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TOP = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "binder",
    "kimi_nb",
    "notebooks",
    "pyproject.toml",
    "tests",
    "widgets",
}
SOURCES = {ROOT / "notebooks" / "src", ROOT / "notebooks" / "instructor" / "src"}
"""Their links go from what is made of them, which is followed here and in test_notebooks.py."""
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SECRET = re.compile(r"\bsk-[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[A-Z0-9]{16}\b")
ACTION = re.compile(r"uses: (\S+)(.*)")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file that git knows."""
    git = shutil.which("git")

    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")

    command = [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def test_the_readme_begins_with_the_two_commands() -> None:
    blocks = re.findall(r"```\w*\n(.*?)```", text(ROOT / "README.md"), re.DOTALL)
    commands = [line.partition("#")[0].strip() for line in blocks[0].splitlines()]
    assert commands == ["make demo", "make test"]


def test_the_top_of_the_repository_is_tidy(tracked: list[Path]) -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked}
    assert {top for top in tops if not top.startswith(".")} - TOP == set()


def test_no_file_speaks_of_what_is_not_in_the_repository(tracked: list[Path]) -> None:
    outside = "../" + "shared"
    assert [path for path in tracked if outside in text(path)] == []


def test_no_file_holds_a_key(tracked: list[Path]) -> None:
    assert [path for path in tracked if SECRET.search(text(path))] == []


def test_every_relative_link_leads_somewhere(tracked: list[Path]) -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in tracked
        if path.suffix == ".md" and path.parent not in SOURCES
        for target in LINK.findall(text(path))
        if not target.startswith(("http://", "https://", "mailto:", "#"))
        and not (path.parent / target.partition("#")[0]).exists()
    ]
    assert broken == []


def test_actions_are_pinned_by_commit_and_may_only_read() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action, comment in ACTION.findall(text(path)):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action} has no version beside it"

        assert re.search(r"^permissions:\n  contents: read$", text(path), re.MULTILINE), path
        assert "write" not in text(path), path


def test_binder_pins_satisfy_and_cover_the_dependencies() -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    lines = text(ROOT / "binder" / "requirements.txt").splitlines()
    pins = {
        canonicalize_name(pin.name): pin
        for line in lines
        if line and not line.startswith("#")
        for pin in [Requirement(line)]
    }

    for needed in map(Requirement, project["dependencies"]):
        (pin,) = pins[canonicalize_name(needed.name)].specifier
        assert pin.operator == "=="
        assert needed.specifier.contains(pin.version.removesuffix(".*")), needed

    assert text(ROOT / "binder" / "runtime.txt").strip() == "python-3.12"
