"""File tools see the working folder and nothing else, and say what they leave out."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset, grep, list_files, read_file

CANARY = "the canary sings"
TOOLS = Toolset([list_files, read_file, grep])


def ask(name: str, root: Path, /, **arguments: Any) -> ToolOutcome:
    context = ToolContext(folder=root, agent="a1", run="r1")
    return asyncio.run(TOOLS.call(name, json.dumps(arguments), context))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A working folder beside a file that must never be seen."""
    (tmp_path / "secret.txt").write_text(CANARY)
    (tmp_path / "work-other").mkdir()
    (tmp_path / "work-other" / "secret.txt").write_text(CANARY)
    work = tmp_path / "work"
    (work / "sub" / "deep").mkdir(parents=True)
    (work / "a.txt").write_text("one\ntwo\nthree\n")
    (work / "sub" / "b.csv").write_text("x,y\n1,2\n")
    (work / "sub" / "deep" / "C.CSV").write_text("x\n")
    return work


# What is listed


def test_a_folder_is_listed_with_sizes(root: Path) -> None:
    assert ask("list_files", root).text == "a.txt\t14\nsub/"
    assert ask("list_files", root, folder="sub").text == "sub/b.csv\t8\nsub/deep/"
    assert ask("list_files", root, folder=str(root / "sub")).text == "sub/b.csv\t8\nsub/deep/"
    assert ask("list_files", root, folder="/data/sub").text == "sub/b.csv\t8\nsub/deep/"


def test_a_pattern_ignores_case_and_goes_deep(root: Path) -> None:
    assert ask("list_files", root, pattern="*.csv", recursive=True).text == (
        "sub/b.csv\t8\nsub/deep/C.CSV\t2"
    )
    assert ask("list_files", root, pattern="**/*.CSV").text == "sub/b.csv\t8\nsub/deep/C.CSV\t2"
    assert ask("list_files", root, pattern="sub/*.csv", recursive=True).text == (
        "sub/b.csv\t8\nsub/deep/C.CSV\t2"
    )


def test_nothing_found_says_what_there_is(root: Path) -> None:
    (root / "empty").mkdir()
    assert ask("list_files", root, pattern="*.csv").text == (
        "[no files match '*.csv' in '.'; the folder has: a.txt, empty/, sub/]"
    )
    assert ask("list_files", root, folder="empty").text == (
        "[no files match '*' in 'empty'; the folder has: nothing]"
    )


def test_a_missing_folder_is_answered_with_the_folders_there_are(root: Path) -> None:
    (root / "data").mkdir()
    missing = ask("list_files", root, folder="dta")
    deeper = ask("list_files", root, folder="sub/nope/x")
    assert (missing.ok, missing.text) == (
        False,
        "ERROR: no folder 'dta'; there are: data/, sub/",
    )
    assert deeper.text == "ERROR: no folder 'sub/nope'; there are: sub/deep/"
    assert ask("read_file", root, path="b.txt").text == (
        "ERROR: no file 'b.txt'; there are: a.txt, data/, sub/"
    )
    assert "is a file; call read_file" in ask("list_files", root, folder="a.txt").text
    assert "is a folder; call list_files" in ask("read_file", root, path="sub").text


def test_folders_that_nobody_means_are_not_entered(root: Path) -> None:
    for name in (".git", "__pycache__", ".ipynb_checkpoints"):
        (root / name).mkdir()
        (root / name / "x.txt").write_text("one\n")

    assert "x.txt" not in ask("list_files", root, recursive=True).text
    assert ask("grep", root, pattern="one").text == "a.txt:1: one\n[1 matches in 1 files]"


def test_names_that_cannot_be_typed_are_shown_and_found(root: Path) -> None:
    raw = os.fsencode(root) + b"/caf\xe9.txt"
    Path(os.fsdecode(raw)).write_text("latin name")
    (root / "tab\there.txt").write_text("tab name")
    (root / "cafe\u0301.md").write_text("decomposed")
    listed = ask("list_files", root).text.splitlines()
    assert "caf\ufffd.txt\t10" in listed
    assert "tab\ufffdhere.txt\t8" in listed
    assert "caf\u00e9.md\t10" in listed
    assert ask("read_file", root, path="caf\ufffd.txt").text == "latin name"
    assert ask("read_file", root, path="tab\ufffdhere.txt").text == "tab name"
    assert ask("read_file", root, path="caf\u00e9.md").text == "decomposed"


def test_a_crowded_folder_fits_into_one_answer(root: Path) -> None:
    crowd = root / "crowd"
    crowd.mkdir()

    for number in range(1500):
        (crowd / f"a rather long name of a file {number:05}.txt").touch()

    outcome = ask("list_files", root, folder="crowd")
    lines = outcome.text.splitlines()
    assert not outcome.truncated
    assert lines[-1] == f"[… {1500 - len(lines) + 1} more; narrow the pattern or name a folder]"


# What is read


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), max_size=30),
    offset=st.integers(0, 40),
    limit=st.integers(1, 40),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_those_of_the_file(
    tmp_path: Path, lines: list[str], offset: int, limit: int
) -> None:
    lines = [line.replace("\0", "") for line in lines]
    whole = "".join(line + "\n" for line in lines)
    (tmp_path / "f.txt").write_bytes(whole.encode())
    shown = ask("read_file", tmp_path, path="f.txt", offset=offset, limit=limit).text
    lines = [lines[0].removeprefix("\ufeff"), *lines[1:]] if lines else []

    if not whole or whole == "\ufeff":
        assert shown == "[the file is empty]"
    elif offset >= len(lines):
        assert shown == f"[the file has {len(lines)} lines; offset={offset} is past the end]"
    else:
        rest = len(lines) - offset - limit
        more = [f"[… {rest} more lines; call again with offset={offset + limit}]"]
        assert shown.split("\n") == lines[offset : offset + limit] + more * (rest > 0)


def test_following_the_offsets_reads_the_whole_file(root: Path) -> None:
    lines = [f"line {number} " + "x" * (number % 300) for number in range(2000)]
    (root / "long.txt").write_text("\r\n".join(lines))
    found: list[str] = []
    offset = 0

    while True:
        outcome = ask("read_file", root, path="long.txt", offset=offset, limit=10_000)
        assert not outcome.truncated
        part = outcome.text.split("\n")
        more = re.fullmatch(r"\[… (\d+) more lines; call again with offset=(\d+)\]", part[-1])
        found += part[:-1] if more else part

        if not more:
            break

        offset = int(more[2])
        assert len(found) + int(more[1]) == len(lines)

    assert found == lines


def test_encodings_are_recognised_or_admitted(root: Path) -> None:
    note = "[not UTF-8: undecodable bytes shown as U+FFFD]"
    (root / "bom.txt").write_bytes("é".encode("utf-8-sig"))
    (root / "wide.txt").write_bytes("é\nü".encode("utf-16"))
    (root / "latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    (root / "binary.dat").write_bytes(b"\x7fELF\0\0\1")
    assert ask("read_file", root, path="bom.txt").text == "é"
    assert ask("read_file", root, path="wide.txt").text == "é\nü"
    assert ask("read_file", root, path="latin.txt").text == f"{note}\ncaf\ufffd"
    assert ask("read_file", root, path="binary.dat").text == "ERROR: 'binary.dat' is binary"


def test_offsets_and_limits_must_make_sense(root: Path) -> None:
    assert not ask("read_file", root, path="a.txt", offset=-1).ok
    assert not ask("read_file", root, path="a.txt", limit=0).ok


def test_a_huge_file_is_not_read(root: Path) -> None:
    with (root / "huge.txt").open("wb") as file:
        file.truncate(60_000_000)

    assert ask("read_file", root, path="huge.txt").text == (
        "ERROR: 'huge.txt' is too large to read (60 MB)"
    )


# What is searched


@given(
    files=st.dictionaries(
        st.sampled_from(["a.txt", "b.md", "d/c.py"]),
        st.lists(st.text(alphabet="abAB .", max_size=8), max_size=6),
    ),
    pattern=st.sampled_from(["a", "a+b", "^b", "b$", r"\bab\b", "[AB]{2}", "a|B", "x*"]),
    ignore_case=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_matches_are_those_of_re(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, list[str]],
    pattern: str,
    ignore_case: bool,  # noqa: FBT001 - hypothesis gives it by name
) -> None:
    folder = tmp_path_factory.mktemp("searched")
    (folder / "d").mkdir()

    for name, lines in files.items():
        (folder / name).write_text("".join(line + "\n" for line in lines))

    expected = [
        f"{name}:{number}: {line.strip()}"
        for name, lines in files.items()
        for number, line in enumerate(lines, 1)
        if re.search(pattern, line, re.IGNORECASE if ignore_case else 0)
    ]
    shown = ask("grep", folder, pattern=pattern, ignore_case=ignore_case).text.split("\n")
    hit = {line.split(":")[0] for line in expected}
    assert shown[-1] == f"[{len(expected)} matches in {len(hit)} files]"
    assert sorted(shown[:-1]) == sorted(expected)


def test_one_file_can_be_searched(root: Path) -> None:
    assert ask("grep", root, pattern="t.", path="a.txt").text == (
        "a.txt:2: two\na.txt:3: three\n[2 matches in 1 files]"
    )


def test_what_is_not_searched_is_named(root: Path) -> None:
    (root / "huge.log").write_text("one\n" * 1_300_000)
    (root / "binary.dat").write_bytes(b"one\0")
    assert ask("grep", root, pattern="one").text == (
        "a.txt:1: one\n[not searched: huge.log, 5 MB]\n[1 matches in 1 files]"
    )


def test_a_bad_pattern_says_what_to_do(root: Path) -> None:
    outcome = ask("grep", root, pattern="(a")
    assert not outcome.ok
    assert "'(a' is not a regular expression" in outcome.text
    assert "put \\ before" in outcome.text


def test_a_pattern_that_backtracks_for_ever_is_given_up(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kimi_nb.tools.files.SEARCH_SECONDS", 0.2)
    (root / "bait.txt").write_text("a" * 60 + "b\n")
    outcome = ask("grep", root, pattern=r"^(a|aa)+$", path="bait.txt")
    assert not outcome.ok
    assert "the search took longer" in outcome.text


def test_many_and_long_matches_fit_into_one_answer(root: Path) -> None:
    (root / "many.txt").write_text(("needle " + "x" * 1000 + "\n") * 500)
    outcome = ask("grep", root, pattern="needle")
    *matches, more, total = outcome.text.split("\n")
    assert not outcome.truncated
    assert total == "[500 matches in 1 files]"
    assert more == f"[… {500 - len(matches)} more matches; narrow the pattern or the path]"
    assert max(map(len, matches)) < 400


# What is never seen


def reach(root: Path, path: str) -> list[ToolOutcome]:
    """What each tool gives for a path."""
    return [
        ask("read_file", root, path=path),
        ask("list_files", root, folder=path, recursive=True),
        ask("grep", root, path=path, pattern="canary"),
    ]


def sees(outcomes: list[ToolOutcome]) -> bool:
    return any(CANARY in outcome.text or "secret" in outcome.text for outcome in outcomes)


@pytest.fixture
def traps(root: Path) -> Iterator[Path]:
    """Links of every kind, a FIFO, a socket."""
    out = root.parent
    (root / "to_file").symlink_to(out / "secret.txt")
    (root / "to_folder").symlink_to(out)
    (root / "relative").symlink_to("../secret.txt")
    (root / "sub" / "up_and_out").symlink_to("../../secret.txt")
    (root / "chain").symlink_to("to_folder/secret.txt")
    (root / "loop").symlink_to("loop")
    (root / "to_proc").symlink_to("/proc/self/environ")
    (root / "to_root").symlink_to("/")
    (root / "inside").symlink_to("sub/b.csv")
    (root / "inside_absolute").symlink_to(root / "a.txt")
    (root / "inside_folder").symlink_to("sub/deep")
    (root / "sub" / "round_about").symlink_to("../../work/a.txt")
    os.mkfifo(root / "fifo")

    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root)  # the path of a socket must be short
        server.bind("socket")
        os.chdir(here)
        yield root


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../secret.txt",
        "sub/../../secret.txt",
        "./../work-other/secret.txt",
        "/etc/passwd",
        "//etc/passwd",
        "/data/../secret.txt",
        "/proc/self/environ",
        "/dev/zero",
        "secret.txt\0",
        "\0",
        "to_file",
        "to_folder",
        "to_folder/secret.txt",
        "relative",
        "sub/up_and_out",
        "sub/round_about",
        "chain",
        "loop",
        "to_proc",
        "to_root/etc/passwd",
        "fifo",
        "socket",
        "~/secret.txt",
        "a.txt/../../secret.txt",
    ],
)
def test_nothing_outside_is_seen_and_nothing_blocks(traps: Path, path: str) -> None:
    for given_ in (path, f"{traps}/{path}", f"{traps}-other/../{path}"):
        outcomes = reach(traps, given_)
        assert not any(outcome.ok for outcome in outcomes), outcomes
        assert not any(CANARY in outcome.text for outcome in outcomes)


def test_prefixes_of_the_folder_are_not_the_folder(traps: Path) -> None:
    assert not any(outcome.ok for outcome in reach(traps, f"{traps}-other/secret.txt"))


def test_a_walk_meets_the_traps_and_sees_nothing(traps: Path) -> None:
    listed = ask("list_files", traps, recursive=True).text
    assert listed.splitlines() == [
        "a.txt\t14",
        "inside\t8",
        "inside_absolute\t14",
        "inside_folder/",
        "sub/",
        "sub/b.csv\t8",
        "sub/deep/",
        "sub/deep/C.CSV\t2",
    ]
    assert ask("grep", traps, pattern="canary|root").text == "[0 matches in 0 files]"


def test_links_that_stay_inside_are_followed(traps: Path) -> None:
    assert ask("read_file", traps, path="inside").text == "x,y\n1,2"
    assert ask("read_file", traps, path="inside_absolute").text == "one\ntwo\nthree"
    assert ask("read_file", traps, path="inside_folder/C.CSV").text == "x"


def test_a_working_folder_that_is_a_link_is_the_folder_behind_it(root: Path) -> None:
    alias = root.parent / "alias"
    alias.symlink_to(root)
    assert ask("read_file", alias, path="a.txt").ok
    assert ask("read_file", alias, path=f"{alias}/a.txt").ok
    assert ask("read_file", alias, path=f"{root}/a.txt").ok
    assert not ask("read_file", alias, path="../secret.txt").ok


def test_a_missing_working_folder_is_an_answer(tmp_path: Path) -> None:
    for name in ("list_files", "grep"):
        outcome = ask(name, tmp_path / "gone", pattern="x")
        assert not outcome.ok
        assert "the working folder" in outcome.text


steps = st.sampled_from(
    [*("..", ".", "", "sub", "deep", "to_file", "to_folder", "relative", "chain", "loop", "secret"),
     *("to_root", "to_proc", "inside_folder", "a.txt", "secret.txt", "work", "work-other", "\0"),
     *("fifo", "data", "etc", "passwd", "proc", "self", "environ", "up_and_out", "%2e%2e", "..\\")]
)  # fmt: skip


@given(path=st.lists(steps, max_size=7).map("/".join), start=st.sampled_from(["", "/", "ROOT/"]))
@example(path="to_folder/secret.txt", start="")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_no_path_at_all_leads_out(traps: Path, path: str, start: str) -> None:
    given_ = start.replace("ROOT", str(traps)) + path
    outcome = ask("read_file", traps, path=given_)
    text = outcome.text
    assert CANARY not in text
    assert "root:x:" not in text
    assert not outcome.ok or text in {"one\ntwo\nthree", "x,y\n1,2", "x"}
    searched = ask("grep", traps, path=given_, pattern="canary sings|root:")
    assert CANARY not in searched.text
    assert not searched.ok or searched.text == "[0 matches in 0 files]"


def test_a_link_that_is_swapped_in_while_reading_wins_no_race(traps: Path) -> None:
    swapped, new, stop = traps / "swapped", traps / "swapped.new", threading.Event()

    def swap() -> None:
        while not stop.is_set():
            new.write_text("harmless")
            new.rename(swapped)
            new.symlink_to("../secret.txt")
            new.rename(swapped)

    swapped.write_text("harmless")
    thread = threading.Thread(target=swap)
    thread.start()

    try:
        seen = {ask("read_file", traps, path="swapped").text for _ in range(300)}
    finally:
        stop.set()
        thread.join()

    assert not any(CANARY in text for text in seen)
