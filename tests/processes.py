"""`kimi-nb` as a process of its own, with the simulator as a real endpoint."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["COMMAND", "ENVIRONMENT", "prices", "rows_of", "simulator"]

COMMAND = (sys.executable, "-m", "kimi_nb.cli")
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")
} | {"PYTHONPATH": str(Path(__file__).parents[1])}


@contextmanager
def simulator(*options: str) -> Iterator[str]:
    """The simulator on a free port; gives its base URL."""
    process = subprocess.Popen(
        [*COMMAND, "simulator", "--port", "0", *options],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None

    try:
        line = process.stderr.readline()
        yield next(word.rstrip(";") for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.communicate(timeout=10)


def prices(folder: Path, names: list[str], seed: int = 1) -> dict[str, tuple[str, str]]:
    """A CSV file for each name; gives (rows, highest price) of each, as one would write them."""
    draw = random.Random(seed)
    truth: dict[str, tuple[str, str]] = {}
    folder.mkdir(parents=True, exist_ok=True)

    for name in names:
        values = [draw.randrange(100, 9_000) / 100 for _ in range(draw.randint(3, 60))]
        truth[name] = (str(len(values)), f"{max(values):g}")

        with (folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["item", "price"])
            writer.writerows(enumerate(values))

    return truth


def rows_of(answer: str) -> list[list[str]]:
    """The cells of the only table in an answer, without its head."""
    lines = [line.strip("| \n") for line in answer.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]
