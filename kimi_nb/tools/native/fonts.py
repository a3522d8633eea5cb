"""The list of fonts that matplotlib makes when it finds none, which takes a second and more."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Generator
from pathlib import Path

from kimi_nb.tools.native.process import Hold, Job, launch
from kimi_nb.tools.native.scratch import scratch_folder

__all__ = ["furnished"]

PATTERN = "fontlist-*.json"
_COMMAND = (sys.executable, "-I", "-c", "import matplotlib.font_manager")
_SECONDS = 120.0
_MEMORY = 1_000_000_000


class _Fonts:
    """The list, made inside the sandbox: it has only fonts that can be read there."""

    __slots__ = ("_files", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, bytes] | None = None

    def put(self, scratch: Path) -> None:
        """Lay the list where matplotlib looks for it. Nothing, where there is no matplotlib."""
        with self._lock:
            if self._files is None:
                self._files = _made()

        for name, data in self._files.items():
            (scratch / name).write_bytes(data)


@functools.cache
def _fonts() -> _Fonts:
    return _Fonts()


@contextlib.contextmanager
def furnished(job: Job) -> Generator[Path, None, None]:
    """A scratch folder for `job`, with the list of fonts in it if the job seems to draw."""
    with scratch_folder() as scratch:
        if _draws(job):
            _fonts().put(scratch)

        yield scratch


def _draws(job: Job) -> bool:
    """A guess. Who draws unseen makes a list of fonts for itself."""
    scripts = [job.folder / word for word in job.command if word.endswith(".py")]
    texts = [path.read_bytes() for path in scripts if path.is_file()]
    return any(b"plot" in text for text in [job.stdin, " ".join(job.command).encode(), *texts])


def _made() -> dict[str, bytes]:
    with scratch_folder() as scratch, scratch_folder() as empty:
        job = Job(
            command=_COMMAND,
            folder=empty,
            writable=False,
            seconds=_SECONDS,
            memory=_MEMORY,
            stdin=b"",
        )
        launch(job, Hold(), scratch)
        return {path.name: path.read_bytes() for path in scratch.glob(PATTERN)}
