"""PARL's training in NumPy, PyTorch and JAX: one run, one thread each, ratios to NumPy.

python tests/bench/parl.py --install      once: an environment for PyTorch (5 GB) and one for JAX
python tests/bench/parl.py                300 iterations each, JAX twice (2 minutes)
python tests/bench/parl.py --quick        5 iterations: shows that they run, not how fast
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

import peers
from bench import Columns, Report, Row, Target, complaint
from peers import HERE, ROOT, Peer

TIMEOUT = 1200.0
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
NUMPY = Peer("numpy", "**NumPy, the default**", "trainers/with_numpy.py", (), ("numpy",))
TRAINERS = (
    NUMPY,
    Peer(
        "torch",
        "PyTorch 2.14, eager",
        "trainers/with_torch.py",
        ("torch==2.14.1", "numpy==2.4.6", "orjson==3.13.0"),
        ("torch",),
    ),
    Peer(
        "jax",
        "JAX 0.10, compiled before",
        "trainers/with_jax.py",
        ("jax==0.10.2", "numpy==2.4.6", "orjson==3.13.0"),
        ("jax",),
    ),
)
KNOWN = {"training": 208_000, "large": 311_000}
"""The prototype's steps a second of CPU, in NumPy on one thread."""


def rate(row: Row, of: str = "training") -> str:
    return f"{row[of] / 1e3:.0f}k ({row[of] / row['numpy'][of]:.2f})" if of in row else ""


COLUMNS: Columns = {
    "one thread of the CPU": lambda row: row["label"],
    "training steps/s (÷ NumPy)": rate,
    "rollout steps/s at 512": lambda row: rate(row, "small"),
    "at 8,192 episodes": lambda row: rate(row, "large"),
    "CPU s": lambda row: f"{row['cpu']:.1f}",
    "wall s": lambda row: f"{row['wall']:.1f}",
    "import s": lambda row: f"{row['import']:.2f}",
    "peak RSS": lambda row: f"{row['rss']:.0f} MB",
    "installed": lambda row: f"{row['installed']:.0f} MB",
    "r_perf at the end": lambda row: f"{row['r_perf']:.3f}",
}


def measured(peer: Peer, iterations: int) -> Row:
    """What a trainer says of itself, or why it says nothing."""
    row: Row = {"name": peer.name, "label": peer.label}
    python = peers.python_of(peer)

    if python is None:
        return row | {"error": f"not installed: parl.py --install --only {peer.name}"}

    print(f"  {peer.name} …", file=sys.stderr, flush=True)  # noqa: T201
    again = ["--again"] if peer.name == "jax" else []
    done = subprocess.run(
        [python, str(HERE / peer.script), f"--iterations={iterations}", *again],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=os.environ
        | dict.fromkeys(THREADS, "1")
        | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        preexec_fn=on_one_core,
        check=False,
    )

    if done.returncode:
        return row | {"error": f"lost: {complaint(done.stderr)[:150]}"}

    return row | json.loads(done.stdout.splitlines()[-1])


def on_one_core() -> None:
    """XLA would take all of them, whatever it is told."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def rows_of(found: Row, numpy: Row) -> list[Row]:
    """A row of the table, and one more for what a first training takes where it has to compile."""
    if "error" in found:
        return [found]

    base = {"training": speed(numpy["warm"]), "small": numpy["small"], "large": numpy["large"]}
    row = found | found["warm"] | {"numpy": base, "training": speed(found["warm"])}

    if found["first"] == found["warm"]:
        return [row]

    first = row | found["first"] | {"training": speed(found["first"])}
    first["label"] = found["label"].replace("compiled before", "compiling first")
    return [{k: v for k, v in first.items() if k not in {"small", "large"}}, row]


def speed(training: Row) -> float:
    return training["actions"] / training["cpu"]


def compare(chosen: tuple[Peer, ...], iterations: int) -> Report:
    """NumPy and these, one after the other."""
    numpy = measured(NUMPY, iterations)
    others = [measured(peer, iterations) for peer in chosen if peer is not NUMPY]
    title = f"PARL: {iterations} iterations of 32 tasks × 16 rollouts, λ 0.3 → 0"

    if "error" in numpy:
        return Report("parl", title, COLUMNS, [numpy])

    rows = [row for found in (numpy, *others) for row in rows_of(found, numpy)]
    targets = [
        Target(f"{what}, NumPy ÷ prototype", rows[0][of] / KNOWN[of], 1.0, least=True)
        for of, what in (("training", "training steps/s"), ("large", "rollout steps/s at 8,192"))
    ]
    note = (
        "Steps are actions of the orchestrator; a second is one of CPU, for other work may go on."
    )
    return Report("parl", title, COLUMNS, rows, targets, [note])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [peer.name for peer in TRAINERS]
    parser.add_argument("--only", action="append", default=[], choices=names, metavar="TRAINER")
    parser.add_argument("--quick", action="store_true", help="small; shows that they run")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--install", action="store_true", help="make the environments")
    return parser.parse_args()


def main() -> int:
    """0 if NumPy (in a quick run: every trainer asked for) did all of the work, however slowly."""
    asked = arguments()
    chosen = tuple(peer for peer in TRAINERS if not asked.only or peer.name in asked.only)

    if asked.install:
        peers.install(chosen)
        return 0

    report = compare(chosen, 5 if asked.quick else 300)
    print(json.dumps(report.json()) if asked.json else report.markdown())  # noqa: T201
    needed = [row for row in report.rows if asked.quick or row["name"] == "numpy"]
    return int(not all(row.get("ok") for row in needed))


if __name__ == "__main__":
    raise SystemExit(main())
