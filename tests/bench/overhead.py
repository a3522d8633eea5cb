"""The speed benchmark: one command, one run, a table and verdicts.

python tests/bench/overhead.py --install         once: an environment for each peer
python tests/bench/overhead.py                   W(100, 15, 50 ms), plain and streamed
python tests/bench/overhead.py all --json
"""

from __future__ import annotations

import argparse
import json
import sys

import peers
from bench import Options, Report
from scenarios import cancel, cost, early, history, latency, limit, measures, simulated

SCENARIOS = {
    "main": cost.run,
    "latency": latency.run,
    "history": history.run,
    "limit": limit.run,
    "cancel": cancel.run,
    "early": early.run,
    "simulated": simulated.run,
    "measures": measures.run,
}


def arguments() -> argparse.Namespace:
    names = [peer.name for peer in peers.PEERS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", nargs="?", default="main", choices=[*SCENARIOS, "all"])
    parser.add_argument("--only", action="append", default=[], choices=names, metavar="CLIENT")
    parser.add_argument("--repeat", type=int, default=1, help="best of so many runs of each")
    parser.add_argument("--mode", choices=["plain", "streamed"], help="main: only this one")
    parser.add_argument("--quick", action="store_true", help="small; checks counts, not times")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--install", action="store_true", help="make the peers' environments")
    return parser.parse_args()


def main() -> int:
    """0 if kimi_nb (in a quick run: every client) did all of the work, however slowly."""
    asked = arguments()
    modes = (asked.mode,) if asked.mode else ("plain", "streamed")
    options = Options(tuple(asked.only), max(1, asked.repeat), asked.quick, modes)

    if asked.install:
        peers.install((peers.SERVER, *options.choose()))
        return 0

    names = SCENARIOS if asked.scenario == "all" else (asked.scenario,)
    reports: list[Report] = []

    for name in names:
        print(f"{name}:", file=sys.stderr)  # noqa: T201
        reports.append(SCENARIOS[name](options))

        if not asked.json:
            print(reports[-1].markdown(), flush=True)  # noqa: T201

    if asked.json:
        print(json.dumps({report.name: report.json() for report in reports}))  # noqa: T201

    rows = [row for report in reports for row in report.rows]
    return int(not all(row.get("ok") for row in rows if options.quick or row["name"] == "kimi_nb"))


if __name__ == "__main__":
    raise SystemExit(main())
