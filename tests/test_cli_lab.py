"""`kimi-nb lab`: the notebooks to work in; what a learner changed there is never overwritten."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from pathlib import Path

import pytest

from kimi_nb._version import __version__
from kimi_nb.cli import lab as command
from kimi_nb.cli import main
from kimi_nb.cli.lab import PICTURES, copy_curriculum, shipped
from kimi_nb.errors import KimiNbError, UsageFault

BESIDE = f"en/03-stages.v{__version__}.ipynb"


class Execed(Exception):
    """Instead of becoming JupyterLab."""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The notebooks of a release, with what must not be handed out."""
    source = tmp_path / "release"
    write(source / "en" / "00-quickstart.ipynb", "quickstart 1")
    write(source / "en" / "03-stages.ipynb", "stages 1")
    write(source / "en" / "pictures" / "graph.png", "graph 1")
    write(source / "zh" / "03-stages.ipynb", "阶段 1")
    write(source / "en" / ".kimi_nb" / "runs" / "mine.jsonl", "a log")
    write(source / "en" / ".ipynb_checkpoints" / "03-stages.ipynb", "a checkpoint")
    write(source / "src" / "03-stages.md", "the source")
    return source


@pytest.fixture
def folder(release: Path, tmp_path: Path) -> Path:
    """A copy of that release."""
    copy_curriculum(release, tmp_path / "mine")
    return tmp_path / "mine"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def there(folder: Path) -> dict[str, str]:
    """All files below a folder but the record of what was handed out."""
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_text("utf-8")
        for name, path in paths.items()
        if name != command.RECORD
    }


def test_a_copy_has_both_languages_and_nothing_hidden(folder: Path) -> None:
    assert there(folder) == {
        "en/00-quickstart.ipynb": "quickstart 1",
        "en/03-stages.ipynb": "stages 1",
        "en/pictures/graph.png": "graph 1",
        "zh/03-stages.ipynb": "阶段 1",
    }


def test_a_copy_has_all_pictures_that_its_notebooks_show(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    copy_curriculum(shipped(), folder)
    shown: set[Path] = set()

    for path in folder.glob("*/*.ipynb"):
        targets = re.findall(
            r"!\[[^\]]*\]\((?!http|data:|attachment:)([^)]+)\)", path.read_text("utf-8")
        )
        shown |= {(path.parent / target).resolve() for target in targets}

    assert shown == {(folder / name).resolve() for name in PICTURES}
    assert all(path.is_file() for path in shown)


def test_a_second_copy_of_the_same_release_changes_nothing(release: Path, folder: Path) -> None:
    write(folder / "en" / "03-stages.ipynb", "my answers")
    had = there(folder)
    done = copy_curriculum(release, folder)
    assert (done.new, done.renewed, done.beside) == ([], [], {})
    assert there(folder) == had


def test_a_newer_release_replaces_what_the_learner_left_alone(release: Path, folder: Path) -> None:
    write(release / "en" / "03-stages.ipynb", "stages 2")
    done = copy_curriculum(release, folder)
    assert done.renewed == ["en/03-stages.ipynb"]
    assert there(folder)["en/03-stages.ipynb"] == "stages 2"
    assert len(there(folder)) == 4


def test_what_the_learner_changed_stays_and_the_newer_release_lies_beside_it(
    release: Path, folder: Path
) -> None:
    write(folder / "en" / "03-stages.ipynb", "my answers")
    write(release / "en" / "03-stages.ipynb", "stages 2")
    assert copy_curriculum(release, folder).beside == {"en/03-stages.ipynb": BESIDE}
    found = there(folder)
    assert (found["en/03-stages.ipynb"], found[BESIDE]) == ("my answers", "stages 2")
    (folder / BESIDE).unlink()  # and it is not brought again, once it was
    assert copy_curriculum(release, folder).beside == {}


def test_what_the_learner_changed_in_the_one_beside_stays_as_well(
    release: Path, folder: Path
) -> None:
    write(folder / "en" / "03-stages.ipynb", "my answers")
    write(release / "en" / "03-stages.ipynb", "stages 2")
    copy_curriculum(release, folder)
    write(folder / BESIDE, "my answers to 2")
    write(release / "en" / "03-stages.ipynb", "stages 3")
    third = BESIDE.replace(".ipynb", "-2.ipynb")
    assert copy_curriculum(release, folder).beside == {"en/03-stages.ipynb": third}
    found = there(folder)
    assert found["en/03-stages.ipynb"] == "my answers"
    assert (found[BESIDE], found[third]) == ("my answers to 2", "stages 3")


def test_a_file_that_the_learner_removed_comes_back(release: Path, folder: Path) -> None:
    (folder / "en" / "03-stages.ipynb").unlink()
    assert copy_curriculum(release, folder).new == ["en/03-stages.ipynb"]


@pytest.mark.parametrize("record", [None, "", "{", "[]", '{"en/03-stages.ipynb": 7}'])
def test_without_a_good_record_all_that_differs_is_the_learners(
    release: Path, folder: Path, record: str | None
) -> None:
    write(release / "en" / "03-stages.ipynb", "stages 2")
    (folder / command.RECORD).unlink()

    if record is not None:
        write(folder / command.RECORD, record)

    assert copy_curriculum(release, folder).beside == {"en/03-stages.ipynb": BESIDE}
    assert there(folder)["en/03-stages.ipynb"] == "stages 1"


def test_a_link_out_of_the_folder_is_replaced_and_not_followed(
    release: Path, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "elsewhere.ipynb"
    outside.write_text("stages 1", "utf-8")
    inside = folder / "en" / "03-stages.ipynb"
    inside.unlink()
    inside.symlink_to(outside)
    write(release / "en" / "03-stages.ipynb", "stages 2")
    copy_curriculum(release, folder)
    assert (outside.read_text("utf-8"), inside.read_text("utf-8")) == ("stages 1", "stages 2")


def test_a_folder_that_is_a_file_is_refused(release: Path, tmp_path: Path) -> None:
    write(tmp_path / "file", "")

    with pytest.raises((KimiNbError, NotADirectoryError)):
        copy_curriculum(release, tmp_path / "file")


def test_the_notebooks_of_this_installation_are_found_and_none_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (shipped() / "zh" / "00-quickstart.ipynb").is_file()
    monkeypatch.setattr(command, "PLACES", (tmp_path,))

    with pytest.raises(UsageFault, match=r"no notebooks; type: pip install"):
        shipped()


def asked(
    monkeypatch: pytest.MonkeyPatch, source: Path, installed: object, *words: str
) -> tuple[int | None, list[str]]:
    """The exit code of `kimi-nb lab`, or the command that it became."""
    became: list[str] = []

    def execute(path: str, arguments: list[str]) -> None:
        assert path == arguments[0] == sys.executable
        became.extend(arguments[1:])
        raise Execed

    monkeypatch.setattr(command, "PLACES", (source,))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: installed)
    monkeypatch.setattr(os, "execv", execute)

    try:
        return main(["lab", *words]), became
    except Execed:
        return None, became


def test_jupyterlab_opens_the_first_notebook_of_the_language(
    monkeypatch: pytest.MonkeyPatch, release: Path, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    _, became = asked(monkeypatch, release, object())
    root = f"--ServerApp.root_dir={tmp_path / 'curriculum'}"
    assert became[:3] == ["-m", "jupyterlab", root]
    assert became[3:] == ["--LabApp.default_url=/lab/tree/en/00-quickstart.ipynb"]
    _, became = asked(monkeypatch, release, object(), "curriculum", "--language", "zh")
    assert became[3:] == ["--LabApp.default_url=/lab/tree/zh/03-stages.ipynb"]


def test_the_learners_language_decides_where_none_is_typed(
    monkeypatch: pytest.MonkeyPatch, release: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "zh")
    _, became = asked(monkeypatch, release, object(), str(tmp_path / "mine"))
    assert became[3:] == ["--LabApp.default_url=/lab/tree/zh/03-stages.ipynb"]


def test_without_jupyterlab_it_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch,
    release: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, became = asked(monkeypatch, release, None, str(tmp_path / "mine"))
    assert (code, became) == (1, [])
    said = capsys.readouterr().err
    assert "pip install 'kimi-nb[lab]'" in said
    assert str(tmp_path / "mine" / "en" / "00-quickstart.ipynb") in said
    assert len(there(tmp_path / "mine")) == 4  # which is no reason not to copy


def test_one_json_object_says_what_was_done(
    monkeypatch: pytest.MonkeyPatch,
    release: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(folder / "en" / "03-stages.ipynb", "my answers")
    write(release / "en" / "03-stages.ipynb", "stages 2")
    write(release / "zh" / "03-stages.ipynb", "阶段 2")
    write(release / "en" / "04-span.ipynb", "span 2")
    words = (str(folder), "--copy-only", "--json")
    code, became = asked(monkeypatch, release, object(), *words)
    assert (code, became) == (0, [])
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "folder": str(folder),
        "language": "en",
        "open": str(folder / "en" / "00-quickstart.ipynb"),
        "new": ["en/04-span.ipynb"],
        "renewed": ["zh/03-stages.ipynb"],
        "beside": {"en/03-stages.ipynb": BESIDE},
        "jupyterlab": True,
    }
    mine = folder / "en" / "03-stages.ipynb"
    assert f"{mine} is yours and stays; this release's is {folder / BESIDE}" in err
