"""What it takes to reach a quality: Fig. 8 of the Kimi K2.5 technical report, from our own logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from statistics import mean

from kimi_nb.trace import Trace
from kimi_nb.worlds.progress import curve
from kimi_nb.worlds.trials import Trial

__all__ = ["TARGETS", "Gain", "Reached", "gains", "reached"]

TARGETS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Item-F1, as in the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What one trial had cost when it first knew enough for a target. None: it never did."""

    items: int
    seed: int
    single: bool
    target: float
    critical_steps: int | None
    total_steps: int | None
    tokens: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Swarms against single agents at one target: means over the seeds in which both reached it."""

    items: int
    target: float
    pairs: int
    critical_steps_swarm: float
    critical_steps_single: float
    tokens_swarm: float
    tokens_single: float

    @property
    def fewer_critical_steps(self) -> float:
        """Critical steps of the single agent for one of the swarm."""
        return self.critical_steps_single / self.critical_steps_swarm


def reached(trial: Trial, trace: Trace) -> list[Reached]:
    """The first moment at each target, for a *wide* trial of a pair.

    Of other families there is no curve.
    """
    if trial.family != "wide" or trial.learned:
        return []

    points = curve(trial.world(), trace)
    found: list[Reached] = []

    for target in TARGETS:
        first = next((point for point in points if point.quality >= target), None)
        found.append(
            Reached(
                items=trial.items,
                seed=trial.seed,
                single=trial.single,
                target=target,
                critical_steps=first and first.critical_steps,
                total_steps=first and first.total_steps,
                tokens=first and first.tokens,
                seconds=first and first.t,
            )
        )

    return found


def gains(found: Iterable[Reached]) -> list[Gain]:
    """One for each size and target that a swarm and a single agent reached on the same seed."""

    def key(each: Reached) -> tuple[int, float]:
        return each.items, each.target

    result: list[Gain] = []

    for (items, target), group in groupby(sorted(found, key=key), key):
        by_seed: dict[int, dict[bool, Reached]] = {}

        for each in group:
            if each.critical_steps is not None:
                by_seed.setdefault(each.seed, {})[each.single] = each

        pairs = [(both[False], both[True]) for both in by_seed.values() if len(both) == 2]

        if pairs:
            result.append(_gain(items, target, pairs))

    return result


def _gain(items: int, target: float, pairs: list[tuple[Reached, Reached]]) -> Gain:
    many, one = zip(*pairs, strict=True)
    return Gain(
        items=items,
        target=target,
        pairs=len(pairs),
        critical_steps_swarm=mean(each.critical_steps or 0 for each in many),
        critical_steps_single=mean(each.critical_steps or 0 for each in one),
        tokens_swarm=mean(each.tokens or 0 for each in many),
        tokens_single=mean(each.tokens or 0 for each in one),
    )
