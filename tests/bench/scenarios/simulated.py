"""Early start against the simulator: an orchestrator that writes at 50 tokens a second.

The four runs go side by side in this process: at that pace they do little but wait.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import Columns, Options, Report

import kimi_nb as kn

__all__ = ["run"]

RATE = 50.0
COLUMNS: Columns = {
    "simulated endpoint": lambda row: row["case"],
    "early start": lambda row: row["early"],
    "wall, s": lambda row: f"{row['wall']:.1f}",
    "sub-agents": lambda row: str(row["agents"] - 1),
}
CASES = (("takes all calls at once", None), ("takes 8 calls at once", 8))


def run(options: Options) -> Report:
    """One CSV file for each sub-agent; each case with early start and without."""
    agents, rate = (5, 1_000.0) if options.quick else (100, RATE)
    title = f"Early start: the simulator at {rate:g} tokens/s, {agents} files"
    report = Report("simulated", title, COLUMNS)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_files(folder, agents)
        runs = {
            (case, early): _start(folder, agents, rate, limit, early=early)
            for case, limit in CASES
            for early in (True, False)
        }

        for (case, early), made in runs.items():
            found = made.result().metrics
            row = {"name": "kimi_nb", "case": case, "early": "yes" if early else "no"}
            done = made.status == "finished" and found.agents == 1 + agents
            report.rows.append(row | {"ok": done, "wall": found.wall_s, "agents": found.agents})

    return report


def _write_files(folder: Path, count: int) -> None:
    for number in range(count):
        rows = "\n".join(f"{item},{item * number % 97}" for item in range(50))
        (folder / f"shop{number:03}.csv").write_text(f"item,price\n{rows}\n")


def _start(folder: Path, agents: int, rate: float, limit: int | None, *, early: bool) -> kn.Run:
    return kn.swarm(
        "For each CSV file here, give the number of rows and the highest price.",
        name=f"early {early}, limit {limit}",
        folder=folder,
        max_agents=agents,
        early_start=early,
        limits=kn.Limits(concurrency=limit),
        simulator=kn.Simulator(tokens_per_second=rate),
        trace=folder / f"{early}-{limit}.jsonl",
    )
