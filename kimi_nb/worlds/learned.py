"""A trained policy as the orchestrator, beside the rules' own and an agent that works alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from statistics import mean
from typing import NamedTuple

from kimi_nb.worlds.trials import FAMILIES, Row

__all__ = ["WAYS", "Learned", "learned"]

WAYS = ("learned", "rules", "alone")
"""A trained policy as the orchestrator, that of the simulator's rules, and one agent."""


class Learned(NamedTuple):
    """One of the three ways on tasks of one family and size: means over the seeds all three did."""

    family: str
    items: int
    seeds: int
    way: str
    """One of WAYS."""
    quality: float
    """Q in [0, 1]."""
    critical_steps: float
    total_steps: float
    sub_agents: float


def learned(rows: Iterable[Row]) -> list[Learned]:
    """Three for each family and size, side by side, of which there is a seed that all three did."""

    def key(each: Row) -> tuple[int, int]:
        return list(FAMILIES).index(each.family), each.items

    found: list[Learned] = []

    for _, group in groupby(sorted(rows, key=key), key):
        by_seed: dict[int, dict[str, Row]] = {}

        for each in group:
            by_seed.setdefault(each.seed, {})[_way(each)] = each

        whole = [done for done in by_seed.values() if len(done) == len(WAYS)]
        found += [_mean(way, [done[way] for done in whole]) for way in WAYS if whole]

    return found


def _way(row: Row) -> str:
    return WAYS[0] if row.learned else WAYS[1 + row.single]


def _mean(way: str, rows: list[Row]) -> Learned:
    return Learned(
        family=rows[0].family,
        items=rows[0].items,
        seeds=len(rows),
        way=way,
        quality=mean(row.quality for row in rows),
        critical_steps=mean(row.critical_steps for row in rows),
        total_steps=mean(row.total_steps for row in rows),
        sub_agents=mean(row.agents - 1 for row in rows),
    )
