"""Early start: the orchestrator writes 100 assign_task calls at 50 tokens a second.

A sub-agent that starts when its call is written overlaps with the writing of the rest. Where all
take equally long the last one written decides, and nothing is saved; where they differ, or the
endpoint allows only so many at once, the wall shrinks.
"""

from __future__ import annotations

from bench import Columns, Options, Report, Target, measure, server

__all__ = ["run"]

RATE = 50.0
CASES = (("equal: 10 calls each", 10, 0, 0), ("unequal: 1 to 40 calls", 1, 40, 0))
LIMITED = ("10 calls each, 16 requests at once", 10, 0, 16)
COLUMNS: Columns = {
    "sub-agents": lambda row: row["case"],
    "early start": lambda row: row["early"],
    "wall, s": lambda row: f"{row['wall']:.1f}",
    "answer": lambda row: row["answer"][-30:],
}


def run(options: Options) -> Report:
    """Calls of 1 s; each case with early start and without. Prints what it saves; no bound."""
    agents, latency = (10, 0.1) if options.quick else (100, 1.0)
    report = Report("early", f"Early start: {agents} assign_task calls at 50 tokens/s", COLUMNS)

    for case, calls, most, limit in (*CASES, LIMITED):
        flags = [f"--agents={agents}", f"--calls={calls}", f"--most={most}", "--stream"]
        walls: list[float] = []

        with server(latency=latency, rate=RATE, limit=limit) as url:
            for early in (True, False):
                more = ["--early"] if early else []
                row = measure(options, options.choose("kimi_nb")[:1], url, *flags, *more)[0]
                row.pop("turn_cpu", None)
                report.rows.append(row | {"case": case, "early": "yes" if early else "no"})
                walls += [row["wall"]] if "wall" in row else []

        if len(walls) > 1:
            saved = walls[1] - walls[0]
            report.notes.append(f"- {case}: {saved:.1f} s of {walls[1]:.1f} s saved")

    for case in (CASES[1][0], LIMITED[0]):
        walls = [row["wall"] for row in report.rows if row["case"] == case and "wall" in row]
        ratio = walls[0] / walls[1] if len(walls) > 1 else None
        report.targets.append(Target(f"{case}: wall with ÷ without", ratio, 1.0))

    return report
