"""A run's folder goes to other machines by content, and what comes back stays inside it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.redact import know
from kimi_nb.swarm.cluster import folder as folders
from kimi_nb.swarm.cluster import inside, tree
from kimi_nb.swarm.cluster.cache import Cache
from kimi_nb.swarm.cluster.folder import Folder
from kimi_nb.swarm.cluster.manifest import FOLDER, File, Link, Manifest, quoted, unquoted
from kimi_nb.swarm.cluster.tree import Mark

ODD = os.fsdecode(b"odd-\xff\xe4\n.txt")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "sub" / "a.txt").write_bytes(b"aaa")
    (root / ".hidden").write_bytes(b"h")
    return root


def test_a_manifest_has_what_file_tools_see(root: Path, tmp_path: Path) -> None:
    (root / ODD).write_bytes(b"odd")
    (root / "run.sh").write_bytes(b"x")
    (root / "run.sh").chmod(0o755)
    (root / "inside").symlink_to(root / "sub" / "a.txt")
    (root / "sub" / "up").symlink_to("..")
    (root / "down").symlink_to("sub/deep")
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "outside").symlink_to(tmp_path / "secret")
    (root / "nowhere").symlink_to("missing")
    (root / "ring").symlink_to("ring")
    os.mkfifo(root / "fifo")

    for name in (".git", ".kimi_nb", "__pycache__"):
        (root / "sub" / name).mkdir()
        (root / "sub" / name / "x").write_bytes(b"x")

    (root / "to_git").symlink_to("sub/.git/x")

    found = Folder(root).manifest()
    assert found.skipped == {}
    assert dict(found.entries) == {
        ".hidden": File(digest(b"h"), 1, executable=False),
        "down": Link("sub/deep"),
        "inside": Link("sub/a.txt"),
        ODD: File(digest(b"odd"), 3, executable=False),
        "run.sh": File(digest(b"x"), 1, executable=True),
        "sub": FOLDER,
        "sub/a.txt": File(digest(b"aaa"), 3, executable=False),
        "sub/deep": FOLDER,
    }


def test_a_manifest_goes_through_text(root: Path) -> None:
    (root / ODD).write_bytes(b"odd")
    (root / "größe 中文").symlink_to(root / ODD)
    found = Folder(root).manifest()
    assert Manifest.unpacked(found.packed()) == found
    assert found.packed().isascii()
    assert quoted(ODD).isprintable()
    assert unquoted(quoted(ODD)) == ODD


@pytest.mark.parametrize(
    "entries",
    [
        {"../x": "folder"},
        {"/etc": "folder"},
        {"a//b": "folder"},
        {"a/./b": "folder"},
        {"": "folder"},
        {"%2e%2e/x": "folder"},
        {"a%00": "folder"},
        {".git/hooks": "folder"},
        {"a/.KIMI_NB": "folder"},
        {"x" * 4_001: "folder"},
        {"a": "file"},
        {"a": ["no digest", 1, False]},
        {"a": ["0" * 64, -1, False]},
        {"a": ["0" * 64, 1]},
        {"a": None},
        ["a"],
    ],
)
def test_a_damaged_manifest_is_refused(entries: object) -> None:
    told = {"entries": entries, "links": [], "skipped": {}}

    with pytest.raises(UsageFault, match="install the same kimi-nb"):
        Manifest.unpacked(json.dumps(told).encode())


@pytest.mark.parametrize("target", ["../x", "/etc/passwd", "a/../../x", ""])
def test_a_link_that_leads_out_is_refused(target: str) -> None:
    told = {"entries": {"a": target}, "links": ["a"], "skipped": {}}

    with pytest.raises(UsageFault):
        Manifest.unpacked(json.dumps(told).encode())


def wait_for_tick(probe: Path, moment: int) -> None:
    """Return when what is written now is stamped later than that: disks stamp in steps."""
    probe.touch()

    while probe.stat().st_ctime_ns <= moment:
        probe.touch()


def test_what_is_unchanged_is_not_read_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    really = tree.open_file
    now = tree.time.time_ns()
    monkeypatch.setattr(tree.time, "time_ns", lambda: now + 2 * tree.SETTLED)
    monkeypatch.setattr(tree, "open_file", lambda fd, name: read.append(name) or really(fd, name))
    folder = Folder(root)
    first = folder.manifest()
    assert sorted(read) == [".hidden", "a.txt"]

    read.clear()
    assert folder.manifest() == first
    assert read == []

    before = (root / "sub" / "a.txt").stat()
    wait_for_tick(tmp_path / "clock", before.st_ctime_ns)
    (root / "sub" / "a.txt").write_bytes(b"bbb")
    os.utime(root / "sub" / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder.manifest().entries["sub/a.txt"] == File(digest(b"bbb"), 3, executable=False)
    assert read == ["a.txt"]


def test_two_writes_within_one_tick_of_the_disk_are_told_apart(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = tree.time.time_ns()
    monkeypatch.setattr(tree, "mark_of", lambda _: Mark(3, now, now, 1, 0o644))
    folder = Folder(root)
    folder.manifest()
    (root / "sub" / "a.txt").write_bytes(b"bbb")
    assert dict(folder.manifest().files())["sub/a.txt"].digest == digest(b"bbb")


def test_too_much_is_refused_with_a_way_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_FILES", 2)

    for each in range(3):
        (root / f"{each}.txt").write_bytes(b"x")

    with pytest.raises(UsageFault) as raised:
        Folder(root).manifest()

    text = str(raised.value)
    assert "5 files in 2 folders" in text
    assert text.endswith(f"Give a smaller folder with --folder, for example --folder {root}/sub")


def test_too_many_bytes_are_not_even_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (root / "large").open("wb") as file:
        file.truncate(folders.MOST_BYTES)

    monkeypatch.setattr(tree, "open_file", lambda *_: pytest.fail("read"))

    with pytest.raises(UsageFault, match="3 files in 2 folders, 500 MB"):
        Folder(root).manifest()


def test_no_end_of_files_is_looked_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_SEEN", 3)

    with pytest.raises(UsageFault, match="more than 3 files and folders"):
        Folder(root).manifest()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="cannot be read: No such file"):
        Folder(tmp_path / "none").manifest()


def test_a_file_with_a_key_stays_here(root: Path) -> None:
    know("sk-cluster-files-0123456789abcdef")
    (root / ".env").write_text("MOONSHOT_API_KEY=sk-cluster-files-0123456789abcdef\n")
    found = Folder(root).manifest()
    assert ".env" not in found.entries
    assert found.skipped == {".env": "it has a key in it"}


def test_what_cannot_be_read_is_skipped_and_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = tree.open_file

    def refuse(fd: int, name: str) -> int:
        if name == ".hidden":
            raise PermissionError(13, "Permission denied")

        if name == "gone":
            (root / name).unlink()

        return really(fd, name)

    (root / "gone").write_bytes(b"gone")
    monkeypatch.setattr(tree, "open_file", refuse)
    found = Folder(root).manifest()
    assert found.skipped == {".hidden": "Permission denied"}
    assert list(found.entries) == ["sub", "sub/a.txt", "sub/deep"]


def test_the_log_of_the_run_is_neither_sent_nor_taken(root: Path, tmp_path: Path) -> None:
    log = root / "sub" / "run.jsonl"
    log.write_bytes(b"facts")
    folder = Folder(root, log)
    assert "sub/run.jsonl" not in folder.manifest().entries
    assert "sub/a.txt" in folder.manifest().entries

    with pytest.raises(ToolError, match="the log of this run"):
        folder.take("sub/run.jsonl", digest(b"evil"), b"evil")

    with pytest.raises(ToolError, match="the log of this run"):
        folder.remove("sub/run.jsonl")

    assert log.read_bytes() == b"facts"
    Folder(root, tmp_path / "run.jsonl").remove("sub/run.jsonl")
    assert not log.exists()


def test_the_log_has_no_second_name(root: Path) -> None:
    log = root / "größe.jsonl"
    log.write_bytes(b"facts")

    with pytest.raises(ToolError, match="the log of this run"):
        Folder(root, log).take("gro\u0308ße.jsonl", digest(b"evil"), b"evil")


def test_contents_are_given_as_they_were_told(root: Path) -> None:
    folder = Folder(root)
    folder.manifest()
    assert list(folder.pieces(digest(b"aaa"))) == [b"aaa"]
    assert list(folder.pieces(digest(b"other"))) == []
    (root / "sub" / "a.txt").unlink()
    assert list(folder.pieces(digest(b"aaa"))) == []


def test_a_file_that_changes_on_the_way_does_not_arrive(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "PIECE", 1)
    folder, cache = Folder(root), Cache(tmp_path / "cache")
    folder.manifest()

    with cache.receive(digest(b"aaa")) as receiver:
        for piece in folder.pieces(digest(b"aaa")):
            receiver.write(piece)
            (root / "sub" / "a.txt").write_bytes(b"aab")

        assert not receiver.finish()

    assert not cache.has(digest(b"aaa"))


def test_what_a_worker_wrote_is_taken(root: Path) -> None:
    folder = Folder(root)
    (root / "sub" / "a.txt").chmod(0o755)
    folder.take("sub/a.txt", digest(b"new"), b"new")
    folder.take("new/er/b.txt", digest(b"b"), b"b")
    folder.take("new/empty", FOLDER)
    assert (root / "sub" / "a.txt").read_bytes() == b"new"
    assert (root / "sub" / "a.txt").stat().st_mode & 0o777 == 0o755
    assert (root / "new" / "er" / "b.txt").read_bytes() == b"b"
    assert (root / "new" / "empty").is_dir()

    folder.remove("sub/a.txt")
    folder.remove("sub/a.txt")
    folder.remove("sub/deep")
    folder.remove("new")
    assert sorted(each.name for each in (root / "sub").iterdir()) == []
    assert (root / "new" / "er" / "b.txt").exists()


def test_a_name_that_is_no_utf8_is_written_to_again(root: Path) -> None:
    (root / ODD).write_bytes(b"odd")
    Folder(root).take(ODD, digest(b"new"), b"new")
    assert (root / ODD).read_bytes() == b"new"


HOSTILE = [
    "../x",
    "/etc/x",
    "",
    ".",
    "a/../../x",
    "a//x",
    "a\0b",
    ".bashrc",
    "sub/.git/hooks/pre-commit",
    ".kimi_nb/runs/x.jsonl",
    "__pycache__/a.pyc",
    "sub/__PyCache__/a.pyc",
    "out/x",
    "x" * 300,
    "/".join("x" * 2_500),
]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_path_is_refused(root: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_bytes(b"theirs")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    folder = Folder(root)

    for kind, data in ((digest(b"evil"), b"evil"), (FOLDER, b"")):
        with pytest.raises(ToolError):
            folder.take(path, kind, data)

    if path not in {"out/x", "x" * 300, HOSTILE[-1]}:
        with pytest.raises(ToolError):
            folder.remove(path)

    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "elsewhere" / "x").read_bytes() == b"theirs"


def test_nothing_is_removed_through_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_bytes(b"theirs")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    folder = Folder(root)
    folder.remove("out/x")

    with pytest.raises(ToolError, match="neither a file nor a folder"):
        folder.remove("out")

    assert (tmp_path / "elsewhere" / "x").exists()
    assert (root / "out").is_symlink()


def test_other_data_than_was_told_is_refused(root: Path) -> None:
    with pytest.raises(ToolError, match="did not arrive"):
        Folder(root).take("sub/a.txt", digest(b"one"), b"two")

    assert (root / "sub" / "a.txt").read_bytes() == b"aaa"


def test_a_module_that_this_kernel_would_run_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])

    with pytest.raises(ToolError, match="in place of a library"):
        Folder(root).take("numpy/__init__.py", digest(b"evil"), b"evil")


def test_a_file_in_place_of_a_folder_is_refused(root: Path) -> None:
    folder = Folder(root)

    with pytest.raises(ToolError, match="is a folder"):
        folder.take("sub", digest(b"x"), b"x")

    with pytest.raises(ToolError, match="is a file"):
        folder.take("sub/a.txt/b", digest(b"x"), b"x")

    with pytest.raises(ToolError):
        folder.take("sub/a.txt", FOLDER)
