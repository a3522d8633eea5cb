"""Writes what was found into a folder: a README with every table, and the figures beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kimi_nb.errors import TraceError
from kimi_nb.parl.experiments.catalogue import EXPERIMENTS, Experiment
from kimi_nb.parl.experiments.figures import draw
from kimi_nb.parl.experiments.rows import Rows
from kimi_nb.parl.experiments.tables import markdown, tables

__all__ = ["block", "publish"]

FIRST = """# What PARL's rewards do to an orchestrator

Every figure is made of `results.jsonl` by the command beside it, which trains what is not there.
Means and 95 % intervals (Student's t) over seeds; a pale point is a seed. All are measured on the
same tasks, which no training saw, with the same luck.
"""


def publish(experiments: Mapping[str, Experiment], rows: Rows, folder: Path) -> None:
    """Draw the figures and bring the README up to date; what stands between its blocks is kept.

    Raises TraceError where the README is no text.
    """
    for name in experiments:
        draw(name, rows, folder / f"{name}.png")

    readme = folder / "README.md"

    try:
        text = readme.read_text("utf-8") if readme.exists() else FIRST
    except UnicodeDecodeError:
        why = f"{str(readme)!r} is no UTF-8 text: move it away, or name another folder with --out"
        raise TraceError(why) from None

    for name, experiment in experiments.items():
        text = _replaced(text, name, experiment, block(name, rows))

    scratch = readme.with_name("README.md.part")
    scratch.write_text(text, "utf-8")
    scratch.replace(readme)  # whole or not at all: what stands between the blocks is by hand


def block(name: str, rows: Rows) -> str:
    """What a README says of an experiment, from the first of its marks to the last."""
    begin, end = _marks(name)
    found = "\n\n".join(markdown(table) for table in tables(name, rows))
    picture = f"![{EXPERIMENTS[name].title}]({name}.png)"
    return f"{begin}\n`kimi-nb parl reproduce {name}`\n\n{found}\n\n{picture}\n{end}"


def _replaced(text: str, name: str, experiment: Experiment, new: str) -> str:
    """The block in place of the one that was there; at the end, with a heading, if none was."""
    begin, end = _marks(name)
    old = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)

    if old.search(text):
        return old.sub(lambda _: new, text, count=1)

    number = list(EXPERIMENTS).index(name) + 1
    return f"{text}\n## {number}. {experiment.title}\n\n{experiment.question}\n\n{new}\n"


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: what follows is made by a command -->", f"<!-- {name}: end -->"
