"""Many seeds at once on whatever device JAX finds: wall seconds and training steps a second.

pip install 'kimi-nb[jax]' 'jax[cuda13]'     on a machine with an NVIDIA GPU
python tests/bench/trainers/many_seeds.py --seeds 1 16 256
"""

from __future__ import annotations

import argparse
import json
import time

import jax
import numpy as np
from measured import SCHEDULE

from kimi_nb.parl.accelerated import train_many
from kimi_nb.parl.plan import Plan


def measured(seeds: int, iterations: int) -> dict[str, float | int | str]:
    """Of a training with compiling and of one without."""
    found: dict[str, float | int | str] = {"device": jax.devices()[0].device_kind, "seeds": seeds}

    for at, name in enumerate(("first", "again")):
        began = time.perf_counter()
        plan = Plan(form="blog", iterations=iterations)
        trained = train_many({"parallel": SCHEDULE}, plan, range(at * seeds, (at + 1) * seeds))
        took = time.perf_counter() - began
        found |= {f"{name}_s": round(took, 2)}
        found |= {f"{name}_steps_per_s": round(int(trained.actions.sum()) / took)}

    last = [rows[-1].r_perf for rows in trained.rows]
    return found | {"r_perf": round(float(np.mean(last)), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 16, 256])
    parser.add_argument("--iterations", type=int, default=300)
    asked = parser.parse_args()

    for seeds in asked.seeds:
        print(json.dumps(measured(seeds, asked.iterations)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
