"""One agent of 300 turns: does a turn cost more as the history grows?"""

from __future__ import annotations

from statistics import median

from bench import Columns, Options, Report, Target, measure, server

__all__ = ["run"]

WINDOW = 50
COLUMNS: Columns = {
    "client": lambda row: row["label"],
    "turns": lambda row: str(row["calls"] - 3),
    "CPU ms, turns 1-50": lambda row: f"{row['early'] * 1e3:.2f}",
    "CPU ms, last 50 turns": lambda row: f"{row['late_turns'] * 1e3:.2f}",
    "late ÷ early": lambda row: f"{row['growth']:.2f}",
}


def run(options: Options) -> Report:
    """Medians of CPU seconds per turn, from one call of the tool to the next."""
    turns = 2 * WINDOW if options.quick else 300
    report = Report("history", f"Cost of a turn over a history of {turns}", COLUMNS)
    flags = ["--agents=1", f"--calls={turns}", "--mode=lone"]

    with server(latency=0.002) as url:
        report.rows = measure(options, options.choose("floor", "kimi_nb", "openai"), url, *flags)

    for row in report.rows:
        if "error" not in row:
            costs = row.pop("turn_cpu")
            row["early"], row["late_turns"] = median(costs[:WINDOW]), median(costs[-WINDOW:])
            row["growth"] = row["late_turns"] / row["early"]

    growth = {row["name"]: row.get("growth") for row in report.rows}
    report.targets = [Target("late turns ÷ early turns of kimi_nb", growth.get("kimi_nb"), 1.5)]
    report.notes.append("A later turn still sends more bytes: that share is the kernel's.")
    return report
