"""Make the assignments for nbgrader, notebooks/exercises, from the exercises.

python notebooks/assignments.py          # all lessons
python notebooks/assignments.py 03 04    # these
"""

from __future__ import annotations

import argparse

from building.assignment import COURSE, assignments, released
from building.write import text

from kimi_nb.teach.curriculum import lessons


def main() -> int:
    """Write sources and releases, and say which have changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", metavar="NN", help="all without")
    chosen = parser.parse_args().lessons
    sources = assignments(chosen or lessons())

    if not sources:
        raise SystemExit(f"no exercises in {', '.join(chosen)}; there are {', '.join(lessons())}")

    for kind, made in (
        ("source", {name: text(each) for name, each in sources.items()}),
        ("release", released(sources)),
    ):
        for name, said in made.items():
            path = COURSE / kind / name / f"{name}.ipynb"

            if not path.is_file() or path.read_text("utf-8") != said:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(said, "utf-8")
                print(f"written: {path}")

    return 0


if __name__ == "__main__":
    raise SystemExit(main())
