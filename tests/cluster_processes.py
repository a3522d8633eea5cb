"""A Dask scheduler and workers as processes of their own, on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client

__all__ = ["Cluster", "address_of", "cluster"]

TESTS = Path(__file__).parent
START_S = 50.0
"""Only a hopeless wait lasts so long."""


@dataclass
class Cluster:
    """Its folder is temporary; the processes run in it, and their output is `*.log` there."""

    address: str
    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    nthreads: int = 1
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def client(self, **options: Any) -> Client:
        """A client of its own; close it."""
        return Client(self.address, set_as_default=False, timeout=START_S, **options)

    def start_worker(
        self, *more: str, before: Sequence[str] = (), address: str = ""
    ) -> subprocess.Popen[bytes]:
        """One more worker, without a nanny: who kills it kills it. It takes a second.

        `before`: what stands before its command, as for another network namespace, from where the
        scheduler has another `address`.
        """
        options = ("--nthreads", f"{self.nthreads}", "--no-nanny", "--no-dashboard", *more)
        local = ("--local-directory", str(self.folder))
        command = ("worker", address or self.address, *options, *local)
        worker = _start(self.folder, self.environment, *command, before=before)
        self.workers.append(worker)
        return worker

    def restart(self) -> None:
        """A new scheduler, with as many new workers, at another port: the old one may be taken."""
        _stop([*self.workers, self.scheduler])
        count = len(self.workers)
        self.workers.clear()
        self.scheduler, self.address = _scheduler(self.folder, self.environment)

        for _ in range(count):
            self.start_worker()

        self.wait_for_workers(count)

    def wait_for_workers(self, count: int) -> None:
        """Return when so many are there."""
        with self.client() as client:
            client.wait_for_workers(count, timeout=START_S)


@contextlib.contextmanager
def cluster(
    workers: int = 2,
    nthreads: int = 1,
    *,
    environment: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
) -> Iterator[Cluster]:
    """A scheduler and so many workers, all there. Modules in tests/ can be imported by them.

    `environment`: of all of them, beside this process's. `more`: options of the scheduler.
    """
    with tempfile.TemporaryDirectory(prefix="kimi_nb-") as name:
        folder = Path(name)
        own = dict(environment or {})
        scheduler, address = _scheduler(folder, own, *more)
        made = Cluster(address, folder, scheduler, nthreads=nthreads, environment=own)

        try:
            for _ in range(workers):
                made.start_worker()

            if workers:
                made.wait_for_workers(workers)

            yield made
        finally:
            _stop([*made.workers, made.scheduler])


def _scheduler(
    folder: Path, environment: Mapping[str, str], *more: str
) -> tuple[subprocess.Popen[bytes], str]:
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    quiet = ("--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file))
    scheduler = _start(folder, environment, "scheduler", *options, *quiet, *more)

    try:
        return scheduler, address_of(file, scheduler)
    except BaseException:
        _stop([scheduler])
        raise


def _start(
    folder: Path,
    environment: Mapping[str, str],
    what: str,
    *options: str,
    before: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    count = len(list(folder.glob(f"{what}*.log")))

    with (folder / f"{what}{count}.log").open("wb") as log:
        return subprocess.Popen(
            [*before, sys.executable, "-m", f"distributed.cli.dask_{what}", *options],
            cwd=folder,
            env={**os.environ, **environment, "PYTHONPATH": paths},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def address_of(file: Path, scheduler: subprocess.Popen[bytes]) -> str:
    """Where a scheduler listens, by the file that it writes, once that is whole."""
    for _ in range(int(START_S / 0.02)):
        if scheduler.poll() is not None:
            break

        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(file.read_text("utf-8"))["address"]

        time.sleep(0.02)

    logs = [log.read_text("utf-8") for log in file.parent.glob("scheduler*.log")]
    raise RuntimeError("\n".join(["no scheduler came up", *logs]))


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGCONT)  # one that a test has stopped
        process.kill()

    for process in processes:
        process.wait()
