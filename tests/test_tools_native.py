"""The native sandbox: what works in it, its limits, its end, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from kimi_nb.tools.native import (
    Finished,
    available,
    process,
    rules,
    run_blocking,
    watch,
)

sandboxed = pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox")


def python(code: str, folder: Path, **more: Any) -> Finished:
    command = [sys.executable, "-I", "-c", code]
    return run_blocking(command, **{"folder": folder, "writable": False, "seconds": 30, **more})


THREADS = """
import threading, time
threading.stack_size(32_768)
for _ in range({}):
    threading.Thread(target=time.sleep, args=({},)).start()
"""


@sandboxed
def test_what_comes_back(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read()); print('err', file=sys.stderr); sys.exit(3)"
    done = python(code, tmp_path, stdin="né".encode())
    assert (done.code, done.why) == (3, "")
    assert sorted(done.output.split()) == ["err", "né"]


@sandboxed
def test_the_folder_is_where_it_runs_and_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("here")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/more.txt").write_text("there")
    code = "import os; print(open('data.txt').read(), open('sub/more.txt').read())\n"
    code += "print(sorted(os.listdir()))"
    assert python(code, tmp_path).output == "here there\n['data.txt', 'sub']\n"


@sandboxed
def test_a_writable_folder_is_written(tmp_path: Path) -> None:
    code = (
        "import os; open('a', 'w').write('x'); os.mkdir('b'); os.rename('a', 'b/a')\n"
        "os.mkdir('c'); os.truncate('b/a', 0); os.rmdir('c'); open('d', 'w'); os.remove('d')"
    )
    assert python(code, tmp_path, writable=True) == Finished(code=0, output="", why="")
    assert [path.name for path in tmp_path.rglob("*")] == ["b", "a"]


@sandboxed
def test_what_libraries_need_works(tmp_path: Path) -> None:
    code = """
import asyncio, concurrent.futures, mimetypes, os, random, signal, tempfile, time, zoneinfo
async def both():
    return await asyncio.gather(asyncio.sleep(0.01, 1), asyncio.to_thread(sum, [1, 2]))
assert asyncio.run(both()) == [1, 3]
assert list(concurrent.futures.ThreadPoolExecutor(4).map(abs, [-1])) == [1]
with tempfile.NamedTemporaryFile("w+") as file, tempfile.TemporaryDirectory() as folder:
    file.write("x"); file.seek(0); assert file.read() == "x"; os.mkdir(folder + "/y")
got = []
signal.signal(signal.SIGUSR1, lambda *_: got.append(1)); os.kill(os.getpid(), signal.SIGUSR1)
assert got and mimetypes.guess_type("a.png")[0] == "image/png" and random.SystemRandom().random()
open(os.devnull, "w").write("x"); zoneinfo.ZoneInfo("Europe/Paris"); os.path.expanduser("~")
print("fine")
"""
    assert python(code, tmp_path).output == "fine\n"


@sandboxed
def test_packages_work(tmp_path: Path) -> None:
    code = """
import numpy as np, pandas as pd
assert np.allclose(np.linalg.inv(np.eye(300) * 2), np.eye(300) / 2)
frame = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=3, tz="Asia/Shanghai"), "n": 2})
print(frame.groupby(frame.day.dt.year).n.sum().to_dict())
"""
    pytest.importorskip("pandas")
    assert python(code, tmp_path).output == "{2026: 6}\n"


@sandboxed
def test_pytest_runs_in_it(tmp_path: Path) -> None:
    (tmp_path / "thing.py").write_text("def double(n):\n    return n + n\n")
    (tmp_path / "test_thing.py").write_text(
        "from thing import double\n"
        "def test_right(tmp_path):\n    (tmp_path / 'x').write_text('x'); assert double(2) == 4\n"
        "def test_wrong(): assert double(2) == 5\n"
    )
    options = ("-q", "-p", "no:cacheprovider", "--disable-plugin-autoload")
    command = [sys.executable, "-m", "pytest", *options]
    done = run_blocking(command, folder=tmp_path, writable=True, seconds=30)
    assert done.code == 1
    assert "1 failed, 1 passed" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test_thing.py", "thing.py"]


@sandboxed
def test_nothing_of_ours_but_the_language_is_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = set(
        json.loads(python("import json, os; print(json.dumps([*os.environ]))", tmp_path).output)
    )
    assert {"LANG", "HOME", "TMPDIR", "PATH"} <= told
    assert told & os.environ.keys() <= {
        *("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ", "USER"),
        *(f"{name}_NUM_THREADS" for name in ("MKL", "NUMEXPR", "OMP", "OPENBLAS")),
        *("MALLOC_ARENA_MAX", "MPLBACKEND", "MPLCONFIGDIR", "PYTHONDONTWRITEBYTECODE"),
    }


@sandboxed
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("while True: pass", "timeout"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
        ("import os, time; os.close(1); os.close(2); time.sleep(600)", "timeout"),
    ],
)
def test_time_is_limited(tmp_path: Path, code: str, why: str) -> None:
    done = python(code, tmp_path, seconds=1)
    assert done.why == why
    assert done.code in {-signal.SIGKILL, -signal.SIGXCPU}  # by us, or the kernel was there first


@sandboxed
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("x = bytearray(400_000_000)", "memory"),
        ("while True: print('x' * 10_000)", "output"),
        (
            THREADS.format(200, 600),
            "threads",
        ),
    ],
)
def test_other_limits(tmp_path: Path, code: str, why: str) -> None:
    done = python(code, tmp_path, memory=300_000_000)
    assert done.why == why
    assert done.code != 0
    assert len(done.output) <= watch.PRINTED


@sandboxed
def test_within_the_limits_all_goes_well(tmp_path: Path) -> None:
    code = "x = bytearray(200_000_000); print('x' * 900_000)" + THREADS.format(50, 0.1)
    done = python(code, tmp_path, memory=800_000_000)
    assert (done.code, done.why, len(done.output)) == (0, "", 900_001)


@sandboxed
def test_what_is_written_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
import os, time
for n in range(30):
    open(os.environ["TMPDIR"] + f"/{n}", "w").write("x" * 100_000)
time.sleep(60)
"""
    monkeypatch.setattr(watch, "WRITTEN", 2_000_000)
    done = python(code, tmp_path)
    assert done.why == "disk"


@sandboxed
@pytest.mark.parametrize(("more", "code"), [(0, 0), (1, 1)])
def test_a_file_does_not_grow_without_bound(tmp_path: Path, more: int, code: int) -> None:
    done = python(f"open('x', 'w').truncate({process.FILE_SIZE + more})", tmp_path, writable=True)
    assert (done.code, "File too large" in done.output) == (code, bool(code))


@sandboxed
def test_code_cannot_read_the_package_that_grades_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is installed among the libraries, all around it can still be read."""
    import networkx as nx  # stands for kimi_nb, which lies elsewhere here

    look = "import numpy; print('numpy'); import networkx; print(networkx.__name__)"
    assert python(look, tmp_path).output.split() == ["numpy", "networkx"]
    monkeypatch.setattr(rules, "PACKAGE", Path(nx.__file__).resolve().parent)
    done = python(look, tmp_path)
    assert "numpy" in done.output.splitlines()
    assert "PermissionError" in done.output
    assert done.code == 1
