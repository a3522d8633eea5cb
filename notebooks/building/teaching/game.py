"""The card game's arithmetic: what a trial costs, and what it is paid."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from kimi_nb.parl.reward import ENOUGH
from kimi_nb.teach.byhand import planned
from kimi_nb.teach.text import Text
from kimi_nb.views.forecast.prediction import Prediction
from kimi_nb.views.whatif import what_if

__all__ = [
    "AFTER",
    "COST",
    "EXAMPLE",
    "FRESH",
    "JOBS",
    "KNOT",
    "ROUNDS",
    "WARM",
    "WIDE",
    "Job",
    "Trial",
    "expected",
    "graham",
]

START, BLANK = 1, 1
"""Steps of a sub-agent before it begins its card, and of one that has a blank card."""
FRESH = 12
"""Steps of its own that an orchestrator does well; a card that ends later counts half."""
HEADS = 0.5
"""That a coin says: done."""
HALF = 0.5
WARM = ((6, 9, 4, 7), (7, 7, 6, 6))
"""Sub-agents' steps in the report's example, and dealt out evenly."""
COST = dict(zip("123456789", (3, 2, 2, 2, 4, 4, 4, 4, 9), strict=True))
AFTER = {"9": ["1"], **{task: ["4"] for task in "5678"}}
"""Graham's graph (1969): steps of each task, and what it waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Equal cards, and the critical steps by which they have to be done."""

    name: Text
    cards: int
    steps: int
    """Of each card."""
    most: int
    """Critical steps."""
    coupled: bool
    """Whether a card that is given away comes back half as good, rather than on a coin."""


WIDE = Job(name=Text("wide", "散活"), cards=8, steps=4, most=36, coupled=False)
KNOT = Job(name=Text("knot", "缠活"), cards=4, steps=3, most=16, coupled=True)
JOBS = (WIDE, KNOT)


@dataclass(frozen=True, slots=True)
class Trial:
    """A job done once: one stage with sub-agents at most, the rest by the orchestrator."""

    job: Job
    real: int = 0
    """Cards that are given away."""
    blank: int = 0
    """Sub-agents that get a blank card."""
    back: int = 0
    """Of the cards given away those that came back undone."""

    @property
    def own(self) -> int:
        """Cards that the orchestrator does."""
        return self.job.cards - self.real + self.back

    def stages(self) -> list[list[int]]:
        """Steps of the sub-agents of each stage; the last one hands in."""
        launched = [self.job.steps + START] * self.real + [BLANK] * self.blank
        alone: list[list[int]] = [[]] * (self.own * self.job.steps + 1)
        return [launched, *alone] if launched else alone

    def critical(self) -> int:
        return sum(1 + max(stage, default=0) for stage in self.stages())

    def total(self) -> int:
        return sum(1 + sum(stage) for stage in self.stages())

    def quality(self) -> float:
        """From 0 to 1."""
        well = min(self.own, FRESH // self.job.steps)
        given = (self.real - self.back) * (HALF if self.job.coupled else 1)
        return (well + HALF * (self.own - well) + given) / self.job.cards

    def performance(self) -> float:
        """r_perf: the quality, if it was in time."""
        return self.quality() if self.critical() <= self.job.most else 0.0

    def parallel(self) -> float:
        """r_parallel."""
        return min(1.0, (self.real + self.blank) / ENOUGH)

    def reward(self, weight: float) -> float:
        """λ·r_parallel + r_perf with λ = `weight`: the report's form without r_finish."""
        return weight * self.parallel() + self.performance()


def expected(job: Job, real: int, blank: int, weight: float) -> float:
    """The mean reward over the coins."""
    if job.coupled:
        return Trial(job, real, blank).reward(weight)

    odds = ((n, comb(real, n) * (1 - HEADS) ** n * HEADS ** (real - n)) for n in range(real + 1))
    return sum(chance * Trial(job, real, blank, n).reward(weight) for n, chance in odds)


ROUNDS = (
    ("A", ((WIDE, 0.0), (WIDE, 0.0), (WIDE, 0.0))),
    ("B", ((KNOT, 0.5), (KNOT, 0.5))),
    ("C", ((WIDE, 0.5), (KNOT, 0.25), (WIDE, 0.0), (KNOT, 0.0))),
)
"""Of each round its trials: the job and λ."""
EXAMPLE = (
    Trial(WIDE),
    Trial(WIDE, real=2, back=2),
    Trial(WIDE),
    Trial(KNOT, real=4),
    Trial(KNOT, blank=8),
    Trial(WIDE, real=8, back=3),
    Trial(KNOT, blank=4),
    Trial(WIDE, real=8, back=4),
    Trial(KNOT),
)
"""A game as it may go: a trial for each of ROUNDS."""


def graham(workers: int, *, shorter: int = 0, without: tuple[str, ...] = ()) -> Prediction:
    """The greedy schedule of Graham's graph; each task shorter, some not waiting any more."""
    cost = {task: steps - shorter for task, steps in COST.items()}
    after = {task: before for task, before in AFTER.items() if task not in without}
    return what_if(planned(cost, after), workers=workers)
