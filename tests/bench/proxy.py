"""What a class's proxy costs, and what its turns are worth.

    python tests/bench/proxy.py                 overhead, fairness, a class of 60 (2 minutes)
    python tests/bench/proxy.py --quick         a few calls: counts only
    python tests/bench/proxy.py --litellm FILE  the same calls through LiteLLM's proxy, too: the
                                                `litellm` of an environment with litellm[proxy]

Overhead: the same calls straight to the benchmark's server and through `kimi-nb proxy`, both in
processes of their own, in turn, from one client. Fairness: one learner asks 300 things at once,
ten others two each, one after the other, of an endpoint that takes 20 at once; beside it the same
calls under one key, where the first come go first. Class: 60 swarms, each with a key of its own,
through the proxy of the simulator.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

import kimi_nb as kn
from kimi_nb.proxy.keys import Who, mint
from kimi_nb.proxy.ledger import entries
from kimi_nb.proxy.sheet import Sheet, read_sheet

HERE = Path(__file__).parent
ASKED: dict[str, Any] = {
    "messages": [{"role": "user", "content": "make 3 calls of look"}],
    "max_tokens": 200,
}
MASTER = "sk-bench-Zf83jdkfls93kKdls93LdkeWq82"


@contextlib.contextmanager
def process(
    *command: object, quiet: bool = False, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """A program while the context lasts; `quiet`: nobody reads what it prints."""
    started = subprocess.Popen(
        list(map(str, command)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )

    try:
        yield started
    finally:
        started.terminate()
        started.communicate()


def port(started: subprocess.Popen[str]) -> int:
    line = started.stdout.readline() if started.stdout else ""
    found = re.findall(r'"port": (\d+)|127.0.0.1:(\d+)/', line)  # a proxy names its endpoint first

    if not found:
        message = f"a server did not start: {line}"
        raise SystemExit(message)

    return int("".join(found[-1]))


def sheet(
    folder: Path, base_url: str, upstream: str, learners: list[str]
) -> tuple[Sheet, list[str]]:
    path = folder / "class.yml"
    path.write_text(
        f"upstream: {{base_url: '{base_url}', models: [simulator], {upstream}}}\n"
        "classes: {a: {each: {tokens: 1000000000}}}\n"
    )
    read = read_sheet(path)
    keys = mint(read, [Who("a", name) for name in learners])
    return read, list(keys.values())


def cpu(pid: int) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def call(
    session: aiohttp.ClientSession, url: str, key: str, *, streamed: bool
) -> tuple[float, float]:
    """Seconds until the first byte, and until the last."""
    began = time.perf_counter()
    body = {**ASKED, "model": "simulator", "stream": streamed}

    if streamed:
        body["stream_options"] = {"include_usage": True}

    headers = {"Authorization": f"Bearer {key}"}

    async with session.post(f"{url}/chat/completions", json=body, headers=headers) as response:
        if response.status != 200:
            raise SystemExit(await response.text())

        await response.content.readany()
        first = time.perf_counter() - began
        await response.read()

    return first, time.perf_counter() - began


async def many(
    url: str, key: str, count: int, at_once: int, *, streamed: bool
) -> list[tuple[float, float]]:
    done: list[tuple[float, float]] = []
    left = iter(range(count))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def worker() -> None:
            for _ in left:
                times = await call(session, url, key, streamed=streamed)
                done.append(times)

        await asyncio.gather(*(worker() for _ in range(at_once)))

    return done


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def overhead(asked: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Each way plain and streamed, in turn, so that what else the machine does meets all."""
    count, rounds = (20, 1) if asked.quick else (400, 4)
    rows: list[dict[str, Any]] = []

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            process(sys.executable, HERE / "server.py", "--latency", 0.05, "--deltas", 20)
        )
        base = f"http://127.0.0.1:{port(server)}/v1"
        read, [key] = sheet(folder, base, "", ["ana"])
        proxy = stack.enter_context(
            process(sys.executable, "-m", "kimi_nb.cli", "proxy", read.path, "--port", 0)
        )
        ways = [
            ("direct", base, "none", server.pid),
            ("kimi-nb proxy", f"http://127.0.0.1:{port(proxy)}/v1", key, proxy.pid),
        ]

        if asked.litellm:
            ways.append(stack.enter_context(litellm(asked.litellm, base, folder)))

        for streamed in (False, True):
            got: dict[str, list[tuple[float, float]]] = {way[0]: [] for way in ways}
            used = dict.fromkeys(got, 0.0)

            for _, url, key, _ in ways:  # what is loaded or connected once
                asyncio.run(many(url, key, 20, 20, streamed=streamed))

            for _ in range(rounds):
                for name, url, key, pid in ways:
                    before = cpu(pid)
                    got[name] += asyncio.run(many(url, key, count, 20, streamed=streamed))
                    used[name] += cpu(pid) - before

            rows += [
                {
                    "way": name,
                    "streamed": streamed,
                    "calls": len(calls),
                    "cpu_us": round(1e6 * used[name] / len(calls)),
                    "first_p50_ms": round(1e3 * quantile([f for f, _ in calls], 0.5), 1),
                    "first_p99_ms": round(1e3 * quantile([f for f, _ in calls], 0.99), 1),
                    "last_p50_ms": round(1e3 * quantile([w for _, w in calls], 0.5), 1),
                    "last_p99_ms": round(1e3 * quantile([w for _, w in calls], 0.99), 1),
                }
                for name, calls in got.items()
            ]

    return rows


@contextlib.contextmanager
def litellm(program: str, base: str, folder: Path) -> Iterator[tuple[str, str, str, int]]:
    """LiteLLM's proxy with one worker, without a database, so without keys and budgets."""
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list: [{model_name: simulator, litellm_params: {model: openai/simulator, "
        f"api_base: '{base}', api_key: sk-none}}}}]\ngeneral_settings: {{master_key: {MASTER}}}\n"
    )
    number = 8732
    command = [program, "--config", config, "--port", number]

    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}

    with process(*command, quiet=True, **environment) as started:
        asyncio.run(answers(f"http://127.0.0.1:{number}/health/liveliness"))
        yield "litellm 1 worker", f"http://127.0.0.1:{number}/v1", MASTER, started.pid


async def answers(url: str) -> None:
    """Return when something answers there."""
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return

            await asyncio.sleep(0.5)


def fairness(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """How long ten modest learners wait beside a greedy one, with keys of their own or with its."""
    others = [f"m{number}" for number in range(10)]

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(process(sys.executable, HERE / "server.py", "--latency", 0.2))
        base = f"http://127.0.0.1:{port(server)}/v1"
        read, keys = sheet(folder, base, "concurrency: 20", ["greedy", *others])
        proxy = stack.enter_context(
            process(sys.executable, "-m", "kimi_nb.cli", "proxy", read.path, "--port", 0)
        )
        url = f"http://127.0.0.1:{port(proxy)}/v1"
        greedy, *theirs = keys
        count = 40 if asked.quick else 300
        return {
            "calls of the greedy": count,
            "own keys": asyncio.run(beside(url, greedy, theirs, count)),
            "one key for all": asyncio.run(beside(url, greedy, [greedy] * len(theirs), count)),
        }


async def beside(url: str, greedy: str, others: list[str], count: int) -> dict[str, float]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.perf_counter()
        flood = [
            asyncio.create_task(call(session, url, greedy, streamed=False)) for _ in range(count)
        ]
        await asyncio.sleep(0.5)

        async def modest(key: str) -> list[float]:
            return [(await call(session, url, key, streamed=False))[1] for _ in range(2)]

        waits = list(itertools.chain(*await asyncio.gather(*map(modest, others))))
        await asyncio.gather(*flood)
        return {
            "median_s": round(statistics.median(waits), 2),
            "worst_s": round(max(waits), 2),
            "all_done_s": round(time.perf_counter() - began, 2),
        }


def lesson(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """A swarm for each learner, at once, through one proxy."""
    students, agents = (3, 4) if asked.quick else (60, 20)
    shops = folder / "shops"
    shops.mkdir()

    for number in range(agents):
        (shops / f"{number}.csv").write_text("item,price\n" + "1,2\n" * 20)

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            process(sys.executable, "-m", "kimi_nb.cli", "simulator", "--port", 0)
        )
        base = f"http://127.0.0.1:{port(server)}/v1"
        read, keys = sheet(folder, base, "", [f"s{number}" for number in range(students)])
        proxy = stack.enter_context(
            process(sys.executable, "-m", "kimi_nb.cli", "proxy", read.path, "--port", 0)
        )
        url = f"http://127.0.0.1:{port(proxy)}/v1"
        used, began = cpu(proxy.pid), time.perf_counter()
        runs = asyncio.run(swarms(url, keys, agents, folder))
        wall, used = time.perf_counter() - began, cpu(proxy.pid) - used
        status = Path(f"/proc/{proxy.pid}/status").read_text("ascii")

    paid = list(entries(read.ledger))
    calls = sum(run.metrics.total_steps for run in runs)
    return {
        "learners": students,
        "finished": sum(run.status == "finished" for run in runs),
        "sub-agents": sum(run.metrics.agents - 1 for run in runs),
        "calls": calls,
        "in the ledger": len(paid),
        "wall_s": round(wall, 1),
        "proxy_cpu_us_a_call": round(1e6 * used / calls),
        "proxy_peak_mb": int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024,
    }


async def swarms(url: str, keys: list[str], agents: int, folder: Path) -> list[kn.Run]:
    goal = "For each CSV file in the folder, give the number of rows and the highest price."
    runs = [
        kn.swarm(
            goal,
            model="simulator",
            base_url=url,
            key=key,
            max_agents=agents,
            folder=folder / "shops",
            trace=folder / f"{number}.jsonl",
        )
        for number, key in enumerate(keys)
    ]

    for run in runs:
        await run

    return runs


def main() -> int:
    """0 if every learner's swarm finished and each of its calls is in the ledger."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few calls")
    parser.add_argument("--litellm", metavar="FILE", help="LiteLLM's command, as a peer")
    asked = parser.parse_args()
    found: dict[str, Any] = {}

    for part in (overhead, fairness, lesson):
        with tempfile.TemporaryDirectory() as folder:
            found[part.__name__] = part(asked, Path(folder))
            print(json.dumps({part.__name__: found[part.__name__]}, indent=1), flush=True)  # noqa: T201

    class_ = found["lesson"]
    good = class_["finished"] == class_["learners"] and class_["calls"] == class_["in the ledger"]
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
