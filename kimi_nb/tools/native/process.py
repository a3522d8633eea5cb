"""One command in the sandbox: started, watched, ended."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from kimi_nb.errors import ToolError
from kimi_nb.tools.native import rules, seccomp
from kimi_nb.tools.native.probe import required_abi
from kimi_nb.tools.native.watch import Ended, watched

__all__ = ["Finished", "Hold", "Job", "launch"]

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
FILE_SIZE = 100_000_000
FILES = 256
_PASSED = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""All that a child gets of our environment."""
_ONE_THREAD = ("OPENBLAS", "OMP", "MKL", "NUMEXPR")
"""Each would else reserve memory for every processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a command in the sandbox ended."""

    code: int
    """Its exit status; negative: the signal that ended it."""
    output: str
    """Standard output and error together, at most 1,000,000 bytes."""
    why: str
    """"" unless a limit ended it: "timeout", "memory", "output", "threads" or "disk"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to run, and what it may use."""

    command: Sequence[str]
    folder: Path
    writable: bool
    seconds: float
    memory: int
    """Bytes of address space."""
    stdin: bytes
    readable: tuple[Path, ...] = ()
    """Besides the libraries and the folder."""


class Hold:
    """One call's hold on its process, by which another thread may end it."""

    __slots__ = ("_killed", "_lock", "_process")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def check(self) -> None:
        """Raises ToolError if the call was given up before it began."""
        with self._lock:
            if self._killed:
                raise ToolError("cancelled")

    @contextlib.contextmanager
    def on(self, process: subprocess.Popen[bytes]) -> Generator[None, None, None]:
        """Hold `process`, which is dead and reaped at the end."""
        at_exit = partial(_end, process)
        atexit.register(at_exit)

        with self._lock:
            self._process = process

            if self._killed:
                _kill(process)

        try:
            yield
        finally:
            with self._lock:
                self._process = None
                _end(process)

            atexit.unregister(at_exit)

    def kill(self) -> None:
        """End the process, also one that is about to be started."""
        with self._lock:
            self._killed = True

            if self._process is not None:
                _kill(self._process)


def _end(process: subprocess.Popen[bytes]) -> None:
    _kill(process)
    process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def launch(job: Job, hold: Hold, scratch: Path) -> Finished:
    """Run a job to its end. Raises ToolError if it could not be restricted, or not started."""
    hold.check()
    abi = required_abi()
    reading, writing = os.pipe()

    with contextlib.ExitStack() as stack:
        trouble = stack.enter_context(os.fdopen(reading, "rb"))
        closing = stack.enter_context(os.fdopen(writing, "wb"))
        plan = _source(_plan(job, abi, scratch, writing), stack)
        process = _started(job, scratch, (plan.fileno(), writing), stack)
        closing.close()

        with hold.on(process):
            ended = watched(process, job.seconds)

        why = trouble.read().decode(errors="replace")

    if why:
        raise ToolError(f"the native sandbox does not start ({why}); use the python tool")

    return _finished(process.returncode, ended)


def _started(
    job: Job, scratch: Path, passed: tuple[int, int], stack: contextlib.ExitStack
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - what runs is restricted: that is the point
            [sys.executable, "-I", "-S", str(BOOTSTRAP), str(passed[0])],
            stdin=_source(job.stdin, stack) if job.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=job.folder,
            env=_environment(scratch),
            pass_fds=passed,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"the native sandbox does not start: {error}; try again") from error


def _source(data: bytes, stack: contextlib.ExitStack) -> IO[bytes]:
    """A file, not a pipe: nobody has to feed it, and it is as long as it must be."""
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    file.write(data)
    file.seek(0)
    return file


def _environment(scratch: Path) -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        **passed,
        **{f"{name}_NUM_THREADS": "1" for name in _ONE_THREAD},
        "HOME": str(scratch),
        "MALLOC_ARENA_MAX": "2",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(scratch),
        "PATH": os.pathsep.join(dict.fromkeys([str(Path(sys.executable).parent), "/usr/bin"])),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(scratch),
        "USER": "sandbox",
    }


def _plan(job: Job, abi: int, scratch: Path, trouble: int) -> bytes:
    """What the bootstrap needs to know, as JSON."""
    program = shutil.which(job.command[0])

    if program is None:
        raise ToolError(f"there is no program {job.command[0]!r}; give the path of one")

    try:
        inside = rules.folder_rules(job.folder.resolve(), writable=job.writable)
    except OSError as error:
        raise ToolError(f"the folder {str(job.folder)!r}: {error.strerror}") from error

    seconds = math.ceil(job.seconds) + 1
    limits = {
        "RLIMIT_AS": (job.memory, job.memory),
        "RLIMIT_CORE": (1, 1),  # bytes; at 0, Linux still starts a crash reporter outside
        "RLIMIT_CPU": (seconds, seconds + 1),
        "RLIMIT_FSIZE": (FILE_SIZE, FILE_SIZE),
        "RLIMIT_NOFILE": (FILES, FILES),
    }
    plan = {
        "abi": abi,
        "command": [str(Path(program).absolute()), *job.command[1:]],
        "filter": seccomp.program(platform.machine()),
        "limits": limits,
        "parent": os.getpid(),
        "rules": [
            *rules.library_rules(),
            *inside,
            *rules.file_rules(job.readable),
            rules.scratch_rule(scratch),
        ],
        "trouble": trouble,
    }
    return json.dumps(plan).encode()


def _finished(code: int, ended: Ended) -> Finished:
    output = ended.output.decode(errors="replace")
    why = ended.why

    if not why and code == -signal.SIGXCPU:
        why = "timeout"
    elif not why and code and _out_of_memory(output):
        why = "memory"

    return Finished(code=code, output=output, why=why)


def _out_of_memory(output: str) -> bool:
    """A guess: Python tells nobody else that it got no memory."""
    last = output.rstrip().rpartition("\n")[2]
    return last.partition(":")[0].rpartition(".")[2] in {"MemoryError", "_ArrayMemoryError"}
