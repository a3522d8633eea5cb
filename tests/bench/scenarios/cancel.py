"""Cancel in mid-run with 100 sub-agents: how soon it is done, and what is still in flight."""

from __future__ import annotations

from bench import Columns, Options, Report, Target, measure, server

__all__ = ["run"]

COLUMNS: Columns = {
    "client": lambda row: row["label"],
    "cancel to done, ms": lambda row: f"{row['cancel'] * 1e3:.1f}",
    "status": lambda row: row["status"],
    "in flight 1 s later": lambda row: str(row["in_flight"]),
    "sent after": lambda row: str(row["sent_after"]),
    "tasks left": lambda row: str(row["tasks"]),
}


def run(options: Options) -> Report:
    """Streamed calls of 1 s, cancelled after 3.5 s, in the middle of one."""
    agents = 10 if options.quick else 100
    report = Report("cancel", f"Cancel in mid-run, N = {agents}", COLUMNS)

    with server(latency=1.0) as url:
        flags = [f"--agents={agents}", "--calls=15", "--stream", "--mode=cancel", "--after=3.5"]
        report.rows = measure(options, options.choose("kimi_nb", "openai"), url, *flags)

    ours = {row["name"]: row for row in report.rows}.get("kimi_nb", {})
    took = ours.get("cancel")
    report.targets = [
        Target("cancel() to done", took and took * 1e3, 50, " ms"),
        Target("requests in flight 1 s later", ours.get("in_flight"), 0),
        Target("requests sent after the cancel", ours.get("sent_after"), 0),
        Target("tasks left on the loop", ours.get("tasks"), 0),
    ]
    return report
