"""What one agent, call, record and task cost on this machine: the measured inputs of limits.py.

python notebooks/cluster/measure.py             all
python notebooks/cluster/measure.py log tls     only these
"""

from __future__ import annotations

import argparse
import contextlib
import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TURN_CHARACTERS = 8_000
"""Of a step's answer and its tool's text together: what limits.py lets a context grow by."""
RECORDS = 200_000
TASKS = 5_000
HANDSHAKES = 300
FILES = 50


def log() -> dict[str, float]:
    """How fast the log takes calls, and what a call is in it, without and with its text."""
    with tempfile.TemporaryDirectory() as folder:
        bare = written(Path(folder) / "bare.jsonl", 0)
        full = written(Path(folder) / "full.jsonl", TURN_CHARACTERS)

    return {
        "records_per_second": bare["records"] / bare["cpu"],
        "records_per_call": bare["records"] / bare["calls"],
        "bytes_per_call_without_text": bare["bytes"] / bare["calls"],
        "bytes_per_call": full["bytes"] / full["calls"],
        "mb_per_second": full["bytes"] / full["cpu"] / 1e6,
    }


def written(path: Path, characters: int) -> dict[str, float]:
    """A log of `RECORDS` records, and what it took: CPU seconds, calls, records, bytes."""
    from kimi_nb.trace import Log

    log = Log(path)
    before, calls = time.process_time(), 0

    while len(log.records) < (RECORDS if characters == 0 else RECORDS // 10):
        _write_call(log, calls, characters)
        calls += 1

    cpu, records = time.process_time() - before, len(log.records)
    log.close()
    return {"cpu": cpu, "calls": calls, "records": records, "bytes": path.stat().st_size}


def _write_call(log: Any, number: int, characters: int) -> None:
    """The facts of one step with one tool, as a sub-agent's are added."""
    from kimi_nb.events import Said, StepBegan, StepEnded, ToolCalled, ToolReturned

    agent, step = f"a{number // 13}", number % 13 + 1
    log.add(agent, StepBegan(step=step))
    log.add(
        agent,
        ToolCalled(step=step, call=0, call_id=f"call:{number}", tool="search", arguments="{}"),
        Said(step=step, text="x" * (characters // 4)),
        StepEnded(step=step, finish="tools", tokens_in=16_000, tokens_out=2_000, tokens_cached=0),
    )
    text = "x" * (characters - characters // 4)
    log.add(agent, ToolReturned(step=step, call=0, ok=True, text=text))


def tls() -> dict[str, float]:
    """What a full TLS 1.3 handshake costs the side that opens the connection, with a P-256 key."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
        made = ["openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        made += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        made += ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(made, check=True, capture_output=True)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        client = ssl.create_default_context(cafile=str(certificate))
        seconds = sum(_handshake(client, server) for _ in range(HANDSHAKES))

    return {"handshake_ms": 1000 * seconds / HANDSHAKES}


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> float:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    there = server.wrap_bio(to_server, to_client, server_side=True)
    spent, waiting = 0.0, [here, there]

    while waiting:
        for side in tuple(waiting):
            before = time.process_time()

            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
                waiting.remove(side)

            spent += time.process_time() - before if side is here else 0.0

    return spent


def sleep_once(run: str, agent: str) -> str:
    """A task as a sub-agent's is: two short words, and a thread that is given back at once."""
    from distributed import secede

    secede()
    return run + agent


def task() -> dict[str, float]:
    """What a task costs the scheduler: CPU of `dask scheduler` with two `dask worker`s."""
    import psutil
    from distributed import Client, wait

    with _cluster() as (address, scheduler, _), Client(address) as client:
        client.wait_for_workers(2)
        client.upload_file(__file__)
        wait(client.map(sleep_once, ["warm"] * 50, [str(i) for i in range(50)], pure=False))
        process = psutil.Process(scheduler)
        before, began = sum(process.cpu_times()[:2]), time.perf_counter()
        futures = client.map(sleep_once, ["r"] * TASKS, [f"a{i}" for i in range(TASKS)], pure=False)
        wait(futures)
        wall, cpu = time.perf_counter() - began, sum(process.cpu_times()[:2]) - before

    return {
        "scheduler_cpu_ms_per_task": 1000 * cpu / TASKS,
        "wall_ms_per_task": 1000 * wall / TASKS,
    }


def swarm() -> dict[str, float]:
    """What a call of a sub-agent on a worker costs each process, and the scheduler's messages."""
    import psutil
    from distributed import Client

    with _cluster() as (address, scheduler, workers), Client(address) as client:
        client.wait_for_workers(2)
        kinds = {"kernel": [None], "scheduler": [scheduler], "workers": workers}

        def spent(pids: list[int | None]) -> float:
            return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)

        _run(client, FILES)
        client.run_on_scheduler(_count)
        before = {kind: spent(pids) for kind, pids in kinds.items()}
        calls = _run(client, FILES)
        cpu = {kind: spent(pids) - before[kind] for kind, pids in kinds.items()}
        messages, size = client.run_on_scheduler(_counted)

    found = {f"{kind}_cpu_ms_per_call": 1000 * cpu[kind] / calls for kind in cpu}
    return found | {"messages_per_call": messages / calls, "bytes_per_call": size / calls}


def _run(client: Any, files: int) -> int:
    """Calls of a swarm with a sub-agent for each of so many small files."""
    import kimi_nb as kn

    goal = "For each CSV file in the folder, give the number of rows and the highest price."

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as beside:
        for number in range(files):
            rows = "\n".join(["item,price", *(f"{k},{k * number}" for k in range(9))])
            (Path(folder) / f"shop{number:03}.csv").write_text(rows, "utf-8")

        trace = Path(beside) / "run.jsonl"
        run = kn.swarm(
            goal, folder=folder, max_agents=files, model="simulator", cluster=client, trace=trace
        )
        run.result()
        return run.metrics.total_steps


def _count(dask_scheduler: Any) -> None:
    """From now on the scheduler counts what the switchboard takes."""
    send = dask_scheduler.handlers["kimi_nb_send"]
    counted = dask_scheduler.counted = [0, 0]

    async def counting(**asked: Any) -> Any:
        counted[0] += asked["count"]
        counted[1] += asked["size"]
        return await send(**asked)

    dask_scheduler.handlers["kimi_nb_send"] = counting


def _counted(dask_scheduler: Any) -> list[int]:
    return dask_scheduler.counted


@contextlib.contextmanager
def _cluster() -> Iterator[tuple[str, int, list[int]]]:
    """A scheduler and two workers, processes of their own: its address, and all process ids."""
    dask = [sys.executable, "-m", "dask"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scheduler.json"
        there = ["--scheduler-file", str(file), "--no-dashboard"]
        begin = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *there]
        scheduler = subprocess.Popen(begin, cwd=folder, stderr=subprocess.DEVNULL)
        join = [*dask, "worker", "--nthreads", "1", "--no-nanny", *there]
        workers = [subprocess.Popen(join, cwd=folder, stderr=subprocess.DEVNULL) for _ in range(2)]

        try:
            while not file.exists() or not file.stat().st_size:
                time.sleep(0.05)

            address = json.loads(file.read_text("utf-8"))["address"]
            yield address, scheduler.pid, [worker.pid for worker in workers]
        finally:
            for process in (*workers, scheduler):
                process.terminate()
                process.wait()


MEASURED = {"log": log, "swarm": swarm, "task": task, "tls": tls}


def main() -> int:
    """0: there is nothing to fail."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="log, swarm, task or tls")
    names = parser.parse_args().names or list(MEASURED)

    for name in names:
        for what, value in MEASURED[name]().items():
            print(f"{name:6}{what:30}{value:14,.3f}", flush=True)

    return 0


if __name__ == "__main__":
    raise SystemExit(main())
