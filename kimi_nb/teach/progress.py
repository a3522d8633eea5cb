"""What a learner has done, as a log on this machine: nothing of it leaves it.

One line for each fact, appended and never changed: an exercise that was checked, a prediction that
was locked, an item of a quiz that was answered. What one sees of it is worked out from the log.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

from kimi_nb.teach.language import language
from kimi_nb.teach.student import student
from kimi_nb.teach.text import Language

__all__ = ["Fact", "facts", "forget", "place", "record"]

HOME = "KIMI_NB_HOME"
"""Environment variable for another folder than ~/.kimi_nb."""

Kind = Literal["checked", "predicted", "answered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that a learner did."""

    at: float
    """Wall-clock time, seconds since the epoch."""
    kind: Kind
    id: str
    """Of the exercise or the question; of an item of a quiz, as quiz03.1."""
    passed: bool | None
    """Whether it was right; None for a prediction, which the run decides."""
    key: str
    """The mistake or misconception; "" where there is none."""
    student: str
    language: Language


KINDS = get_args(Kind)
FIELDS: dict[str, tuple[type, ...]] = {
    "at": (float, int),
    "kind": (str,),
    "id": (str,),
    "passed": (bool, type(None)),
    "key": (str,),
    "student": (str,),
    "language": (str,),
}


def place() -> Path:
    """The file of the log: $KIMI_NB_HOME/progress.jsonl, or that below ~/.kimi_nb."""
    home = os.environ.get(HOME)
    return (Path(home) if home else Path.home() / ".kimi_nb") / "progress.jsonl"


def record(kind: Kind, identity: str, *, passed: bool | None, key: str = "") -> None:
    """Add a fact. Where it cannot be written, that is said once, and nothing fails."""
    fact = Fact(
        at=round(time.time(), 3),
        kind=kind,
        id=identity,
        passed=passed,
        key=key,
        student=student(),
        language=language(),
    )

    try:
        _append(place(), json.dumps(asdict(fact)).encode())
    except (OSError, RuntimeError) as error:  # Path.home() raises the latter
        _tell(str(getattr(error, "strerror", None) or error))


def facts() -> list[Fact]:
    """All that was recorded, in order; lines that are torn or foreign are left out.

    Raises OSError where there is a log that cannot be read.
    """
    try:
        text = place().read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return []

    return [fact for line in text.splitlines() if (fact := _fact(line)) is not None]


def forget() -> bool:
    """Delete the log; whether there was one. Raises OSError where it cannot be deleted."""
    try:
        place().unlink()
    except FileNotFoundError:
        return False

    return True


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    try:
        with _alone(fd):
            end = os.fstat(fd).st_size
            torn = end > 0 and os.pread(fd, 1, end - 1) != b"\n"
            whole = b"\n" * torn + line + b"\n"

            if os.write(fd, whole) < len(whole):
                os.ftruncate(fd, end)
                raise OSError(None, "no space left on the disk")
    finally:
        os.close(fd)


@contextmanager
def _alone(fd: int) -> Generator[None]:
    """No other kernel writes meanwhile. A disk that knows no locks does without."""
    with suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX)

    yield  # closing the file unlocks it


@cache
def _tell(why: str) -> None:
    sys.stderr.write(
        f"kimi_nb: your progress is not recorded ({why}); exercises and quizzes work as before. "
        f"For another folder, set {HOME} before the kernel starts.\n"
    )


def _fact(line: str) -> Fact | None:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None

    if not isinstance(found, dict):
        return None

    values: dict[str, Any] = {name: cast("dict[str, Any]", found).get(name) for name in FIELDS}

    fits = all(type(values[name]) in kinds for name, kinds in FIELDS.items())
    return Fact(**values) if fits and values["kind"] in KINDS else None
