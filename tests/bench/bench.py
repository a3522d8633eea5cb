"""What all scenarios share: the server and the clients as processes, tables, and verdicts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import peers
from peers import HERE, ROOT, SERVER, Peer

__all__ = [
    "Columns",
    "Options",
    "Report",
    "Row",
    "Target",
    "best",
    "client",
    "complaint",
    "measure",
    "server",
    "table",
]

Row = dict[str, Any]
Columns = dict[str, Callable[[Row], str]]
"""Header → cell of a row."""
TIMEOUT = 600.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of a scenario."""

    only: tuple[str, ...] = ()
    """Names of the clients; empty: the scenario's own choice."""
    repeat: int = 1
    quick: bool = False
    """A small run that checks counts, not times."""
    modes: tuple[str, ...] = ("plain", "streamed")

    def choose(self, *default: str) -> tuple[Peer, ...]:
        """The clients to run, in the order of `peers.PEERS`."""
        names = self.only or default or tuple(peer.name for peer in peers.PEERS)
        return tuple(peer for peer in peers.PEERS if peer.name in names)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to reach."""

    what: str
    value: float | None
    """None: not measured in this run."""
    bound: float
    unit: str = ""
    least: bool = False
    """The bound is a lower one."""

    @property
    def reached(self) -> bool | None:
        if self.value is None:
            return None

        return self.value >= self.bound if self.least else self.value <= self.bound

    def __str__(self) -> str:
        verdict = {True: "reached", False: "NOT reached", None: "not measured"}[self.reached]
        value = "" if self.value is None else f"{self.value:.3g}{self.unit}, "
        sign = "≥" if self.least else "≤"
        return f"- {verdict}: {self.what}: {value}target {sign} {self.bound:g}{self.unit}"


@dataclass(slots=True)
class Report:
    """A scenario's outcome."""

    name: str
    title: str
    columns: Columns
    rows: list[Row] = field(default_factory=list[Row])
    targets: list[Target] = field(default_factory=list[Target])
    notes: list[str] = field(default_factory=list[str])

    def markdown(self) -> str:
        parts = [f"## {self.title}", "", table(self.columns, self.rows), ""]
        return "\n".join([*parts, *map(str, self.targets), *self.notes, ""])

    def json(self) -> dict[str, Any]:
        targets = [asdict(target) | {"reached": target.reached} for target in self.targets]
        return {"rows": self.rows, "targets": targets}


def table(columns: Columns, rows: Iterable[Row]) -> str:
    """A Markdown table; a row that failed says why in its second cell."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]

    for row in rows:
        cells = [cell(row) for cell in columns.values()] if "error" not in row else failed(row)
        lines.append("| " + " | ".join(cells) + " |")

    return "\n".join(lines)


def failed(row: Row) -> list[str]:
    return [row["label"], row["error"]]


@contextlib.contextmanager
def server(**options: float | bool) -> Generator[str]:
    """A fake server of its own; gives its base URL, and ends with the block."""
    python = peers.python_of(SERVER)
    flags = [
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in options.items()
        if value
    ]
    process = subprocess.Popen(
        [str(python), str(HERE / "server.py"), *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    try:
        port = json.loads(process.stdout.readline())["port"]  # pyright: ignore[reportOptionalMemberAccess]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.communicate()


def client(peer: Peer, url: str, *flags: str) -> Row:
    """Run one client in its own process; its row, or one with the last line of its complaint."""
    python = peers.python_of(peer)
    row: Row = {"name": peer.name, "label": peer.label}

    if python is None:
        return row | {"error": f"not installed: overhead.py --install --only {peer.name}"}

    with tempfile.TemporaryDirectory() as log:
        command = [python, str(HERE / peer.script), f"--url={url}", f"--log={log}", *flags]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}

        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return row | {"error": f"no end within {TIMEOUT:.0f} s"}

    if done.returncode:
        return row | {"error": f"lost: {complaint(done.stderr)[:150]}"}

    return row | json.loads(done.stdout.splitlines()[-1])


def complaint(stderr: str) -> str:
    """The last line that names an exception, or the last line."""
    lines = stderr.strip().splitlines() or ["no output"]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Fault)\b", line)]
    return (named or lines)[-1]


def measure(options: Options, chosen: Iterable[Peer], url: str, *flags: str) -> list[Row]:
    """The best of `options.repeat` runs of each client; the repeats are interleaved."""
    chosen = tuple(chosen)
    rounds = [[progress(peer, url, *flags) for peer in chosen] for _ in range(options.repeat)]
    return [best(list(runs)) for runs in zip(*rounds, strict=True)]


def progress(peer: Peer, url: str, *flags: str) -> Row:
    print(f"  {peer.name} …", file=sys.stderr, flush=True)  # noqa: T201
    return client(peer, url, *flags)


def best(runs: list[Row]) -> Row:
    """The least of each time over the runs (noise only adds); a run that was lost counts."""
    lost = [run for run in runs if "error" in run]

    if lost:
        return lost[0] | {"error": f"{lost[0]['error']} ({len(lost)} of {len(runs)} runs)"}

    times = ("wall", "cpu", "lag_p99", "import", "first", "rss", "cancel")
    least = {key: min(run[key] for run in runs) for key in times if key in runs[0]}
    return runs[0] | least | {"ok": all(run["ok"] for run in runs), "runs": len(runs)}
