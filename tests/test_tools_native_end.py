"""How a call in the native sandbox ends, what it leaves, and what is refused to begin with."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kimi_nb.errors import ToolError
from kimi_nb.tools.native import available, calls, probe, process, rules, run, run_blocking
from kimi_nb.tools.native.scratch import scratch_folder

sandboxed = pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox")

SLEEPS = """
import os, time
open(os.environ["TMPDIR"] + "/left", "w")
open("pid", "w").write(str(os.getpid()) + " ")
time.sleep(600)
"""
LITTERS = SLEEPS.replace(
    "time.sleep(600)", "while True: open(os.environ['TMPDIR'] + f'/{time.monotonic_ns()}', 'w')"
)
STARTER = """
import sys, threading
from pathlib import Path
from kimi_nb.tools.native import run_blocking
folder = Path(sys.argv[1])
def call():
    command = [sys.executable, "-I", "-c", sys.argv[2]]
    run_blocking(command, folder=folder, writable=True, seconds=600)
threading.Thread(target=call, daemon=True).start()
print("started", flush=True)
sys.stdin.read()
"""


def command(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def until(condition: Callable[[], bool]) -> None:
    """Wait for it; the test's own time limit ends what never comes."""
    while not condition():
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Dead, reaped or not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    return True


def names(folder: Path) -> list[str]:
    """Of everything below."""
    return [path.name for path in folder.rglob("*")]


def started(folder: Path) -> int:
    """The number of the process that runs SLEEPS, once it does."""
    path = folder / "pid"
    until(lambda: path.exists() and path.read_text().endswith(" "))
    return int(path.read_text())


@pytest.fixture
def own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that no other test uses."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    return path


@sandboxed
async def test_cancelling_kills_and_cleans_up(own_tmp: Path, folder: Path) -> None:
    call = asyncio.create_task(run(command(SLEEPS), folder=folder, writable=True, seconds=600))
    pid = await asyncio.to_thread(started, folder)
    assert not gone(pid)
    assert "left" in names(own_tmp)
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call

    await asyncio.to_thread(until, lambda: gone(pid) and not names(own_tmp))


@sandboxed
async def test_cancelling_before_it_starts_starts_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, over = threading.Event(), threading.Event()

    def late(*given: Any) -> Any:
        cancelled.wait()

        try:
            return process.launch(*given)
        finally:
            over.set()

    started: list[Any] = []
    monkeypatch.setattr(calls, "launch", late)
    monkeypatch.setattr(process, "_started", lambda *given: started.append(given))
    call = asyncio.create_task(run(command(SLEEPS), folder=folder, writable=True, seconds=600))
    await asyncio.sleep(0)
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call

    cancelled.set()
    await asyncio.to_thread(over.wait)
    assert started == []


@sandboxed
@pytest.mark.parametrize("way", ["killed", "over"])
def test_nothing_outlives_the_parent(own_tmp: Path, folder: Path, way: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), LITTERS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    with parent:
        pid = started(folder)
        assert not gone(pid)

        if way == "killed":
            parent.kill()
        else:
            parent.communicate()

    until(lambda: gone(pid))
    # Who is killed cleans nothing up; whose work is over does.
    assert bool(names(own_tmp)) == (way == "killed")


@sandboxed
def test_many_at_once_do_not_disturb_each_other(folder: Path) -> None:
    async def all_of_them() -> list[str]:
        calls = [
            run(command(f"print({n})"), folder=folder, writable=False, seconds=60) for n in range(8)
        ]
        return [done.output for done in await asyncio.gather(*calls)]

    assert asyncio.run(all_of_them()) == [f"{n}\n" for n in range(8)]


@sandboxed
def test_no_descriptor_is_left_open(folder: Path) -> None:
    """In a process of its own: what else this one has open may be closed at any time."""
    code = f"""
import os, sys
from pathlib import Path
from kimi_nb.tools.native import run_blocking

def count():
    command = [sys.executable, "-I", "-c", "pass"]
    run_blocking(command, folder=Path({str(folder)!r}), writable=False, seconds=60)
    return len(os.listdir("/proc/self/fd"))

print(count() == count())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_scratch_folder_goes_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    here, limit = Path.cwd(), sys.getrecursionlimit()

    with scratch_folder() as scratch:
        os.chdir(scratch)

        for _ in range(120):
            Path("deep").mkdir()
            os.chdir("deep")

        os.chdir(here)
        (scratch / "link").symlink_to(tmp_path)
        (scratch / "closed").mkdir()
        (scratch / "closed/file").write_text("")
        (scratch / "closed").chmod(0)
        os.mkfifo(scratch / "fifo")
        sys.setrecursionlimit(len(inspect.stack(0)) + 100)  # less than deep

    sys.setrecursionlimit(limit)
    assert not scratch.exists()
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("abi", [0, 2])
async def test_without_landlock_it_refuses(
    folder: Path, monkeypatch: pytest.MonkeyPatch, abi: int
) -> None:
    monkeypatch.setattr(probe, "landlock_abi", lambda: abi)
    assert "needs landlock 3" in available()
    more: dict[str, Any] = {"folder": folder, "writable": True, "seconds": 60}

    with pytest.raises(ToolError, match="needs landlock 3"):
        run_blocking(command("open('ran', 'w')"), **more)

    with pytest.raises(ToolError, match="needs landlock 3"):
        await run(command("open('ran', 'w')"), **more)

    assert names(folder) == []


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "needs Linux" in available()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(probe.platform, "machine", lambda: "riscv64")
    assert "riscv64" in available()


@sandboxed
def test_what_cannot_be_restricted_does_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel takes no filter that is not a program, and no right that it does not know."""
    more: dict[str, Any] = {"folder": folder, "writable": True, "seconds": 60}
    monkeypatch.setattr(process.seccomp, "program", lambda _: [(0x20, 0, 0, 0)])

    with pytest.raises(ToolError, match="prctl 22"):
        run_blocking(command("open('ran', 'w')"), **more)

    monkeypatch.undo()
    monkeypatch.setattr(rules, "CHANGE", 1 << 60)

    with pytest.raises(ToolError, match="landlock 445"):
        run_blocking(command("open('ran', 'w')"), **more)

    assert names(folder) == []


@sandboxed
@pytest.mark.parametrize(
    ("program", "where", "message"),
    [
        ("no_such_program", "folder", "no program 'no_such_program'"),
        (sys.executable, "nowhere", "No such file"),
        (sys.executable, "folder/file", "Not a directory"),
        (sys.executable, "/", "the whole disk"),
    ],
)
def test_mistakes_are_named(folder: Path, program: str, where: str, message: str) -> None:
    (folder / "file").write_text("")

    with pytest.raises(ToolError, match=message):
        run_blocking([program], folder=folder.parent / where, writable=False, seconds=9)


@sandboxed
def test_the_parts_of_python_that_lie_in_a_folder_are_not_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes there writes code that runs outside."""
    (folder / ".venv/lib").mkdir(parents=True)
    (folder / "sub").mkdir()
    known = rules.libraries()
    monkeypatch.setattr(rules, "libraries", lambda: [*known, folder / ".venv/lib"])
    code = "open('sub/x', 'w'); print('sub', flush=True); open('.venv/lib/x', 'w'); print('lib')"
    done = run_blocking(command(code), folder=folder, writable=True, seconds=60)
    assert done.output.startswith("sub\n")
    assert "Permission denied: '.venv/lib/x'" in done.output

    with pytest.raises(ToolError, match="part of Python itself"):
        run_blocking(command(code), folder=folder / ".venv/lib", writable=True, seconds=60)


@sandboxed
def test_beside_the_logs_of_runs_all_else_is_there(folder: Path) -> None:
    (folder / ".kimi_nb").mkdir()
    (folder / "data.txt").write_text("data")
    (folder / "sub").mkdir()
    code = "print(open('data.txt').read()); open('sub/x', 'w'); open('data.txt', 'w')"
    done = run_blocking(command(code), folder=folder, writable=True, seconds=60)
    assert (done.code, done.output) == (0, "data\n")
    assert (folder / "sub/x").exists()


@sandboxed
def test_the_end_by_a_signal_is_told(folder: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    done = run_blocking(command(code), folder=folder, writable=False, seconds=60)
    assert (done.code, done.why) == (-signal.SIGTERM, "")
