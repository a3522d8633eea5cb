"""The benchmark of the idea itself: the same tasks, once by a swarm and once by one agent alone.

Every trial is a run with a log of its own. All figures are read from the logs, so a benchmark
that was cut off goes on where it was, and one that is over can be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from kimi_nb import worlds
from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.trace import Trace, read
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.worlds.base import World

__all__ = ["FAMILIES", "Row", "Summary", "Trial", "recorded", "row", "summaries", "trials"]

FAMILIES: Mapping[str, tuple[int, ...]] = {
    "wide": (10, 50),
    "deep": (6, 12),
    "office": (12, 60),
    "code": (6, 20),
    "figure": (3, 12),
}
"""The families, and the sizes that are tried where none are asked for."""
OVER = frozenset({"finished", "partial", "over_budget"})
"""How a trial ends that counts. One that was cancelled, or that the endpoint refused, goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One task, and who does it."""

    family: str
    items: int
    seed: int
    single: bool
    learned: bool = False
    """By a swarm whose orchestrator is a trained policy, beside the rules' own."""

    @property
    def name(self) -> str:
        """Of its log, without the ending."""
        who = "learned" if self.learned else "single" if self.single else "swarm"
        return f"{self.family}-{self.items}-{self.seed}-{who}"

    def world(self) -> World:
        """The task. Raises UsageFault where this machine cannot pose it."""
        return getattr(worlds, self.family)(items=self.items, seed=self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one trial came to. None: unknown."""

    family: str
    items: int
    seed: int
    single: bool
    model: str
    status: str
    success: bool
    quality: float
    """Q in [0, 1]."""
    agents: int
    critical_steps: int
    total_steps: int
    wall_s: float
    """To the last thing that an agent did: what the judge takes is not in it."""
    work_s: float
    tokens: int
    """In and out."""
    cost_usd: float | None
    simulated: bool
    why: str
    """The judge's reason, or why the run ended early."""
    learned: bool = False
    """As its trial says."""


class Summary(NamedTuple):
    """A swarm against one agent on tasks of one family and size: means over the seeds."""

    family: str
    items: int
    pairs: int
    """Seeds for which both took steps, of one model, and have been judged."""
    quality_swarm: float
    quality_single: float
    fewer_critical_steps: float
    """Critical steps of the single agent for one of the swarm."""
    least_and_most: tuple[float, float]
    """The same, of the single pairs."""
    more_steps: float
    """Total steps of the swarm for one of the single agent: what the parallel work cost."""
    more_tokens: float
    faster: float
    """Wall time of the single agent for that of the swarm."""


def trials(
    families: Sequence[str],
    sizes: Sequence[int] = (),
    seeds: Iterable[int] = (0,),
    *,
    learned: bool = False,
) -> list[Trial]:
    """All pairs in the order in which they run; `sizes` instead of the usual ones.

    `learned`: and with each pair the swarm of a trained policy.

    Raises UsageFault for a family that there is not.
    """
    for family in families:
        if family not in FAMILIES:
            raise UsageFault(f"there is no family {family!r}; there is {', '.join(FAMILIES)}")

    seeds = list(seeds)
    ways = [(False, False), (True, False), *([(False, True)] if learned else [])]
    return [
        Trial(family=family, items=items, seed=seed, single=single, learned=policy)
        for family in families
        for items in (sizes or FAMILIES[family])
        for seed in seeds
        for single, policy in ways
    ]


def recorded(trial: Trial, folder: Path) -> Trace | None:
    """The log of a trial that is over; None if it has not begun, was cut off, or failed."""
    path = folder / f"{trial.name}.jsonl"

    try:
        trace = read(path, strict=False)
    except TraceError:
        return None

    run = fold(trace)
    return trace if run.status in OVER and run.judgements else None


def row(trial: Trial, trace: Trace, prices: Mapping[str, Price] = PRICES) -> Row:
    """What is in the log of a trial that is over."""
    run = fold(trace)
    found = metrics(run, prices)
    verdict = run.judgements[-1]
    return Row(
        family=trial.family,
        items=trial.items,
        seed=trial.seed,
        single=trial.single,
        model=run.model,
        status=run.status,
        success=verdict.success,
        quality=verdict.quality,
        agents=found.agents,
        critical_steps=found.critical_steps,
        total_steps=found.total_steps,
        wall_s=found.wall_s,
        work_s=found.work_s,
        tokens=found.tokens_in + found.tokens_out,
        cost_usd=found.cost_usd,
        simulated=run.simulated,
        why=run.why or verdict.why,
        learned=trial.learned,
    )


def summaries(rows: Iterable[Row]) -> list[Summary]:
    """One for every family and size of which there is at least one pair."""

    def key(each: Row) -> tuple[int, int]:
        return list(FAMILIES).index(each.family), each.items

    ordered = sorted(rows, key=key)
    groups = (list(_pairs(group)) for _, group in groupby(ordered, key))
    return [_summary(pairs) for pairs in groups if pairs]


def _pairs(rows: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Swarm and single agent of each seed and model; no ratio can be told of one without a step."""
    alike: dict[tuple[int, str], dict[bool, Row]] = {}

    for each in rows:
        if each.critical_steps and not each.learned:
            alike.setdefault((each.seed, each.model), {})[each.single] = each

    return ((both[False], both[True]) for both in alike.values() if len(both) == 2)


def _summary(pairs: list[tuple[Row, Row]]) -> Summary:
    fewer = [single.critical_steps / swarm.critical_steps for swarm, single in pairs]

    def ratio(name: str) -> float:
        """Of the swarms' mean to the single agents'."""
        many, one = (
            mean(getattr(side, name) for side in sides) for sides in zip(*pairs, strict=True)
        )
        return many / one if one else float("nan")

    return Summary(
        family=pairs[0][0].family,
        items=pairs[0][0].items,
        pairs=len(pairs),
        quality_swarm=mean(swarm.quality for swarm, _ in pairs),
        quality_single=mean(single.quality for _, single in pairs),
        fewer_critical_steps=1 / ratio("critical_steps"),
        least_and_most=(min(fewer), max(fewer)),
        more_steps=ratio("total_steps"),
        more_tokens=ratio("tokens"),
        faster=1 / ratio("wall_s"),
    )
