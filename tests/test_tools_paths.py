"""Whatever path a model gives to a tool, no byte outside the working folder is read or written."""

from __future__ import annotations

import asyncio
import ctypes
import io
import json
import os
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset, grep, list_files, read_file
from kimi_nb.tools.pictures import view_image
from kimi_nb.tools.write import write_file

CANARY = "the canary sings"
WRITTEN = "written by a model"
TOOLS = Toolset([list_files, read_file, grep, write_file, view_image])
RED, BLUE = (255, 0, 0), (0, 0, 255)
"""The images outside, and those inside."""
OUTSIDE = 40
"""Pixels of an image outside; those inside are smaller."""


def ask(name: str, root: Path, /, **arguments: Any) -> ToolOutcome:
    context = ToolContext(folder=root, agent="a1", run="r1")
    return asyncio.run(TOOLS.call(name, json.dumps(arguments), context))


def tried(root: Path, path: str) -> list[ToolOutcome]:
    """What every tool makes of a path."""
    return [
        ask("list_files", root, folder=path, recursive=True),
        ask("read_file", root, path=path),
        ask("grep", root, path=path, pattern="sings|root:"),
        ask("view_image", root, path=path),
        ask("write_file", root, path=path, text=WRITTEN),
    ]


def painted(path: Path, colour: tuple[int, int, int], side: int) -> None:
    Pictures.new("RGB", (side, side), colour).save(path)


def snapshot(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """All beside the working folder: kinds, links, times and contents."""
    found: dict[str, tuple[int, int, int, bytes]] = {}

    for path in root.parent.rglob("*"):
        if path == root or path.is_relative_to(root):
            continue

        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_mode, status.st_nlink, status.st_mtime_ns, data)

    return found


def leaks(outcomes: list[ToolOutcome]) -> list[str]:
    """What of outside came in: text, or the picture that is red."""
    signs = (CANARY, "known_outside")
    found = [o.text for o in outcomes if any(sign in o.text for sign in signs)]
    images = [image for outcome in outcomes for image in outcome.images]
    seen = [Pictures.open(io.BytesIO(image.data)).convert("RGB") for image in images]
    return found + [str(image.size) for image in seen if image.getpixel((0, 0))[0] > 128]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A working folder full of traps, with canaries all around it."""
    out, work = tmp_path / "out", tmp_path / "work"

    for folder in (tmp_path, out, tmp_path / "work-other"):
        folder.mkdir(exist_ok=True)
        (folder / "secret.txt").write_text(CANARY)
        (folder / "known_outside").touch()
        painted(folder / "secret.png", RED, OUTSIDE)

    (work / "sub" / "deep").mkdir(parents=True)
    (work / "a.txt").write_text("one\n")
    painted(work / "a.png", BLUE, 4)
    (work / "cafe\u0301").mkdir()
    (work / "cafe\u0301" / "b.txt").write_text("two\n")
    Path(os.fsdecode(os.fsencode(work) + b"/caf\xe9.txt")).write_text("three\n")
    (work / "to_file").symlink_to(out / "secret.txt")
    (work / "to_image").symlink_to("../out/secret.png")
    (work / "to_folder").symlink_to("../out")
    (work / "to_new").symlink_to("../out/new.txt")
    (work / "sub" / "up").symlink_to("../../out")
    (work / "sub" / "deep" / "home").symlink_to("../..")
    (work / "chain").symlink_to("sub/up/secret.txt")
    (work / "loop").symlink_to("loop")
    (work / "to_root").symlink_to("/")
    (work / "to_proc").symlink_to("/proc/self")
    os.mkfifo(work / "fifo")
    yield work
    assert not (out / "new.txt").exists()


SPECIAL = [
    *("/proc/self/environ", "/proc/self/cwd/../secret.txt", "/proc/self/root/etc/passwd"),
    *("/dev/zero", "/dev/null", "/dev/stdin", "/dev/fd/0", "//etc/passwd", "/etc/passwd\0.txt"),
    *("../secret.txt", "sub/../../secret.txt", "sub/deep/home/../out/secret.txt", "~/secret.txt"),
    *("to_folder/new.txt", "to_new", "to_file", "to_image", "fifo", "loop/x", "chain", "to_proc"),
    *("to_proc/cwd/../secret.txt", "to_root/etc/passwd", "sub/up/secret.png", "file:///etc/passwd"),
    *("..\u2215secret.txt", "\uff0e\uff0e/secret.txt", "..%2fsecret.txt", "..\\secret.txt"),
    *("x" * 300, "x/" * 3000, "../" * 3000 + "etc/passwd", "a" * 100_000, "\ufeff../secret.txt"),
    *("caf\ufffd.txt/../secret.txt", "cafe\u0301/../../secret.txt", "\u202e../secret.txt", " ../"),
    *("/data/../secret.txt", "/data/to_folder/secret.txt", ".", "", "/", "//", "...", "-rf"),
]
SPECIAL += [f"ROOT/{path}" for path in ("..", "../secret.txt", "to_folder", "-other/secret.txt")]
SPECIAL += ["ROOT-other/secret.txt", "ROOT/../work-other/secret.txt", "OUT/secret.txt", "OUT/new"]


def placed(root: Path, path: str) -> str:
    return path.replace("ROOT", str(root)).replace("OUT", str(root.parent / "out"))


@pytest.mark.parametrize("path", SPECIAL, ids=lambda path: ascii(path[:40]))
def test_a_path_that_means_harm_does_none(root: Path, path: str) -> None:
    before = snapshot(root)
    outcomes = tried(root, placed(root, path))
    assert leaks(outcomes) == []
    assert snapshot(root) == before
    assert not any("root:x:" in outcome.text for outcome in outcomes)


steps = st.sampled_from(
    [*("..", ".", "", "~", "sub", "deep", "home", "up", "a.txt", "a.png", "b.txt", "data", "out"),
     *("to_file", "to_folder", "to_image", "to_new", "to_root", "to_proc", "chain", "loop", "fifo"),
     *("secret.txt", "secret.png", "new.txt", "work", "work-other", "proc", "self", "environ"),
     *("cwd", "root", "fd", "0", "dev", "null", "etc", "passwd", "%2e%2e", "..\\", "．．"),
     *("caf\u00e9", "cafe\u0301", "caf\ufffd.txt", "\0", "\n", "\udce9", "y" * 300)]
)  # fmt: skip
starts = st.sampled_from(["", "/", "//", "ROOT/", "ROOT/../", "OUT/", "/data/", "/proc/self/cwd/"])
grammar = st.builds(lambda start, path: start + "/".join(path), starts, st.lists(steps, max_size=7))
forms = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])


@given(st.one_of(grammar, st.text(max_size=40)), forms)
@example("to_folder/secret.txt", "NFC")
@example("sub/deep/home/to_new", "NFC")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250, deadline=None
)
def test_no_path_reads_or_writes_outside(root: Path, path: str, form: str) -> None:
    path = placed(root, unicodedata.normalize(form, path))
    before = snapshot(root)
    outcomes = tried(root, path)
    assert leaks(outcomes) == []
    assert snapshot(root) == before


def test_the_canaries_would_be_heard(root: Path) -> None:
    """The same tools, let loose on the folder above, do find them: the checks can fail."""
    before = snapshot(root)
    out = root.parent / "out"
    outcomes = tried(out, "secret.txt")
    assert CANARY in leaks(outcomes)
    assert leaks([ask("view_image", out, path="secret.png")]) == [str((OUTSIDE, OUTSIDE))]
    assert snapshot(root) != before


def test_a_hard_link_is_a_file_of_the_folder(root: Path) -> None:
    """The bound of all this: it cannot be told from a file. What it shares is never written."""
    secret = root.parent / "out" / "secret.txt"
    (root / "hard.txt").hardlink_to(secret)
    assert CANARY in ask("read_file", root, path="hard.txt").text
    assert ask("write_file", root, path="hard.txt", text=WRITTEN).ok
    assert secret.read_text() == CANARY


# Races


def folder_and_link(root: Path) -> tuple[Path, Path]:
    """A folder `swapped` in the root, and a link to outside that can take its place."""
    swapped, link = root / "swapped", root / "link"
    swapped.mkdir()
    (swapped / "secret.txt").write_text("harmless\n")
    painted(swapped / "secret.png", BLUE, 4)
    link.symlink_to("../out")
    return swapped, link


def exchange(one: Path, other: Path) -> None:
    """Swap two names at once, as only Linux can."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)

    if call is None:
        pytest.skip("no renameat2 here")

    here, at_once = -100, 2
    assert call(here, os.fsencode(one), here, os.fsencode(other), at_once) == 0


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("list_files", {"folder": "swapped"}),
    ("read_file", {"path": "swapped/secret.txt"}),
    ("grep", {"path": "swapped", "pattern": "sings|harm"}),
    ("grep", {"path": ".", "pattern": "sings|harm"}),
    ("view_image", {"path": "swapped/secret.png"}),
    ("write_file", {"path": "swapped/secret.txt", "text": WRITTEN}),
    ("write_file", {"path": "swapped/new.txt", "text": WRITTEN}),
]


@pytest.mark.parametrize(("name", "arguments"), ASKED, ids=lambda value: str(value)[:40])
def test_a_link_put_there_at_the_last_moment_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any]
) -> None:
    """Between the look at a folder and its opening, it becomes a link: the worst of moments."""
    swapped, link = folder_and_link(root)
    before, opened, swaps = snapshot(root), os.open, []

    def late(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if path == "swapped" and not swaps:
            swaps.append(path)
            swapped.rename(root / "kept")
            link.rename(swapped)

        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", late)
    outcome = ask(name, root, **arguments)
    assert swaps == ["swapped"]
    assert leaks([outcome]) == []
    assert not outcome.images
    assert snapshot(root) == before


def test_a_link_put_in_the_place_of_the_file_is_replaced_not_written_through(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, before, renamed = root / "a.txt", snapshot(root), os.rename

    def late(*names: Any, **more: Any) -> None:
        target.unlink()
        target.symlink_to("../out/secret.txt")
        renamed(*names, **more)

    monkeypatch.setattr("kimi_nb.tools.placing.os.rename", late)
    assert ask("write_file", root, path="a.txt", text=WRITTEN).ok
    assert not target.is_symlink()
    assert target.read_text() == WRITTEN
    assert snapshot(root) == before


def test_a_folder_that_is_swapped_all_the_time_lets_nothing_through(root: Path) -> None:
    swapped, link = folder_and_link(root)
    exchange(swapped, link)
    exchange(swapped, link)
    before, stop = snapshot(root), threading.Event()

    def swap() -> None:
        while not stop.is_set():
            exchange(swapped, link)

    thread = threading.Thread(target=swap)
    thread.start()

    try:
        outcomes = [ask(name, root, **arguments) for _ in range(60) for name, arguments in ASKED]
    finally:
        stop.set()
        thread.join()

    assert leaks(outcomes) == []
    assert snapshot(root) == before
