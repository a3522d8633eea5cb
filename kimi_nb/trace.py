"""The log of a run: `Log` writes it, `Trace` is what was written.

One JSON object a line; the first names the format. Lines go out by unbuffered writes, so a
killed process loses at most the record that it was writing: `read` drops a torn last line
with a warning and refuses any other damage with its line number.
"""

from __future__ import annotations

import contextlib
import operator
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, overload

import orjson

from kimi_nb.beside import bring
from kimi_nb.errors import CorruptTrace, TraceError
from kimi_nb.events import FACTS, Fact, TrainingBegan
from kimi_nb.locked import open_locked

__all__ = ["FORMAT", "VERSION", "Log", "Record", "TornTail", "Trace", "decode", "encode", "read"]

FORMAT = "kimi_nb.trace"
VERSION = 1
HEADER = orjson.dumps({"format": FORMAT, "version": VERSION}) + b"\n"


class TornTail(UserWarning):
    """The end of a log is dropped: its last line was cut off, as by `kill -9`."""


@dataclass(frozen=True, slots=True)
class Record:
    """A fact with its place in the run."""

    seq: int
    """Counts from 0 without gaps."""
    t: float
    """Seconds since the run began; never decreases."""
    agent: str
    """Agent id; "" for the run itself."""
    fact: Fact


_NAMES = {cls: tuple(f.name for f in fields(cls)) for cls in FACTS.values()}
_GETTERS: dict[type[Fact], Callable[[Any], tuple[Any, ...]]] = {
    cls: operator.attrgetter(*names) if len(names) > 1 else (lambda fact: (fact.step,))
    for cls, names in _NAMES.items()
}


def encode(record: Record) -> bytes:
    """One line of the log, with its newline."""
    fact = record.fact
    cls = type(fact)
    line = {"seq": record.seq, "t": record.t, "agent": record.agent, "fact": cls.__name__}
    line.update(zip(_NAMES[cls], _GETTERS[cls](fact), strict=True))
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def decode(line: bytes) -> Record:
    """The record in one line of a log.

    Raises ValueError, KeyError, TypeError or AttributeError where the line is not a record.
    """
    data: dict[str, Any] = orjson.loads(line)
    seq, t, agent, name = (data.pop(key) for key in ("seq", "t", "agent", "fact"))
    return Record(seq, t, agent, FACTS[name](**data))


class Trace(Sequence[Record]):
    """The records of a run, or of the part of it that has happened so far. A value.

    A slice from the start is a valid trace again.
    """

    __slots__ = ("_records", "path")

    def __init__(self, records: Iterable[Record] = (), *, path: Path | None = None) -> None:
        self._records = tuple(records)
        self.path = path
        """Where it lies on disk; None for a trace that was never written."""

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Trace: ...
    def __getitem__(self, index: int | slice) -> Record | Trace:
        found = self._records[index]
        return Trace(found, path=self.path) if isinstance(found, tuple) else found

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self._records == other._records

    def __hash__(self) -> int:
        return hash(self._records)

    def __repr__(self) -> str:
        training = any(isinstance(record.fact, TrainingBegan) for record in self._records[:1])
        whose = "a training" if training else f"{len({r.agent for r in self} - {''})} agents"
        return f"Trace({len(self)} records, {whose}, {self[-1].t if self else 0.0:.1f} s)"

    def save(self, path: str | Path) -> Path:
        """Write it and what lies beside it to `path`, whole or not at all; returns that."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        bring((record.fact for record in self), self.path, target.parent)
        scratch = target.with_name(target.name + ".part")

        with scratch.open("wb") as file:
            file.writelines([HEADER, *map(encode, self._records)])
            file.flush()
            os.fsync(file.fileno())

        return scratch.replace(target)


def read(path: str | Path, *, strict: bool = True) -> Trace:
    """The trace in a log file.

    Warns with `TornTail` where the last line was cut off. Raises CorruptTrace, with the line's
    number, for any other damage, and TraceError for a file that is not there or not a log.
    Unless `strict`, it warns of other damage and returns what stands before it; a torn line is
    no news then, for another process may be writing it.
    """
    trace, size, whole = _recover(Path(path), strict=strict)

    if strict and size != whole:
        lost = f"{path}: the last line was cut off and is dropped ({size - whole} bytes)"
        warnings.warn(lost, TornTail, stacklevel=2)

    return trace


def _recover(path: Path, *, strict: bool = True) -> tuple[Trace, int, int]:
    """The records of a log, its size, and its size without a torn tail, in bytes."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TraceError(f"cannot read the trace {str(path)!r}: {error.strerror}") from None

    whole = data.rfind(b"\n") + 1
    lines = data[:whole].split(b"\n")[:-1]
    _check_header(path, lines[0] if lines else data)
    records: list[Record] = []

    for number, line in enumerate(lines[1:], start=2):
        try:
            record = decode(line)

            if record.seq != len(records):
                raise ValueError(f"{record.seq=}, expected {len(records)}")  # noqa: TRY301
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            damage = f"{path}, line {number}: not a record ({error})"

            if strict:
                raise CorruptTrace(damage) from None

            lost = f"{damage}; it is left behind, with all that follows"
            warnings.warn(lost, TornTail, stacklevel=3)
            break

        records.append(record)

    return Trace(records, path=path), len(data), whole


def _check_header(path: Path, line: bytes) -> None:
    if HEADER.startswith(line):  # also a header that was torn itself, or an empty file
        return

    try:
        header = orjson.loads(line)
        name, version = header["format"], header["version"]
    except (ValueError, KeyError, TypeError):
        name = version = None

    if name != FORMAT:
        raise TraceError(f"{path} is not a kimi_nb trace: its first line does not name the format")

    if version != VERSION:
        raise TraceError(f"{path} has {FORMAT} format {version}, but this is {VERSION}")


class Log:
    """The only writer of a run's facts, in memory and, with a path, on disk as they happen.

    Opening an existing log takes it up where it ends, a torn tail cut off. While it is open no
    other process can open it: raises TraceLocked.
    """

    def __init__(
        self, path: str | Path | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.records: list[Record] = []
        """All facts so far; only this object appends."""
        self.path = Path(path) if path is not None else None
        self.fault: str | None = None
        """Why the log on disk is no longer written (disk full, say); None while all is well."""
        self._fd = -1
        self._syncing = threading.Lock()

        if self.path is not None:
            self._fd = open_locked(self.path)
            self._take_up(self.path)

        self._clock = clock
        self._origin = clock() - (self.records[-1].t if self.records else 0.0)

    def _take_up(self, path: Path) -> None:
        try:
            trace, _, self._size = _recover(path)
        except TraceError:
            self.close()
            raise

        self.records.extend(trace)
        os.ftruncate(self._fd, self._size)
        self._write(b"" if self._size else HEADER)

    def add(self, agent: str, *facts: Fact) -> Record:
        """Stamp facts of one agent and write them at once; returns the record of the last."""
        seq = len(self.records)
        t = max(self.records[-1].t if seq else 0.0, round(self.now, 6))
        records = [Record(seq + i, t, agent, fact.without_keys()) for i, fact in enumerate(facts)]

        if self._fd >= 0:
            self._write(b"".join(map(encode, records)))

        self.records += records
        return records[-1]

    @property
    def now(self) -> float:
        """Seconds since the run began, by the log's own clock."""
        return self._clock() - self._origin

    def flush(self) -> OSError | None:
        """Wait, in any thread, until all so far is on the disk itself; returns what prevents it."""
        with self._syncing:
            try:
                if self._fd >= 0:
                    os.fsync(self._fd)
            except OSError as error:
                return error

        return None

    def trace(self) -> Trace:
        """All that has happened so far."""
        return Trace(self.records, path=self.path)

    def close(self) -> None:
        """Sync and let go of the file. Facts can still be added, to memory only."""
        self.give_up(self.flush())
        self._let_go()

    def _let_go(self) -> None:
        with self._syncing:  # another file may get the number of a closed one
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _write(self, line: bytes) -> None:
        """All of `line` or nothing: a line that fits only in part is cut off again.

        A log that cannot grow (disk full, say) does not end the run, whose facts go on in
        memory; `fault` says why, and the run's end repeats it.
        """
        try:
            view = memoryview(line)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # then the torn tail is dropped by who reads it
                os.ftruncate(self._fd, self._size)

            self.give_up(error)
        else:
            self._size += len(line)

    def give_up(self, error: OSError | None) -> None:
        """From this error on, if it is one, the facts go to memory only; warns."""
        if error is not None:
            self.fault = f"{self.path} could not be written any further: {error.strerror}"
            self._let_go()
            warnings.warn(self.fault, RuntimeWarning, stacklevel=4)
