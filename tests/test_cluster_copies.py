"""Workers' copies of a run's folder: equal in the end, and no write of a sub-agent is lost."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.swarm.cluster import cache as caches
from kimi_nb.swarm.cluster import inside, tree
from kimi_nb.swarm.cluster.cache import Cache
from kimi_nb.swarm.cluster.copies import Copy
from kimi_nb.swarm.cluster.folder import Folder
from kimi_nb.swarm.cluster.manifest import FOLDER, Change, Manifest


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(cache: Cache, name: str, data: bytes) -> bool:
    """Keep a content; whether it is what it is called."""
    with cache.receive(name) as receiver:
        receiver.write(data)
        return receiver.finish()


class Side:
    """A worker with its copy, and the way to the kernel's folder."""

    def __init__(self, folder: Folder, cache: Cache, root: Path) -> None:
        self.folder = folder
        self.cache = cache
        self.copy = Copy(cache, root)
        self.refused: list[str] = []

    def send(self) -> None:
        for change in self.copy.changes():
            try:
                if change.digest is None:
                    self.folder.remove(change.path)
                elif change.digest == FOLDER:
                    self.folder.take(change.path, FOLDER)
                else:
                    self.folder.take(change.path, change.digest, b"".join(self.copy.pieces(change)))
            except ToolError:
                self.refused.append(change.path)

            self.copy.sent(change)

    def fetch(self) -> None:
        manifest = Manifest.unpacked(self.folder.manifest().packed())

        for each in self.copy.missing(manifest):
            assert put(self.cache, each, b"".join(self.folder.pieces(each)))

        assert self.copy.update(manifest) == []

    def sync(self) -> None:
        self.send()
        self.fetch()


class Trio:
    """The kernel's folder and two workers on one machine."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.root = top / "root"
        self.root.mkdir()
        folder = Folder(self.root)
        cache = Cache(top / "cache")
        self.one = Side(folder, cache, top / "one")
        self.two = Side(folder, cache, top / "two")

    def roots(self) -> tuple[Path, Path, Path]:
        return self.root, self.one.copy.path, self.two.copy.path


@pytest.fixture
def trio(tmp_path: Path) -> Trio:
    return Trio(tmp_path)


def held(root: Path) -> dict[str, bytes | None]:
    """All files with their content, and folders."""
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
    }


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
DEEDS = st.one_of(
    st.tuples(st.just("write"), PATHS, st.binary(max_size=3)),
    st.tuples(st.just("remove"), PATHS, st.just(b"")),
    st.tuples(st.just("rename"), PATHS, PATHS.map(str.encode)),
    st.tuples(st.just("folder"), PATHS, st.just(b"")),
)


def do(root: Path, kind: str, name: str, data: bytes) -> None:
    """What a tool might do; what cannot be done is not."""
    path = root / name

    try:
        match kind:
            case "write":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            case "folder":
                path.mkdir(parents=True, exist_ok=True)
            case "rename":
                path.rename(root / data.decode())
            case _ if path.is_dir():
                shutil.rmtree(path)
            case _:
                path.unlink()
    except OSError:
        pass


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.lists(DEEDS, max_size=6)), max_size=5))
def test_what_one_side_did_all_have(rounds: list[tuple[int, list[tuple[str, str, bytes]]]]) -> None:
    with tempfile.TemporaryDirectory() as top:
        trio = Trio(Path(top))

        for side, deeds in rounds:
            root = trio.roots()[side]

            for deed in deeds:
                do(root, *deed)

            wanted = held(root)

            for worker in (trio.one, trio.two, trio.one):
                worker.sync()

            assert [held(each) for each in trio.roots()] == [wanted] * 3

        assert trio.one.refused + trio.two.refused == []


STEPS = st.one_of(
    st.tuples(st.integers(0, 2), DEEDS),
    st.tuples(st.integers(1, 2), st.sampled_from(["send", "fetch", "sync"])),
)


@given(st.lists(STEPS, max_size=24))
def test_all_folders_are_equal_in_the_end(
    steps: list[tuple[int, tuple[str, str, bytes] | str]],
) -> None:
    with tempfile.TemporaryDirectory() as top:
        trio = Trio(Path(top))
        sides = (None, trio.one, trio.two)

        for number, deed in steps:
            side = sides[number]

            if isinstance(deed, tuple):
                do(trio.roots()[number], *deed)
            elif side is not None:
                mine = {
                    change: b"".join(side.copy.pieces(change)) for change in side.copy.changes()
                }
                getattr(side, deed)()

                if deed == "fetch":
                    check_kept(side.copy, mine)

        for worker in (trio.one, trio.two) * 3:
            worker.sync()

        root, one, two = map(held, trio.roots())
        assert root == one == two
        assert trio.one.copy.changes() == trio.two.copy.changes() == []


def check_kept(copy: Copy, mine: dict[Change, bytes | None]) -> None:
    """An update left alone what was not sent."""
    for change, data in mine.items():
        path = copy.path / change.path

        if change.digest not in {None, FOLDER}:
            assert path.read_bytes() == data
        elif change.digest == FOLDER:
            assert path.is_dir()


def test_a_copy_is_for_this_user_alone_and_nobody_elses_file(trio: Trio) -> None:
    (trio.root / "sub").mkdir()
    (trio.root / "sub" / "a").write_bytes(b"aaa")
    (trio.root / "run").write_bytes(b"run")
    (trio.root / "run").chmod(0o755)
    (trio.root / "link").symlink_to("sub/a")
    (trio.root / "sub" / "up").symlink_to(trio.root / "run")
    trio.one.fetch()
    trio.two.fetch()
    one, two = trio.one.copy.path, trio.two.copy.path
    modes = {p.name: stat.S_IMODE(p.lstat().st_mode) for p in [one, *one.rglob("[!lu]*")]}
    assert modes == {"one": 0o700, "sub": 0o700, "a": 0o600, "run": 0o700}
    assert os.readlink(one / "link") == "sub/a"  # noqa: PTH115 - as it stands
    assert (one / "sub" / "up").read_bytes() == b"run"
    assert {stat.S_IMODE(p.stat().st_mode) for p in (trio.top / "cache").rglob("*")} == {
        0o700,
        0o600,
    }

    with (one / "sub" / "a").open("r+b") as file:
        file.write(b"bbb")

    assert (two / "sub" / "a").read_bytes() == b"aaa"
    assert list(trio.one.cache.pieces(digest(b"aaa"))) == [b"aaa"]
    assert trio.one.copy.changes() == [Change("sub/a", digest(b"bbb"), 3)]


def test_an_own_write_wins_until_it_is_sent(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"old")
    trio.one.fetch()
    (trio.one.copy.path / "a").write_bytes(b"worker")
    (trio.root / "a").write_bytes(b"kernel")
    trio.one.fetch()
    assert (trio.one.copy.path / "a").read_bytes() == b"worker"

    trio.one.send()
    assert (trio.root / "a").read_bytes() == b"worker"
    (trio.root / "a").write_bytes(b"kernel again")
    trio.one.fetch()
    assert (trio.one.copy.path / "a").read_bytes() == b"kernel again"


def test_what_both_did_is_not_sent(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"old")
    (trio.root / "b").write_bytes(b"old")
    trio.one.fetch()

    for root in (trio.root, trio.one.copy.path):
        (root / "a").write_bytes(b"new")
        (root / "b").unlink()
        (root / "c").mkdir()

    assert len(trio.one.copy.changes()) == 3
    trio.one.fetch()
    assert trio.one.copy.changes() == []


def test_what_the_kernel_refused_is_put_back(trio: Trio) -> None:
    (trio.root / ".config").write_bytes(b"kernel")
    (trio.root / "kept").mkdir()
    (trio.root / "kept" / "new").symlink_to("../.config")
    trio.one.fetch()
    (trio.one.copy.path / ".config").write_bytes(b"worker")
    (trio.one.copy.path / ".new").write_bytes(b"worker")
    trio.one.sync()
    assert trio.one.refused == [".config", ".new"]
    assert (
        held(trio.one.copy.path)
        == held(trio.root)
        == {
            ".config": b"kernel",
            "kept": None,
            "kept/new": b"kernel",
        }
    )


def test_the_executable_bit_comes_from_the_kernel(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"a")
    trio.one.fetch()
    (trio.root / "a").chmod(0o755)
    trio.one.fetch()
    assert os.access(trio.one.copy.path / "a", os.X_OK)
    assert trio.one.copy.changes() == []


def test_a_removed_folder_goes_with_what_python_left_in_it(trio: Trio) -> None:
    (trio.root / "lib").mkdir()
    (trio.root / "lib" / "a.py").write_bytes(b"a")
    trio.one.fetch()
    (trio.one.copy.path / "lib" / "__pycache__").mkdir()
    (trio.one.copy.path / "lib" / "__pycache__" / "a.pyc").write_bytes(b"a")
    assert trio.one.copy.changes() == []
    shutil.rmtree(trio.root / "lib")
    trio.one.fetch()
    assert held(trio.one.copy.path) == {}
    assert trio.one.copy.changes() == []


def test_a_copy_writes_through_no_link(trio: Trio) -> None:
    (trio.top / "elsewhere").mkdir()
    trio.one.fetch()
    (trio.one.copy.path / "sub").symlink_to(trio.top / "elsewhere")
    (trio.one.copy.path / "a").symlink_to(trio.top / "elsewhere" / "a")
    (trio.root / "sub").mkdir()
    (trio.root / "sub" / "b").write_bytes(b"b")
    (trio.root / "a").write_bytes(b"a")
    trio.one.fetch()
    assert list((trio.top / "elsewhere").iterdir()) == []
    assert held(trio.one.copy.path) == held(trio.root)


def test_a_link_of_a_tool_is_neither_sent_nor_removed(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"a")
    trio.one.fetch()
    (trio.one.copy.path / "mine").symlink_to("a")
    trio.one.sync()
    assert (trio.one.copy.path / "mine").is_symlink()
    assert not (trio.root / "mine").exists()


def test_links_are_the_kernels_alone(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"a")
    (trio.root / "b").write_bytes(b"b")
    (trio.root / "to_a").symlink_to("a")
    (trio.root / "to_b").symlink_to("b")
    trio.one.fetch()
    (trio.one.copy.path / "a").unlink()  # its link leads nowhere now
    (trio.one.copy.path / "to_b").unlink()
    assert trio.one.copy.changes() == [Change("a", None)]
    trio.one.sync()
    assert (trio.root / "to_a").is_symlink()
    assert (trio.one.copy.path / "to_b").read_bytes() == b"b"
    assert trio.one.refused == []


@pytest.mark.parametrize("then", [b"tool's", None])
def test_what_a_tool_does_during_an_update_is_kept(
    trio: Trio, monkeypatch: pytest.MonkeyPatch, then: bytes | None
) -> None:
    for name in ("changed", "removed"):
        (trio.root / name).write_bytes(b"old")

    trio.one.fetch()
    (trio.root / "changed").write_bytes(b"kernel's")
    (trio.root / "removed").unlink()
    copy = trio.one.copy
    really = copy._plan

    def meanwhile(manifest: Manifest) -> object:
        plan = really(manifest)

        for name in ("changed", "removed"):
            if then is None:
                (copy.path / name).unlink()
            else:
                (copy.path / name).write_bytes(then)

        return plan

    manifest = trio.one.folder.manifest()
    put(trio.one.cache, digest(b"kernel's"), b"kernel's")
    monkeypatch.setattr(Copy, "_plan", lambda _, manifest: meanwhile(manifest))
    assert copy.update(manifest) == []
    assert held(copy.path) == ({} if then is None else {"changed": then, "removed": then})
    told = [(change.path, change.digest) for change in copy.changes()]
    assert ("changed", then and digest(then)) in told


def test_a_change_that_changes_again_is_read_as_it_is_then(trio: Trio) -> None:
    path = trio.one.copy.path / "a"
    path.write_bytes(b"one")
    (change,) = trio.one.copy.changes()
    assert list(trio.one.copy.pieces(change)) == [b"one"]
    path.write_bytes(b"two")
    assert list(trio.one.copy.pieces(change)) == [b"two"]
    path.unlink()
    assert list(trio.one.copy.pieces(change)) == []


def test_what_cannot_be_read_is_not_taken_for_removed(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    (trio.root / "a").write_bytes(b"a")
    trio.one.fetch()

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(tree, "open_file", refuse)
        assert trio.one.copy.changes() == []
        assert trio.one.copy.update(Manifest(entries={}, skipped={})) == []

    assert trio.one.copy.changes() == []
    assert (trio.one.copy.path / "a").exists()
    (trio.root / "a").unlink()
    trio.one.sync()
    assert held(trio.one.copy.path) == held(trio.root) == {}


def test_a_copy_that_is_gone_is_no_change(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"a")
    trio.one.fetch()
    shutil.rmtree(trio.one.copy.path)

    with pytest.raises(UsageFault, match="cannot be read"):
        trio.one.copy.changes()


def test_a_copy_that_is_being_removed_removes_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy(Cache(tmp_path / "cache"), tmp_path / "copy")
    (copy.path / "a").write_bytes(b"a")
    (copy.path / "b").write_bytes(b"b")

    for change in copy.changes():
        copy.sent(change)

    really = copy._tree.manifest

    def meanwhile() -> Manifest:
        copy.close()
        copy.path.mkdir()
        return really()

    monkeypatch.setattr(type(copy._tree), "manifest", lambda _: meanwhile())

    with pytest.raises(UsageFault, match="being removed"):
        copy.changes()


def test_a_file_that_is_half_written_is_not_told(trio: Trio) -> None:
    (trio.one.copy.path / f".{'0' * 16}.part").write_bytes(b"half")
    assert trio.one.copy.changes() == []


def test_a_full_disk_is_told_and_leaves_what_was_there(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    (trio.root / "a").write_bytes(b"old")
    trio.one.fetch()
    (trio.root / "a").write_bytes(b"new")
    (trio.root / "b").write_bytes(b"old")
    manifest = trio.one.folder.manifest()
    put(trio.one.cache, digest(b"new"), b"new")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(inside.os, "write", full)

        with pytest.raises(UsageFault, match=r"No space left.*--local-directory"):
            trio.one.copy.update(manifest)

    assert held(trio.one.copy.path) == {"a": b"old"}
    assert trio.one.copy.changes() == []
    assert trio.one.copy.update(manifest) == []
    assert held(trio.one.copy.path) == {"a": b"new", "b": b"old"}


def test_a_damaged_content_is_asked_for_again(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"aaa")
    (trio.root / "b").write_bytes(b"bbb")
    manifest = trio.one.folder.manifest()
    copy, cache = trio.one.copy, trio.one.cache
    assert copy.update(manifest) == copy.missing(manifest) == sorted(map(digest, (b"aaa", b"bbb")))
    put(cache, digest(b"aaa"), b"aaa")
    put(cache, digest(b"bbb"), b"bbb")
    next((trio.top / "cache").rglob(digest(b"aaa"))).write_bytes(b"aax")
    assert copy.missing(manifest) == []
    assert copy.update(manifest) == [digest(b"aaa")]
    assert held(copy.path) == {"b": b"bbb"}
    assert copy.missing(manifest) == [digest(b"aaa")]
    put(cache, digest(b"aaa"), b"aaa")
    assert copy.update(manifest) == []
    assert held(copy.path) == held(trio.root)


def test_a_copy_can_be_thrown_away(trio: Trio) -> None:
    (trio.root / "a").write_bytes(b"aaa")
    trio.one.fetch()
    trio.one.copy.close()
    assert not trio.one.copy.path.exists()
    assert (trio.root / "a").exists()


def blobs(root: Path) -> Iterator[str]:
    return (path.name for path in root.rglob("*") if path.is_file())


def test_what_was_used_longest_ago_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 30)
    data = [bytes([65 + each]) * 10 for each in range(4)]

    for age, each in enumerate(data[:3]):
        put(cache, digest(each), each)
        path = next((tmp_path / "cache").rglob(digest(each)))
        os.utime(path, (time.time() - 100 + age,) * 2)

    assert cache.has(digest(data[0]))
    put(cache, digest(data[3]), data[3])
    assert [cache.has(digest(each)) for each in data] == [True, False, True, True]


def test_a_content_larger_than_the_cache_is_still_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 5)
    put(cache, digest(b"x" * 10), b"x" * 10)
    assert cache.has(digest(b"x" * 10))


def test_what_dead_processes_left_behind_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    name = digest(b"a")
    folder = tmp_path / "cache" / name[:2]
    folder.mkdir(mode=0o700)

    for part, age in ((".old.part", 2 * caches.LEFT_BEHIND), (".new.part", 0)):
        (folder / part).write_bytes(b"half")
        os.utime(folder / part, (time.time() - age,) * 2)

    put(cache, name, b"a")
    assert sorted(blobs(tmp_path)) == [".new.part", name]


def test_only_whole_contents_are_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert not put(cache, digest(b"one"), b"two")

    with cache.receive(digest(b"one")) as receiver:
        receiver.write(b"o")

    assert not cache.has(digest(b"one"))
    assert list(cache.pieces(digest(b"one"))) == []
    assert list(blobs(tmp_path)) == []

    with cache.receive(digest(b"one")) as receiver:
        for piece in (b"o", b"ne"):
            receiver.write(piece)

        assert receiver.finish()

    assert list(cache.pieces(digest(b"one"))) == [b"one"]


def test_many_writers_of_one_content_do_no_harm(tmp_path: Path) -> None:
    data = [bytes([each]) * 1_000 for each in range(20)]
    shared = [Cache(tmp_path / "cache", 5_000) for _ in range(4)]
    wrong: list[bytes] = []

    def work(cache: Cache) -> None:
        for each in data * 3:
            put(cache, digest(each), each)
            found = b"".join(cache.pieces(digest(each)))

            if found not in {b"", each}:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(cache,)) for cache in shared]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert wrong == []
    assert set(blobs(tmp_path)) <= {digest(each) for each in data}
    assert 1 <= len(list(blobs(tmp_path))) <= 6


@pytest.mark.parametrize("digest", ["", "../x", "a" * 63, "G" * 64])
def test_only_digests_are_names(tmp_path: Path, digest: str) -> None:
    with pytest.raises(UsageFault):
        Cache(tmp_path / "cache").receive(digest)


def test_a_folder_that_others_can_write_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path)

    for name in ("open", "link"):
        with pytest.raises(UsageFault, match="only this user can write"):
            Cache(tmp_path / name)
