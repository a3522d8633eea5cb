"""An endpoint that allows 32 requests at once, and answers 429 with Retry-After: 1 beyond."""

from __future__ import annotations

from bench import Columns, Options, Report, Target, measure, server

__all__ = ["run"]

AT_ONCE, LATENCY, CALLS = 32, 0.5, 3
COLUMNS: Columns = {
    "client": lambda row: row["label"],
    "wall, s": lambda row: f"{row['wall']:.2f}",
    "wall / bound": lambda row: f"{row['wall'] / row['bound']:.2f}",
    "answer": lambda row: row["answer"][-40:],
    "429s": lambda row: str(row["refused"]),
}


def run(options: Options) -> Report:
    """Default settings of each client. The bound is all work / 32, plus the orchestrator's."""
    agents = 40 if options.quick else 100
    bound = agents * (CALLS + 1) / AT_ONCE * LATENCY + 2 * LATENCY
    report = Report("limit", f"{AT_ONCE} requests at once; bound {bound:.2f} s", COLUMNS)

    with server(latency=LATENCY, limit=AT_ONCE) as url:
        flags = [f"--agents={agents}", f"--calls={CALLS}", "--stream"]
        report.rows = measure(options, options.choose("kimi_nb", "openai"), url, *flags)

    for row in report.rows:
        row["bound"] = bound
        row.pop("turn_cpu", None)

    ours = [row for row in report.rows if row["name"] == "kimi_nb" and "wall" in row]
    kept = float(ours[0]["answer"].split()[-3]) if ours else None
    wall = ours[0]["wall"] / bound if ours else None
    report.targets = [
        Target("sub-agents of kimi_nb that came back", kept, agents, least=True),
        Target("wall ÷ bound of kimi_nb", wall, 1.2),
    ]
    return report
