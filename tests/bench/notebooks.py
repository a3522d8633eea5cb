"""What the notebooks cost: seconds and memory of each, in each language, within Binder's limits.

python tests/bench/notebooks.py              all of them, in this environment
python tests/bench/notebooks.py 00 03        only those whose names begin so
python tests/bench/notebooks.py --fresh      those of the last commit, in an environment made as
                                             Binder makes it; needs git, Node, and Python 3.12
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEGABYTE = 1_000_000
QUICKSTART = "00-quickstart.ipynb"
LIMITS = {QUICKSTART: 450}
"""Megabytes that mybinder.org promises; what a newcomer opens has to live with them."""
MOST = 2_000
"""Megabytes at which mybinder.org kills. The server's count as well."""
PAUSE = 0.1
"""Seconds between two looks at the memory."""
LONGEST = 600
"""Seconds that a cell may take."""
ROOT = Path(__file__).parents[2]
BASE = (
    "ipykernel",
    "ipython",
    "ipywidgets",
    "jupyter_client",
    "jupyter_server",
    "jupyterlab",
    "nbclient",
    "nbformat",
    "notebook",
    "packaging",
    "psutil",
    "pydantic",
    "pyyaml",
    "pyzmq",
    "tornado",
    "traitlets",
)
"""Of what Binder's image has before anything of ours is installed: what meets our pins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one notebook."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of the kernel and of all processes below it."""
    memory: int
    """Bytes at most: of the kernel and all processes below it, shared pages counted in each."""
    why: str
    """What went wrong; "": nothing did."""


class Watch(threading.Thread):
    """Looks at a process and all below it, and ends them where they take too much memory."""

    def __init__(self, pid: int, limit: int) -> None:
        super().__init__(daemon=True)
        self.memory = 0
        self.cpu = 0.0
        self.exceeded = False
        self._limit = limit
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            self.look()

    def stop(self) -> None:
        self._ended.set()
        self.join()
        self.look()

    def look(self) -> None:
        import psutil

        try:
            kernel = psutil.Process(self._pid)
            tree = [kernel, *kernel.children(recursive=True)]
        except psutil.NoSuchProcess:
            return

        taken, seconds = 0, 0.0

        for process in tree:
            try:
                taken += process.memory_info().rss
                seconds += sum(process.cpu_times()[:4])  # the last two: of children that ended
            except psutil.NoSuchProcess:
                continue

        self.memory = max(self.memory, taken, _most(self._pid))
        self.cpu = max(self.cpu, seconds)

        if self.memory > self._limit:
            self.exceeded = True

            for process in reversed(tree):
                process.kill()


def _most(pid: int) -> int:
    """Bytes that the process itself has ever had; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0

    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def execute(path: Path, limit: int) -> Cost:
    """Run all cells of a notebook in its folder, with at most so many bytes."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook: Any = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook, timeout=LONGEST, kernel_name="python3", resources=resources, allow_errors=False
    )
    began, why = time.perf_counter(), ""
    watch: Watch | None = None

    try:
        with client.setup_kernel(env={**os.environ, "JPY_SESSION_NAME": str(path)}):
            watch = Watch(client.km.provisioner.pid, limit)
            watch.start()

            try:
                for index, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, index)
            finally:
                watch.stop()
    except CellExecutionError as error:
        why = f"{error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        why = type(error).__name__

    wall = time.perf_counter() - began

    if watch is None:
        return Cost(wall=wall, cpu=0.0, memory=0, why=why)

    if watch.exceeded:
        why = f"more than {limit // MEGABYTE:,} MB"

    return Cost(wall=wall, cpu=watch.cpu, memory=watch.memory, why=why)


def server() -> int:
    """Bytes that JupyterLab's server has once it answers."""
    import psutil

    with tempfile.TemporaryDirectory() as folder:
        there = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"), folder)
        options = ["--no-browser", "--allow-root", f"--ServerApp.root_dir={folder}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env={**os.environ, **there},
            stderr=subprocess.DEVNULL,
        )

        try:
            while process.poll() is None and not _answers(Path(folder)):
                time.sleep(PAUSE)

            return psutil.Process(process.pid).memory_info().rss
        finally:
            process.terminate()
            process.wait()


def _answers(folder: Path) -> bool:
    """Whether the server that leaves its address there answers."""
    try:
        address = json.loads(next(folder.glob("jpserver-*.json")).read_bytes())["url"]

        with urllib.request.urlopen(f"{address}api", timeout=5):  # noqa: S310 -- it is our own
            return True
    except (StopIteration, ValueError, OSError):
        return False


def measure(names: list[str]) -> int:
    """Print the table; 1 if a notebook failed or took too much."""
    from kimi_nb.cli.lab import copy_curriculum, shipped

    taken, failed = server(), 0
    say("| notebook | language | wall, s | CPU, s | memory, MB | |\n|---|---|--:|--:|--:|---|")
    say(f"| JupyterLab's server | | | | {taken / MEGABYTE:,.0f} | |")

    with tempfile.TemporaryDirectory() as folder:
        copy_curriculum(shipped(), Path(folder))

        for path in sorted(Path(folder).glob("*/*.ipynb"), key=lambda path: (path.name, path)):
            if names and not path.name.startswith(tuple(names)):
                continue

            cost = execute(path, LIMITS.get(path.name, MOST) * MEGABYTE - taken)
            failed += bool(cost.why)
            figures = f"{cost.wall:.1f} | {cost.cpu:.1f} | {cost.memory / MEGABYTE:,.0f}"
            say(f"| {path.stem} | {path.parent.name} | {figures} | {cost.why} |")

    return int(failed > 0)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def base_pins() -> list[str]:
    """What repo2docker puts into an image for Python 3.12, as pip understands it."""
    found = importlib.util.find_spec("repo2docker")

    if found is None or found.origin is None:
        raise SystemExit("what Binder has is written in repo2docker; type: make setup")

    name = "environment.py-3.12-linux-64.lock"
    lock = Path(found.origin).parent / "buildpacks" / "conda" / name
    built = re.findall(r"/([a-z0-9_.-]+)-(\d[^-/]*)-[^-/]+\.conda#", lock.read_text("utf-8"))
    return [f"{name}=={version}" for name, version in built if name in BASE]


def make(folder: Path) -> Path:
    """The interpreter of a new environment, made in the order in which Binder makes its image."""
    checkout, python = folder / "checkout", folder / "environment" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    clone = ["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", checkout]
    subprocess.run(clone, check=True)
    subprocess.run([_python_of_binder(), "-m", "venv", folder / "environment"], check=True)
    subprocess.run([*pip, *base_pins()], check=True)
    subprocess.run([*pip, "-r", checkout / "binder" / "requirements.txt"], check=True)
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    environment = {**os.environ, "NB_PYTHON_PREFIX": str(folder / "environment"), "PATH": path}
    subprocess.run([checkout / "binder" / "postBuild"], check=True, cwd=checkout, env=environment)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    return python


def _python_of_binder() -> str:
    """An interpreter of the version in runtime.txt; raises SystemExit where none runs."""
    wanted = (ROOT / "binder" / "runtime.txt").read_text("utf-8").strip().replace("-", "")
    mine = f"python{sys.version_info.major}.{sys.version_info.minor}"

    if mine == wanted:
        return sys.executable

    found = shutil.which(wanted)  # pyenv has a name for each version, also where it is switched off

    tried = found and subprocess.run([found, "--version"], capture_output=True, check=False)

    if not tried or tried.returncode:
        raise SystemExit(f"{wanted} does not run here; with pyenv: PYENV_VERSION=3.12:3.11 …")

    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--fresh", action="store_true", help="make Binder's environment first")
    asked = parser.parse_args()

    if not asked.fresh:
        return measure(asked.names)

    with tempfile.TemporaryDirectory() as folder:
        python = make(Path(folder))
        return subprocess.call([python, __file__, *asked.names])


if __name__ == "__main__":
    raise SystemExit(main())
