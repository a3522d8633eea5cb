"""The arithmetic: what so many agents take of what is scarce."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

from inputs import amount

from kimi_nb.models.tiers import TIERS
from kimi_nb.views.prices import PRICES

__all__ = ["MODEL", "calls", "fan_out", "longest", "lost", "pace", "tree", "usd"]

MODEL = "kimi-k2.6"
TOKENS_A_DAY = {"T0": 1_500_000}
"""Where a day has its own limit; https://platform.moonshot.ai/docs/pricing/limits, Nov 2026."""


def calls(agents: int) -> float:
    """What the agents ask of the endpoint."""
    return agents * amount("calls")


def usd(agents: int, model: str = MODEL, *, cached: bool = True) -> float:
    """What the agents' calls cost; `cached`: all of a prompt but the last step's is read again."""
    prompt, answer = int(amount("tokens_in")), int(amount("tokens_out"))
    old = prompt - int(amount("turn")) if cached else 0
    return calls(agents) * PRICES[model].usd(prompt, answer, old)


class Pace(NamedTuple):
    """How many calls a minute, and what allows no more."""

    calls: float
    limit: str


def pace(tier: str) -> Pace:
    """What a tier allows of calls of this size. All of a prompt counts, cached or not."""
    allowed = TIERS[tier]
    counted = amount("tokens_in") + amount("reserved")
    paces = [
        Pace((allowed.concurrency or math.inf) * 60 / amount("latency"), "concurrency"),
        Pace(allowed.rpm or math.inf, "requests"),
        Pace((allowed.tpm or math.inf) / counted, "tokens"),
    ]

    if tier in TOKENS_A_DAY:
        paces.append(Pace(TOKENS_A_DAY[tier] / counted / 1440, "tokens a day"))

    return min(paces)


def longest(agents: int) -> float:
    """The slowest of so many agents ÷ the mean one: the expected maximum of lognormal times."""
    sigma = math.sqrt(math.log1p(amount("spread") ** 2))
    times = NormalDist(-(sigma**2) / 2, sigma)
    step, top = 0.001, 40.0
    return step * sum(
        1 - times.cdf(math.log(step * (k + 0.5))) ** agents for k in range(int(top / step))
    )


def tree(agents: int, context: str = "context") -> list[int]:
    """Orchestrators on each level above the agents, the top one last, if each fills its context."""
    width = fan_out(context)
    levels = [math.ceil(agents / width)]

    while levels[-1] > 1:
        levels.append(math.ceil(levels[-1] / width))

    return levels


def fan_out(context: str) -> int:
    """Agents of one orchestrator whose assignments and reports fill its context."""
    return int(amount(context) // (amount("report") + amount("assignment")))


def lost(agents: int, failing: float) -> float:
    """Agents of which some call failed as often as it is tried."""
    call = failing ** amount("attempts")
    return -agents * math.expm1(amount("calls") * math.log1p(-call))
