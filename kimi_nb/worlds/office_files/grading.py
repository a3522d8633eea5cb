"""The grade of a report: its facts, and its figures."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from math import isclose, nan
from pathlib import Path
from typing import Any, NamedTuple

from kimi_nb.errors import ToolError
from kimi_nb.media import BROKEN
from kimi_nb.tools.beneath import Folder
from kimi_nb.worlds.base import Grade
from kimi_nb.worlds.office_files.claims import Claim, claims, matches
from kimi_nb.worlds.office_files.folder import ALL, FIGURES, Company

__all__ = ["graded"]

REPORT = "report.md"
LARGEST = 5_000_000
"""Bytes of a report or figure that is looked at."""
MOST_PIXELS = 20_000_000
FIGURES_SHARE = 0.1
"""Of the quality."""
ENOUGH = 0.9
"""F1 of a success."""
_Key = tuple[str, str]


class _Facts(NamedTuple):
    right: set[_Key]
    wrong: int
    """Claims that are not true, or that the goal does not ask for."""
    wanted: int

    @property
    def f1(self) -> float:
        return 2 * len(self.right) / (len(self.right) + self.wrong + self.wanted)


def graded(firm: Company, answer: str, folder: Path) -> Grade:
    """The grade of the report in the folder; of the tables in the answer if there is none."""
    report = _read(folder, REPORT)
    text = (report or b"").decode("utf-8", "replace") or answer[:LARGEST]
    truth = firm.facts
    facts = _compared(firm, claims(text))
    totals = sum(file == ALL for file, _ in truth)
    right_totals = sum(file == ALL for file, _ in facts.right)
    wanted = [name for name in FIGURES if firm.bars(name)]
    figures = sum(_figure(firm, name, folder, text) for name in wanted) / len(wanted)
    success = report is not None and facts.f1 >= ENOUGH and right_totals == totals and figures == 1
    why = (
        f"{len(facts.right)} of {facts.wanted} facts right, {facts.wrong} claims wrong; "
        f"{right_totals} of {totals} totals right; figures {figures:.0%}"
        f"{'' if report is not None else f'; there is no {REPORT}'}."
    )
    quality = (1 - FIGURES_SHARE) * facts.f1 + FIGURES_SHARE * figures
    return Grade(success=success, quality=quality, why=why)


def _compared(firm: Company, said: list[Claim]) -> _Facts:
    """A fact of which two things are claimed is not right, and both claims are wrong."""
    truth = firm.facts
    names = _short_names(firm)
    values: defaultdict[_Key, list[str]] = defaultdict(list)

    for file, fact, value in said:
        values[names.get(file, file), fact].append(value)

    right = {
        key
        for key, found in values.items()
        if key in truth and all(matches(value, truth[key]) for value in found)
    }
    wrong = sum(len(found) for key, found in values.items() if key not in right)
    return _Facts(right, wrong, len(truth))


def _short_names(firm: Company) -> dict[str, str]:
    """Paths by names without their folder, where only one file has it."""
    names = [paper.path.rpartition("/")[2] for paper in firm.papers]
    return {
        name: paper.path
        for name, paper in zip(names, firm.papers, strict=True)
        if names.count(name) == 1
    }


def _figure(firm: Company, path: str, folder: Path, report: str) -> float:
    """The share of bars that are right, by the data that the chart tool writes into its files.

    Nothing else that the agents hold can write a PNG, so these are what was drawn.
    """
    wanted = firm.bars(path)
    shown = _bars(_read(folder, path) or b"")
    right = sum(
        isclose(shown.get(label, nan), value, rel_tol=1e-3) for label, value in wanted.items()
    )
    return right / max(len(wanted), len(shown)) if _is_shown(report, path) else 0.0


def _is_shown(report: str, path: str) -> bool:
    """It has the figure as an image, in Markdown or in HTML."""
    marks = (f"]({path})", f"](./{path})", f'src="{path}"')
    return any(
        "![" in line.partition(mark)[0] or "<img" in line.partition(mark)[0]
        for line in report.splitlines()
        for mark in marks
        if mark in line
    )


def _bars(data: bytes) -> dict[str, float]:
    """Value by label; nothing for what is no bar chart."""
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                return {}

            image.load()
            about: Any = json.loads(image.info.get("Description", ""))

        labels = [str(label).casefold() for label in about["labels"]]
        values = [float(value) for value in about["values"]]
        bars = dict(zip(labels, values, strict=True))
        return bars if about["chart"] == "bar" and len(bars) == len(labels) else {}
    except (*BROKEN, PIL.Image.DecompressionBombError):
        return {}


def _read(folder: Path, name: str) -> bytes | None:
    try:
        with Folder(folder) as root:
            return root.read((name,), LARGEST)
    except ToolError:
        return None
