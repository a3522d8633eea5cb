"""One simulator for a class: what waiting it adds, beside one learner alone on the same server.

    python tests/bench/classroom.py                    60 learners, 20 sub-agents each, at once
    python tests/bench/classroom.py --quick            3 learners, 4 sub-agents: counts only

The server is `kimi-nb simulator` in a process of its own, on a core of its own (Linux). The
learners are swarms in two others, which share the other cores: there they read files and compute,
which in a class sixty machines do. The limit that nobody can pass is the latency that the simulator
is told to have: a probe beside the server sends a tiny request all the while, and what it waits
longer is the server's.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LATENCY = 0.3
"""Median seconds until the first chunk, as `kimi-nb simulator` has it."""
CLIENTS = 2
"""Processes that the learners share."""

LEARNERS = """
import asyncio, json, os, sys
from pathlib import Path
import kimi_nb as kn

url, folder, first, last, agents = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
GOAL = "For each CSV file in the folder, give the number of rows and the highest price."

async def learner(number):
    run = kn.swarm(GOAL, model="simulator", base_url=url, max_agents=agents, folder=folder,
                   trace=folder.parent / f"{os.getpid()}-{number}.jsonl",
                   limits=kn.Limits(concurrency=4000))
    await run
    right = sum(f"{n}.csv" in run.answer for n in range(agents))
    got = run.metrics
    return run.status == "finished" and right == agents, got.wall_s, got.total_steps, got.agents

async def everyone():
    await learner(10_000 + first)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await asyncio.gather(*map(learner, range(first, last)))), flush=True)

asyncio.run(everyone())
"""

PROBE = """
import asyncio, json, sys, time
import aiohttp

url = sys.argv[1] + "/chat/completions"
asked = {"model": "simulator", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}

async def probe():
    waits, number = [], 0
    reader = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    async with aiohttp.ClientSession() as session:
        while not reader.done():
            number += 1
            began = time.perf_counter()
            async with session.post(url, json={**asked, "seed": number}) as reply:
                await reply.content.readline()
                waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.05)
    print(json.dumps(waits), flush=True)

asyncio.run(probe())
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=60, metavar="N")
    parser.add_argument("--agents", type=int, default=20, metavar="N", help="for each of them")
    parser.add_argument("--quick", action="store_true", help="3 learners, 4 sub-agents")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    asked = parser.parse_args()

    if asked.quick:
        asked.students, asked.agents = 3, 4

    return asked


def cores() -> tuple[str, str]:
    """The server's, and the learners'; as `taskset` names them."""
    every = sorted(os.sched_getaffinity(0))
    return str(every[0]), ",".join(map(str, every[1:] or every))


def python(where: str, code: str, *words: object) -> subprocess.Popen[str]:
    command = ["taskset", "-c", where, sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def heard(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""

    if not line:
        message = f"a process ended too early, with {process.wait()}"
        raise SystemExit(message)

    return line


def say(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        process.stdin.write("go\n")
        process.stdin.flush()


def cpu(pid: int) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(url: str, pid: int, students: int, agents: int, folder: Path) -> dict[str, Any]:
    """So many learners at once: their runs, the probe's waits, and the server's CPU."""
    parts = min(CLIENTS, students)
    ends = [students * part // parts for part in range(parts + 1)]
    clients = [
        python(cores()[1], LEARNERS, url, folder, ends[part], ends[part + 1], agents)
        for part in range(parts)
    ]

    for client in clients:
        heard(client)

    probe = python(cores()[0], PROBE, url)
    used, began = cpu(pid), time.perf_counter()

    for client in clients:
        say(client)

    runs = [run for client in clients for run in json.loads(heard(client))]
    wall = time.perf_counter() - began
    used = cpu(pid) - used
    say(probe)
    waits = sorted(json.loads(heard(probe)))
    calls = sum(run[2] for run in runs)
    return {
        "learners": students,
        "sub-agents": sum(run[3] - 1 for run in runs),
        "right": sum(run[0] for run in runs),
        "calls": calls,
        "wall_s": round(wall, 2),
        "median_run_s": round(statistics.median(run[1] for run in runs), 2),
        "server_cpu_ms_a_call": round(1000 * used / calls, 2),
        "server_cores": round(used / wall, 2),
        "probe_median_s": round(statistics.median(waits), 3),
        "probe_worst_s": round(waits[-1], 3),
    }


def main() -> int:
    """0 if every learner had every file's row in the answer."""
    asked = arguments()

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "shops"
        folder.mkdir()

        for number in range(asked.agents):
            rows = "".join(f"{item},{(item * 37 + number) % 90}\n" for item in range(50))
            (folder / f"{number}.csv").write_text(f"item,price\n{rows}", "utf-8")

        command = ["taskset", "-c", cores()[0], sys.executable, "-m", "kimi_nb.cli", "simulator"]
        command += ["--port", "0", "--latency", str(LATENCY)]
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

        try:
            found = re.search(r"http://\S+/v1", heard(server))
            url = found[0] if found else ""
            rows = [
                measure(url, server.pid, students, asked.agents, folder)
                for students in (1, asked.students)
            ]
        finally:
            server.terminate()
            server.wait()

    show(rows, as_json=asked.json)
    return int(any(row["right"] < row["learners"] for row in rows))


def show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    alone, many = rows
    ratio = {
        "median run, class ÷ one learner": many["median_run_s"] / alone["median_run_s"],
        "probe's median wait in class ÷ the simulated latency": many["probe_median_s"] / LATENCY,
    }

    if as_json:
        print(json.dumps({"rows": rows, "ratios": ratio}))  # noqa: T201
        return

    for key in alone:
        print(f"{key:24}{alone[key]:>12,}{many[key]:>12,}")  # noqa: T201

    for name, value in ratio.items():
        print(f"{name}: {value:.2f}")  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())
