"""The company: which files there are, and what is true of all of them together."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kimi_nb.worlds.office_files.contracts import contracts
from kimi_nb.worlds.office_files.invoices import invoices
from kimi_nb.worlds.office_files.minutes import minutes
from kimi_nb.worlds.office_files.papers import BRANCHES, SUPPLIERS, Paper, Value
from kimi_nb.worlds.office_files.prices import prices
from kimi_nb.worlds.office_files.sales import sales

__all__ = ["ALL", "FIGURES", "SUMMED", "Company", "company"]

ALL = "all"
"""What stands for the file in a row of totals."""
FIGURES = {"revenue.png": ("sales", "revenue"), "invoices.png": ("invoices", "total")}
"""By file: the kind of papers and the fact that its bars sum up, by branch or supplier."""
SUMMED = {
    "sales": "revenue",
    "invoices": "total",
    "contracts": "monthly rent",
    "prices": "articles",
    "minutes": "approved",
}
"""By kind: the fact whose sum over all files is asked for."""
_ORDER = ("sales", "invoices", "contracts", "prices", "minutes", "sales", "sales", "invoices")
"""The kinds of the first files, and of those that follow."""
_MAKERS: dict[str, Callable[[random.Random, str, int], Paper]] = {
    "invoices": invoices,
    "contracts": contracts,
    "prices": prices,
    "minutes": minutes,
}


@dataclass(frozen=True, slots=True)
class Company:
    papers: tuple[Paper, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those that there are, in the order of the goal."""
        present = {paper.kind for paper in self.papers}
        return tuple(kind for kind in SUMMED if kind in present)

    @property
    def facts(self) -> dict[tuple[str, str], Value]:
        """By path and name; totals have ALL for a path."""
        found = {(p.path, name): value for p in self.papers for name, value in p.facts.items()}
        return {**found, **{(ALL, name): value for name, value in self._totals()}}

    def bars(self, figure: str) -> dict[str, float]:
        """What a figure shows: sums by branch or supplier."""
        kind, fact = FIGURES[figure]
        sums: Counter[str] = Counter()

        for paper in self.papers:
            if paper.kind == kind:
                sums[paper.group] += _hundredths(paper.facts[fact])

        return {group: value / 100 for group, value in sums.items()}

    def _totals(self) -> Iterator[tuple[str, Value]]:
        for kind in self.kinds:
            name = SUMMED[kind]
            values = [paper.facts[name] for paper in self.papers if paper.kind == kind]
            total = sum(map(_hundredths, values))
            yield name, total // 100 if kind == "prices" else total / 100

        branches = self.bars("revenue.png")
        yield "best branch", max(branches, key=branches.__getitem__)


def company(items: int, seed: int) -> Company:
    """The company with so many files. The same seed, the same company."""
    kinds = [_ORDER[n % len(_ORDER)] for n in range(items)]
    draw = random.Random(f"office {seed}")  # noqa: S311 - a world that can be made again
    shops = draw.sample(BRANCHES, min(len(BRANCHES), max(2, items // 6)))
    firms = draw.sample(SUPPLIERS, min(len(SUPPLIERS), max(2, items // 6)))
    counted: Counter[str] = Counter()
    papers: list[Paper] = []

    for kind in kinds:
        place = counted[kind]
        counted[kind] += 1
        own = random.Random(f"office {seed} {kind} {place}")  # noqa: S311
        papers.append(_paper(own, kind, place, firms if kind in _FROM_OUTSIDE else shops))

    return Company(tuple(sorted(papers, key=lambda paper: paper.path)))


_FROM_OUTSIDE = frozenset({"invoices", "prices"})


def _paper(draw: random.Random, kind: str, place: int, groups: list[str]) -> Paper:
    group = groups[place % len(groups)]

    if kind == "sales":
        year, month = divmod(place // len(groups), 12)
        return sales(draw, group, 2022 + year, 1 + month)

    return _MAKERS[kind](draw, group, place + 1)


def _hundredths(value: Value) -> int:
    """An amount or a count in hundredths: sums of these are exact."""
    return round(100 * value) if isinstance(value, int | float) else 0
