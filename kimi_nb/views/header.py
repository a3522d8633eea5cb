"""The line above a run's picture: status, counts, tokens, cost, what is left of time and budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import Fold
from kimi_nb.views.live import budget_rows
from kimi_nb.views.prices import Price
from kimi_nb.views.remaining import remaining
from kimi_nb.views.text import clean, one_line
from kimi_nb.views.words import model_name, verdicts

__all__ = ["header"]

GOAL = 600


def header(run: Fold, now: float, name: str, prices: Mapping[str, Price]) -> dict[str, Any]:
    """A run as JSON values: what `Metrics` has, and what a reader wants to see besides.

    Times are seconds since the run began; None is what is not known.
    """
    subs = run.sub_agents()
    states = Counter(agent.state_at(now) for agent in run.agents.values())
    return {
        "name": one_line(name),
        "goal": clean(run.goal[:GOAL]),
        "model": model_name(run),
        "simulated": run.simulated,
        "status": run.status,
        "why": one_line(run.why)[:GOAL],
        "judged": "; ".join(verdicts(run))[:GOAL],
        "resumed": run.resumed,
        "sub_agents": len(subs),
        "ended": sum(1 for agent in subs if agent.ended is not None),
        "states": dict(states),
        "estimated": run.estimated,
        "left_s": remaining(run, now),
        "budget": budget_rows(run, now, prices),
        **metrics(run, prices).as_dict(),
    }
