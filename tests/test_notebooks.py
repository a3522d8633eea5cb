"""The notebooks as they are committed: made from their sources, and kept to the house rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building.asked import balanced, fair, unasked
from building.finding import Finding
from building.lint import EXCUSED, TEXTS, anatomy, bilingual, length, prose
from building.source import FOLDER, read, sources
from building.stale import drifted, orphans, untranslated
from building.write import LANGUAGES

from kimi_nb.teach.curriculum import quizzes

NOTEBOOKS = FOLDER.parent
PATHS = sources()
IDENTITY = re.compile(r"[a-z0-9-]{1,64}")


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


def told(findings: Any) -> None:
    """Fail with all of them at once: each is a line that an editor can jump to."""
    found: list[Finding] = list(findings)
    assert not found, "\n" + "\n".join(map(str, found))


def cells(path: Path, language: str) -> list[dict[str, Any]]:
    made = NOTEBOOKS / language / f"{path.stem}.ipynb"
    return json.loads(made.read_text(encoding="utf-8"))["cells"]


def test_there_are_sources() -> None:
    assert PATHS
    numbers = [path.name[:2] for path in PATHS]
    assert len(set(numbers)) == len(numbers), "two sources have the same number"


@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_anatomy(path: Path) -> None:
    told(anatomy(read(path)))


@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_length(path: Path) -> None:
    told(length(read(path)))


@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_translated(path: Path) -> None:
    told(untranslated(read(path)))


@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_links_pictures_and_chinese(path: Path) -> None:
    told(prose(read(path)))


@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_up_to_date(path: Path) -> None:
    told(drifted(read(path)))


def test_every_notebook_has_a_source() -> None:
    told(orphans(FOLDER))


@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_one_notebook_in_two_languages(path: Path) -> None:
    """Read from the files, without what made them."""
    english, chinese = (cells(path, language) for language in LANGUAGES)
    assert [cell["id"] for cell in english] == [cell["id"] for cell in chinese]

    for one, other in zip(english, chinese, strict=True):
        assert one["cell_type"] == other["cell_type"]
        assert one["metadata"] == other["metadata"]

        if one["cell_type"] == "code":
            assert one["source"] == other["source"], one["id"]
        else:
            assert one["source"] != other["source"], f"{one['id']} is not translated"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_is_a_notebook(path: Path, language: str) -> None:
    nbformat.validate(nbformat.read(NOTEBOOKS / language / f"{path.stem}.ipynb", as_version=4))
    ids = [cell["id"] for cell in cells(path, language)]
    assert len(set(ids)) == len(ids)
    assert all(map(IDENTITY.fullmatch, ids)), ids


def test_chinese_of_exercises_and_messages() -> None:
    told(
        finding
        for folder in TEXTS
        for path in sorted(folder.rglob("*.py"))
        for finding in bilingual(path)
    )


def test_quizzes() -> None:
    told(finding for quiz in quizzes() for finding in balanced(quiz))
    told(fair(quizzes()))


def test_all_that_can_be_asked_is_asked_once() -> None:
    told(unasked(map(read, PATHS)))


def test_exceptions_are_of_notebooks_that_exist() -> None:
    """As soon as the last of them is written."""
    numbers = {path.name[:2] for path in PATHS}
    assert {number for number, _ in EXCUSED if number <= max(numbers)} <= numbers
