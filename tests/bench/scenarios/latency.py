"""Calls as long as real ones: 1 s, and 2 s with 100 deltas; what the client adds to the wall."""

from __future__ import annotations

from bench import Columns, Options, Report, Target, measure, server

__all__ = ["run"]

COLUMNS: Columns = {
    "client": lambda row: row["label"],
    "calls of": lambda row: row["case"],
    "ideal, s": lambda row: f"{row['ideal']:.0f}",
    "wall / ideal": lambda row: f"{row['wall'] / row['ideal']:.3f}",
    "CPU ms / call": lambda row: f"{row['cpu'] / row['calls'] * 1e3:.2f}",
    "loop lag p99, ms": lambda row: f"{row['lag_p99'] * 1e3:.1f}",
}
CASES = (
    ("1 s, plain", 1.0, 20, False, 1.05),
    ("1 s, 20 deltas", 1.0, 20, True, 1.05),
    ("2 s, 100 deltas", 2.0, 100, True, 1.03),
)


def run(options: Options) -> Report:
    agents, calls = (10, 1) if options.quick else (100, 15)
    report = Report("latency", f"Real latencies: N = {agents}, K = {calls}", COLUMNS)

    for case, latency, deltas, stream, bound in CASES:
        flags = [f"--agents={agents}", f"--calls={calls}", *(["--stream"] if stream else [])]

        with server(latency=latency, deltas=deltas) as url:
            rows = measure(options, options.choose("floor", "kimi_nb", "openai"), url, *flags)

        for row in rows:
            row |= {"case": case, "ideal": (calls + 3) * latency}
            row.pop("turn_cpu", None)

        report.rows += rows
        ours = [row["wall"] / row["ideal"] for row in rows if "wall" in row and mine(row)]
        report.targets.append(Target(f"{case}: wall ÷ ideal", min(ours, default=None), bound))

    return report


def mine(row: dict[str, object]) -> bool:
    return row["name"] == "kimi_nb"
