"""W(100, 15, 50 ms): what the client costs beside the calls themselves."""

from __future__ import annotations

from bench import Columns, Options, Report, Row, Target, measure, server
from peers import FRAMEWORKS

__all__ = ["run"]

COLUMNS: Columns = {
    "client": lambda row: row["label"],
    "mode": lambda row: row["mode"],
    "calls": lambda row: f"{row['calls']}" + ("" if row["ok"] else " (WRONG ANSWER)"),
    "wall / ideal": lambda row: f"{row['ratio']:.2f}",
    "CPU ms / call": lambda row: f"{row['cpu_ms']:.3f}",
    "loop lag p99, ms": lambda row: f"{row['lag_p99'] * 1e3:.1f}",
    "peak RSS, MB": lambda row: f"{row['rss']:.0f}",
    "import, s": lambda row: f"{row['import']:.2f}",
    "to first answer, s": lambda row: f"{row['import'] + row['first']:.2f}",
    "server CPU / client's": lambda row: f"{row['server_cpu'] / row['cpu']:.1%}",
}


def run(options: Options) -> Report:
    """Both modes for all clients. With `quick`: N = 10, K = 3, the hand-written loops and ours."""
    agents, calls, latency = (10, 3, 0.05) if options.quick else (100, 15, 0.05)
    quick = ("floor", "openai", "kimi_nb") if options.quick else ()
    title = f"W({agents}, {calls}, {latency * 1e3:.0f} ms)"
    report = Report("main", title, COLUMNS)
    expected = agents * (calls + 1) + 2

    for mode in options.modes:
        flags = [f"--agents={agents}", f"--calls={calls}"]
        flags += ["--stream"] if mode == "streamed" else []

        with server(latency=latency, strict=options.quick) as url:
            rows = measure(options, options.choose(*quick), url, *flags)

        for row in rows:
            report.rows.append(complete(row, mode, (calls + 3) * latency, expected))

        report.targets += targets(rows, mode)

    return report


def complete(row: Row, mode: str, ideal: float, expected: int) -> Row:
    row["mode"] = mode

    if "error" not in row:
        row |= {"ideal": ideal, "expected": expected, "ratio": row["wall"] / ideal}
        row["cpu_ms"] = row["cpu"] / row["calls"] * 1e3
        row["ok"] = row["ok"] and row["calls"] == expected
        row.pop("turn_cpu")

    return row


def targets(rows: list[Row], mode: str) -> list[Target]:
    """The ratios of the CPU times per call, and our own wall and lag."""
    done = {row["name"]: row for row in rows if "error" not in row}
    cpu = {name: row["cpu_ms"] for name, row in done.items()}
    ours = done.get("kimi_nb", {})
    frameworks = [cpu[name] for name in FRAMEWORKS if name in cpu]

    def ratio(over: float | None, under: float | None) -> float | None:
        return None if over is None or under is None else over / under

    mine, rival = cpu.get("kimi_nb"), min(frameworks, default=None)
    wall, lag = ours.get("ratio"), ours.get("lag_p99")
    return [
        Target(f"{mode}: CPU, kimi_nb ÷ floor", ratio(mine, cpu.get("floor")), 2.5),
        Target(f"{mode}: CPU, openai ÷ kimi_nb", ratio(cpu.get("openai"), mine), 8, least=True),
        Target(f"{mode}: CPU, best framework ÷ kimi_nb", ratio(rival, mine), 10, least=True),
        Target(f"{mode}: wall ÷ ideal of kimi_nb", wall, 2),
        Target(f"{mode}: loop lag p99", lag and lag * 1e3, 30, " ms"),
    ]
