"""write_file changes files of the working folder, whole or not at all, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset, read_file, standard_tools
from kimi_nb.tools.write import write_file

TOOLS = Toolset([write_file, read_file])


def ask(name: str, root: Path, /, **arguments: Any) -> ToolOutcome:
    context = ToolContext(folder=root, agent="a1", run="r1")
    return asyncio.run(TOOLS.call(name, json.dumps(arguments), context))


def write(root: Path, path: str, text: str = "new\n") -> ToolOutcome:
    return ask("write_file", root, path=path, text=text)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_agents_do_not_have_it_unless_told_so() -> None:
    assert "write_file" not in standard_tools()


def test_what_is_written_is_there_and_can_be_read(tmp_path: Path) -> None:
    text = "größe\n中文\r\n\tend without a newline"
    assert (
        write(tmp_path, "a.txt", text).text
        == f"wrote a.txt: {len(text.encode())} bytes (a new file)"
    )
    assert (tmp_path / "a.txt").read_bytes() == text.encode()
    assert ask("read_file", tmp_path, path="a.txt").text == "größe\n中文\n\tend without a newline"
    assert (
        write(tmp_path, "a.txt", "").text == f"wrote a.txt: 0 bytes (it had {len(text.encode())})"
    )
    assert (tmp_path / "a.txt").read_bytes() == b""


def test_the_same_call_twice_leaves_the_same_folder(tmp_path: Path) -> None:
    for _ in range(2):
        assert write(tmp_path, "d/a.txt", "one\n").ok
        assert [p.name for p in (tmp_path / "d").iterdir()] == ["a.txt"]
        assert (tmp_path / "d" / "a.txt").read_text() == "one\n"


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    assert write(tmp_path, "x/y/z.txt").text == "wrote x/y/z.txt: 4 bytes (a new file)"
    assert write(tmp_path, str(tmp_path / "x" / "w.txt")).ok
    assert write(tmp_path, "/data/x/v.txt").ok
    assert sorted(p.name for p in (tmp_path / "x").iterdir()) == ["v.txt", "w.txt", "y"]


@pytest.mark.usefixtures("umask")
def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    write(tmp_path, "d/new.txt")
    (tmp_path / "script.sh").write_text("old")
    (tmp_path / "script.sh").chmod(0o4750)
    write(tmp_path, "script.sh")
    assert (mode(tmp_path / "d" / "new.txt"), mode(tmp_path / "d")) == (0o644, 0o755)
    assert mode(tmp_path / "script.sh") == 0o750


@pytest.mark.usefixtures("umask")
def test_a_strict_umask_is_kept_to(tmp_path: Path) -> None:
    os.umask(0o077)
    write(tmp_path, "d/new.txt")
    assert (mode(tmp_path / "d" / "new.txt"), mode(tmp_path / "d")) == (0o600, 0o700)


def test_who_reads_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old " * 10_000)

    with (tmp_path / "a.txt").open() as reader:
        begin = reader.read(10)
        write(tmp_path, "a.txt")
        assert begin + reader.read() == "old " * 10_000


def test_another_name_of_the_same_file_keeps_the_old_text(tmp_path: Path) -> None:
    """A hard link cannot be told from a file; writing ends it instead of going through it."""
    outside, work = tmp_path / "outside.txt", tmp_path / "work"
    outside.write_text("precious")
    work.mkdir()
    (work / "hard.txt").hardlink_to(outside)
    assert write(work, "hard.txt").ok
    assert outside.read_text() == "precious"
    assert (work / "hard.txt").read_text() == "new\n"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "'' is a folder; name a file in it"),
        (".", "'.' is a folder"),
        ("d", "'d' is a folder; name a file in it"),
        ("d/", "'d/' is a folder"),
        ("new/", "'new/' is a folder"),
        ("a.txt/b.txt", "'a.txt' is a file, so nothing can lie in it"),
        ("../out.txt", "leads out of the working folder"),
        ("/etc/out.txt", "leads out of the working folder"),
        ("a\0b", "cannot contain a NUL"),
        ("a\nb", "has characters that cannot be seen"),
        ("d\u200b/x", "has characters that cannot be seen"),
        (".bashrc", "names that begin with a dot steer programs"),
        (".git/hooks/pre-commit", "names that begin with a dot"),
        ("d/.kimi_nb/runs/x.jsonl", "names that begin with a dot"),
        ("__pycache__/x.pyc", "is not written"),
        ("locked.txt", "'locked.txt' is read-only"),
        ("link.txt", "'link.txt' is a link; give the path of what it leads to"),
        ("dangling", "'dangling' is a link"),
        ("folder_link/x.txt", "'folder_link' is a link"),
        ("fifo", "'fifo' is neither a file nor a folder"),
        ("n" * 300, "is too long; a name has 255 bytes"),
        ("new/" + "中" * 86, "is too long; a name has 255 bytes"),
        ("new/" * 300, "is a folder; name a file"),
        ("new/" * 300 + "x", "the path is longer than 1,000 characters"),
    ],
)  # fmt: skip
def test_what_is_not_written_says_why_and_leaves_all_as_it_was(
    tmp_path: Path, path: str, why: str
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "d").write_text("old")
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "locked.txt").write_text("old")
    (tmp_path / "locked.txt").chmod(0o444)
    (tmp_path / "link.txt").symlink_to("a.txt")
    (tmp_path / "dangling").symlink_to("nowhere.txt")
    (tmp_path / "folder_link").symlink_to("d")
    os.mkfifo(tmp_path / "fifo")
    before = sorted((p.relative_to(tmp_path), p.lstat().st_mtime_ns) for p in tmp_path.rglob("*"))
    outcome = write(tmp_path, path)
    assert not outcome.ok
    assert why in outcome.text
    assert before == sorted(
        (p.relative_to(tmp_path), p.lstat().st_mtime_ns) for p in tmp_path.rglob("*")
    )


def test_what_is_too_large_is_not_written(tmp_path: Path) -> None:
    assert write(tmp_path, "a.txt", "é" * 2_500_000).ok
    outcome = write(tmp_path, "b.txt", "é" * 2_500_001)
    assert outcome.text == "ERROR: that is 5.0 MB, and 5 MB can be written to one file"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_disk_that_is_full_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    write(tmp_path, "a.txt", "old\n")
    monkeypatch.setattr("kimi_nb.tools.placing.os.rename", full)
    assert write(tmp_path, "a.txt").text == "ERROR: 'a.txt': No space left on device"
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old\n")]


def test_a_name_in_another_form_of_unicode_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "cafe\u0301.md").write_text("old")
    assert write(tmp_path, "caf\u00e9.md", "new").ok
    assert [p.read_text() for p in tmp_path.iterdir()] == ["new"]
