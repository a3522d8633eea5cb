"""Large swarms in one kernel: whether a call costs the same with 10 agents and with 2,000.

    python tests/bench/scale.py               10 to 2,000 sub-agents, 150 to 30,000 calls
    python tests/bench/scale.py --only flat   one block: flat, live, http or killed
    python tests/bench/scale.py --quick       few agents: counts only

Every row is a process of its own (`scale_run.py`; Linux). The model of the blocks flat, live and
killed lives in that process (`scale_crew.py`) and has messages as long as real ones: 2,000
characters from a tool, 370 in an answer. Beside it stands the same work done by hand, with nothing
that one could leave out. The block http has the benchmark's server, and its floor.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import Columns, Row, client, server, table
from peers import HERE, PEERS, ROOT

SIZES = ((10, 150), (100, 1_500), (300, 4_000), (1_000, 15_000), (2_000, 30_000))
"""Sub-agents, and their calls in all."""
QUICK = ((4, 12), (8, 24))
SAME = 1_500
"""Calls of a process, at least: small runs are repeated, and all of them held."""
BYTES = 5_500
"""Of a call in the log, nearly."""
TIMEOUT = 900.0

MB = 2**20

FLAT: Columns = {
    "sub-agents": lambda row: f"{row['agents']:,}",
    "calls": lambda row: f"{row['calls']:,}" + ("" if row["ok"] else " (NOT ALL)"),
    "CPU µs / call": lambda row: f"{row['call_us']:.0f}",
    "÷ by hand": lambda row: f"{row['call_us'] / row['floor_us']:.1f} ({row['floor_us']:.0f} µs)",
    "peak memory kB / call": lambda row: f"{row['peak'] / row['calls'] / 1e3:.2f}",
    "kept kB / call": lambda row: f"{row['kept'] / row['calls'] / 1e3:.2f}",
    "peak RSS, MB": lambda row: f"{row['peak_rss'] / MB:.0f}",
    "log kB / call": lambda row: f"{row['disk'] / row['calls'] / 1e3:.2f}",
    "at half: facts in memory, on disk": lambda row: "{facts:,}, {lines:,}".format(**row["half"]),
}
LIVE: Columns = {
    "sub-agents": lambda row: f"{row['agents']:,}",
    "calls": lambda row: f"{row['calls']:,}" + ("" if row["ok"] else " (NOT ALL)"),
    "wall, s": lambda row: f"{row['wall']:.0f}",
    "CPU, all": lambda row: f"{row['cpu'] / row['wall']:.1%}",
    "CPU, view": lambda row: f"{row['view_cpu'] / row['wall']:.1%}",
    "peak memory kB / call": lambda row: f"{row['peak'] / row['calls'] / 1e3:.2f}",
    "loop lag p99, ms": lambda row: f"{row['lag_p99'] * 1e3:.1f}",
    "frames": lambda row: f"{row['frames']:,}",
    "kB / frame": lambda row: f"{row['frame_bytes'] / 1e3:.1f}",
    "CPU ms / frame": lambda row: (
        f"{row['beat_cpu'] * 1e3:.1f} (late {row['beat_late'] * 1e3:.1f})"
    ),
    "largest": lambda row: f"{row['beat_most'] * 1e3:.0f} ms",
    "snapshots, MB": lambda row: f"{row['snapshots']} × {row['snapshot_bytes'] / 1e6:.2f}",
    "frame to frame, ms: p99, longest": lambda row: (
        f"{row['gap_p99'] * 1e3:.0f}, {row['gap_most'] * 1e3:.0f}"
    ),
}
HTTP: Columns = {
    "client": lambda row: row["label"],
    "sub-agents": lambda row: f"{row['agents']:,}",
    "calls": lambda row: f"{row['calls']:,}" + ("" if row["ok"] else " (NOT ALL)"),
    "CPU µs / call": lambda row: f"{row['cpu'] / row['calls'] * 1e6:.0f}",
    "wall, s": lambda row: f"{row['wall']:.0f}",
    "loop lag p99, ms": lambda row: f"{row['lag_p99'] * 1e3:.1f}",
    "peak RSS, MB": lambda row: f"{row['rss']:.0f}",
}
KILLED: Columns = {
    "sub-agents": lambda row: f"{row['agents']:,}",
    "facts in the log": lambda row: f"{row['facts']:,}",
    "s to take it up": lambda row: f"{row['read_s']:.2f}",
    "s to the first call": lambda row: f"{row['first_s']:.2f}",
    "calls in all": lambda row: f"{row['calls']:,}" + ("" if row["ok"] else " (NOT ALL)"),
    "made after the kill": lambda row: f"{row['again']:,}",
    "sent again, in flight at the kill": lambda row: f"{row['begun_twice']:,}",
    "paid twice": lambda row: f"{row['twice']}",
}


def child(*flags: str) -> list[str]:
    return [sys.executable, str(HERE / "scale_run.py"), *flags]


def row_of(*flags: str) -> Row:
    """What one process has measured. Raises CalledProcessError where it failed."""
    print("  " + " ".join(flags), file=sys.stderr, flush=True)  # noqa: T201
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    with tempfile.TemporaryDirectory() as log:
        done = subprocess.run(
            child(*flags, f"--log={log}"),
            stdout=subprocess.PIPE,
            timeout=TIMEOUT,
            env=environment,
            check=True,
        )

    return json.loads(done.stdout.splitlines()[-1])


def size(agents: int, calls: int) -> list[str]:
    return [f"--agents={agents}", f"--calls={calls}"]


def flat(sizes: Sequence[tuple[int, int]], repeat: int, same: int = SAME) -> list[Row]:
    """As fast as the processor can, without a view: what a call costs. The best of the repeats."""
    rows: list[Row] = []

    for agents, calls in sizes:
        runs = max(1, same // calls)
        flags = [*size(agents, calls), "--latency=0.02"]
        found = [row_of(*flags, f"--runs={runs}") for _ in range(repeat)]
        floors = [row_of(*flags, "--floor") for _ in range(repeat)]
        best = min(found, key=lambda row: row["cpu"])
        best["peak"], best["kept"] = (min(row[what] for row in found) for what in ("peak", "kept"))
        best["call_us"] = best["loop_cpu"] / best["calls"] * 1e6
        best["floor_us"] = min(row["cpu"] / row["calls"] for row in floors) * 1e6
        rows.append(best)

    return rows


def live(sizes: Sequence[tuple[int, int]], latency: float) -> list[Row]:
    """At the pace of a model, with a widget that follows."""
    return [row_of(*size(*one), f"--latency={latency}", "--view") for one in sizes]


def over_http(sizes: Sequence[tuple[int, int]], latency: float) -> list[Row]:
    """Streamed from a server in another process, beside the floor of the speed benchmark."""
    rows: list[Row] = []

    for agents, calls in sizes:
        flags = [f"--agents={agents}", f"--calls={calls // agents - 1}", "--stream"]

        for peer in (peer for peer in PEERS if peer.name in {"floor", "kimi_nb"}):
            with server(latency=latency) as url:
                print(f"  {peer.name} {' '.join(flags)}", file=sys.stderr)  # noqa: T201
                rows.append(client(peer, url, *flags) | {"agents": agents})

    return rows


def killed(agents: int, calls: int) -> list[Row]:
    """SIGKILL when about half of the calls are done; another process takes the run up."""
    flags = size(agents, calls)

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "run-1.jsonl"
        process = subprocess.Popen(
            child(*flags, "--latency=0.5", f"--log={folder}"),
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

        while process.poll() is None:
            if log.exists() and log.stat().st_size > BYTES * calls // 4:
                process.send_signal(signal.SIGKILL)
                break

            time.sleep(0.02)

        process.wait()
        return [row_of(*flags, f"--resume={log}") | {"agents": agents}]


def slope(rows: Sequence[Row], value: Callable[[Row], float]) -> dict[str, float]:
    """A line through the rows by least squares, over sub-agents; and the last ÷ that of 100."""
    xs = [row["agents"] for row in rows]
    ys = list(map(value, rows))
    middle, mean = sum(xs) / len(xs), sum(ys) / len(ys)
    steep = sum((x - middle) * (y - mean) for x, y in zip(xs, ys, strict=True)) / (
        sum((x - middle) ** 2 for x in xs) or 1.0
    )
    base = next((y for x, y in zip(xs, ys, strict=True) if x >= 100), ys[0])
    return {"per_1000": steep * 1000, "mean": mean, "ratio": ys[-1] / base}


def slopes(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Of what a call costs, by what it is."""
    return {
        "CPU, µs a call": slope(rows, lambda row: row["call_us"]),
        "peak memory, kB a call": slope(rows, lambda row: row["peak"] / row["calls"] / 1e3),
        "kept memory, kB a call": slope(rows, lambda row: row["kept"] / row["calls"] / 1e3),
        "log, kB a call": slope(rows, lambda row: row["disk"] / row["calls"] / 1e3),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    blocks = ("flat", "live", "http", "killed")
    parser.add_argument("--only", action="append", choices=blocks, metavar="BLOCK")
    parser.add_argument("--repeat", type=int, default=2, help="best of so many, of the block flat")
    parser.add_argument("--latency", type=float, default=2.0, help="seconds of a call")
    parser.add_argument("--quick", action="store_true", help="few agents: counts only")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    asked = parser.parse_args()
    asked.only = asked.only or list(blocks)

    if asked.quick:
        asked.repeat, asked.latency = 1, 0.05

    return asked


def main() -> int:
    """0 if every run did all of its calls, and none was paid twice."""
    asked = arguments()
    sizes = QUICK if asked.quick else SIZES
    served = QUICK if asked.quick else (SIZES[2], SIZES[4])
    work: dict[str, tuple[Columns, Callable[[], list[Row]]]] = {
        "flat": (FLAT, lambda: flat(sizes, asked.repeat, 1 if asked.quick else SAME)),
        "live": (LIVE, lambda: live(sizes, asked.latency)),
        "http": (HTTP, lambda: over_http(served, asked.latency)),
        "killed": (KILLED, lambda: killed(*sizes[-1])),
    }
    found: dict[str, Any] = {}

    for name in asked.only:
        columns, measure = work[name]
        found[name] = measure()

        if not asked.json:
            print(f"\n## {name}\n\n{table(columns, found[name])}\n", flush=True)  # noqa: T201

    if "flat" in found:
        found["slopes"] = slopes(found["flat"])

    told = json.dumps(found) if asked.json else _told(found.get("slopes", {}))
    print(told)  # noqa: T201
    rows = [row for name in asked.only for row in found[name]]
    return int(not all(row.get("ok") and not row.get("twice") for row in rows))


def _told(found: dict[str, dict[str, float]]) -> str:
    return "\n".join(
        f"- {what}: {one['mean']:.2f} on average, {one['per_1000']:+.3f} for each 1,000 "
        f"sub-agents, most ÷ 100 sub-agents {one['ratio']:.2f}"
        for what, one in found.items()
    )


if __name__ == "__main__":
    raise SystemExit(main())
