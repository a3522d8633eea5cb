"""A class of 60 with ten exercises each: `kimi-nb grade` beside `nbgrader autograde`.

python tests/bench/grade.py                  # both, on the same submissions
python tests/bench/grade.py --only ours      # without nbgrader
python tests/bench/grade.py --students 6     # a small class

Half of the answers are right, the others wrong, unanswered or unfinished; three students attack.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))

import nbformat  # noqa: E402
from building.assignment import assignment, released  # noqa: E402

from kimi_nb.teach.curriculum import exercises  # noqa: E402
from kimi_nb.teach.exercise import Exercise  # noqa: E402

NAME = "lesson00"
COUNT = 10
LIMIT = 180.0
"""Seconds of wall time on two processors: the target for 60 students."""
ENDLESS = 10
"""Seconds that an answer may take, with both."""
ATTACKS = {
    "mallory-loop": "while True:\n    pass",
    "mallory-exit": "import os\nos._exit(0)",
    "mallory-equal": "class Trick(float):\n    def __eq__(self, other):\n        return True\n"
    "    __hash__ = float.__hash__\n"
    "import kimi_nb.teach.exercise as judge\njudge.same = lambda *_: True\n"
    "def {name}(*_):\n    return Trick(1)",
}
"""What three students hand in for their first function."""


class Cost(NamedTuple):
    """Of grading the class."""

    wall_s: float
    cpu_s: float
    points: dict[str, float]
    """By student; nobody who was lost."""


def main() -> int:
    """Print what each costs. 1 if ours needs more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=60, metavar="N")
    parser.add_argument("--only", choices=["ours", "nbgrader"])
    options = parser.parse_args()
    asked = chosen()
    told(f"{options.students} students, {len(asked)} exercises: {', '.join(e.id for e in asked)}")

    with tempfile.TemporaryDirectory(prefix="kimi_nb-bench-") as folder:
        course = Path(folder)
        names = students(options.students)
        make(course, names, asked)
        late = False

        for name, measure in (("ours", ours), ("nbgrader", nbgrader)):
            if options.only in {None, name}:
                cost = measure(course)
                late |= name == "ours" and cost.wall_s > LIMIT
                points = ", ".join(f"{who} {cost.points.get(who, 'lost')}" for who in ATTACKS)
                took = f"{cost.wall_s:7.1f} s wall {cost.cpu_s:7.1f} s CPU"
                told(f"{name:<9} {took}  points: {points}")

    return int(late)


def told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def chosen() -> list[Exercise]:
    """Ten, spread over the curriculum; the first of them a function."""
    known = exercises()
    function = next(each for each in known if each.form == "function" and each.judge is None)
    others = [each for each in known if each is not function]
    step = len(others) / (COUNT - 1)
    return [function, *(others[int(place * step)] for place in range(COUNT - 1))]


def students(count: int) -> list[str]:
    honest = [f"student{number:02}" for number in range(count - len(ATTACKS))]
    return [*honest, *ATTACKS]


def make(course: Path, names: Iterable[str], asked: list[Exercise]) -> None:
    """The course, and what they handed in."""
    source = assignment("00", asked, "en")
    release = released({NAME: source})[NAME]
    _write(course / "source" / NAME / f"{NAME}.ipynb", source)
    config = (ROOT / "notebooks" / "exercises" / "nbgrader_config.py").read_text("utf-8")
    config += f"\nc.Execute.timeout = {ENDLESS}\n"
    (course / "nbgrader_config.py").write_text(config, "utf-8")

    for name in names:
        made = nbformat.reads(release, as_version=4)
        dice = random.Random(name)

        for cell in made.cells:
            cell.source = cell.source.replace('"anyone"', f'"{name}"')
            tagged = cell.metadata.get("kimi_nb", {})

            if tagged.get("role") == "answer":
                each = next(e for e in asked if e.id == tagged["exercise"])
                cell.source = _answer(cell.source, name, each, dice, first=each is asked[0])

        _write(course / "submitted" / name / NAME / f"{NAME}.ipynb", made)


def _answer(stub: str, student: str, asked: Exercise, dice: random.Random, *, first: bool) -> str:
    if first and student in ATTACKS:
        return ATTACKS[student].replace("{name}", asked.name)

    kind = dice.random()
    bad = (
        f"def {asked.name}(*_):\n    return 1" if asked.form == "function" else f"{asked.name} = 1"
    )
    broken = f"def {asked.name}(*_):\n    return nothing"
    solved = asked.code() if asked.form == "function" else f"{stub}\n{asked.code()}"
    return solved if kind < 0.5 else bad if kind < 0.75 else stub if kind < 0.9 else broken


def _write(path: Path, made: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)


def ours(course: Path) -> Cost:
    typed = ["kimi-nb", "grade", "submitted", "--out", "ours.csv", "--feedback", "pages"]
    wall, cpu = _timed([*typed, "--seed", "secret", "--seconds", str(ENDLESS)], course)
    points: dict[str, float] = {}

    with (course / "ours.csv").open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            points[row["student"]] = points.get(row["student"], 0.0) + float(row["points"])

    return Cost(wall, cpu, points)


def nbgrader(course: Path) -> Cost:
    _timed(["nbgrader", "generate_assignment", NAME], course)
    wall, cpu = _timed(["nbgrader", "autograde", NAME, "--create"], course)
    _timed(["nbgrader", "export", "--to=theirs.csv"], course)

    with (course / "theirs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["timestamp"] or float(row["score"])]
        there = {row["student_id"]: float(row["score"]) for row in rows}

    graded = {path.name for path in (course / "autograded").iterdir()}
    return Cost(wall, cpu, {who: points for who, points in there.items() if who in graded})


def _timed(typed: list[str], course: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command and all that it starts."""
    programs = Path(sys.executable).parent
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    before, began = _cpu(), time.perf_counter()
    subprocess.run(
        [str(programs / typed[0]), *typed[1:]],
        cwd=course,
        env={**os.environ, "PATH": path, "HOME": str(course), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - began, _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
