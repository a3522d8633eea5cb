"""What a goal asks for: facts of kinds of files, totals, figures; or a share of the files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Figure", "Task", "share_of", "understand"]

_COLUMNS = "file | fact | value"
_KIND = re.compile(r"^- (?P<folder>\w+)/\*\.(?P<end>\w+): (?P<text>.+)$", re.MULTILINE)
_NAME = re.compile(r"`([^`\n]+)`")
_TOTALS = re.compile(r"(?is)\bsums? over all files: (?P<text>[^\n]+)")
_TOTAL_ROW = re.compile(r"(?i)rows with `([^`\n]+)` for the file")
_BEST = re.compile(r"`(?P<name>best (?P<group>\w+))`, the \w+ with the highest (?P<fact>\w+)")
_FIGURE = re.compile(
    r"^- (?P<path>[\w/-]+\.png): the (?P<fact>[\w ]+?) of each (?P<group>\w+), the first word "
    r"(?:of the files )?in (?P<folder>\w+)/",
    re.MULTILINE,
)
_REPORT = re.compile(r"\breport ([\w/-]+\.md)\b")
_SHARE = re.compile(r"^Files:\n((?:- .+(?:\n|\Z))+)", re.MULTILINE)
_OPENING = f"Read these files, and answer with one table of the columns {_COLUMNS}: a row a fact."


@dataclass(frozen=True, slots=True)
class Figure:
    path: str
    fact: str
    group: str
    """What its bars stand for."""
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    kinds: str
    """The lines that say which facts are wanted of which files."""
    facts: dict[str, tuple[str, ...]]
    """Their names, by folder."""
    ends: dict[str, str]
    """The end of the files' names, by folder."""
    report: str
    """The path of the report; "" for a share."""
    total: str
    """What stands for the file in a row of totals."""
    sums: tuple[str, ...]
    best: tuple[str, str, str] | None
    """The name of a total, what it names, and the fact of which that has most."""
    figures: tuple[Figure, ...]
    share: tuple[str, ...]

    @property
    def is_share(self) -> bool:
        """Some files for a sub-agent, of which a table is wanted."""
        return not self.report

    def wanted(self, path: str) -> tuple[str, ...]:
        """The names of the facts of a file."""
        return self.facts.get(path.partition("/")[0], ())


@lru_cache(maxsize=64)
def understand(goal: str) -> Task | None:
    """The task; None if the goal is another one."""
    kinds = list(_KIND.finditer(goal))
    report, share = _REPORT.search(goal), _SHARE.search(goal)

    if _COLUMNS not in goal or not kinds or (report is None) == (share is None):
        return None

    totals = _TOTALS.search(goal)
    best = _BEST.search(totals["text"]) if totals else None
    names = _NAME.findall(totals["text"]) if totals else []
    row = _TOTAL_ROW.search(goal)
    return Task(
        kinds="\n".join(each[0] for each in kinds),
        facts={each["folder"]: tuple(_NAME.findall(each["text"])) for each in kinds},
        ends={each["folder"]: each["end"] for each in kinds},
        report=report[1] if report else "",
        total=row[1] if row else "all",
        sums=tuple(name for name in names if best is None or name != best["name"]),
        best=(best["name"], best["group"], best["fact"]) if best else None,
        figures=tuple(Figure(**each.groupdict()) for each in _FIGURE.finditer(goal)),
        share=tuple(re.findall(r"^- (.+)$", share[1], re.MULTILINE)) if share else (),
    )


def share_of(task: Task, files: Sequence[str]) -> str:
    """The task of a sub-agent."""
    listed = "\n".join(f"- {file}" for file in files)
    return (
        f"{_OPENING} Amounts with two decimals (1234.50), days as YYYY-MM-DD, names as the file "
        "has them. Leave out what you could not find.\n\n"
        f"Facts wanted of each file:\n{task.kinds}\n\nFiles:\n{listed}"
    )
