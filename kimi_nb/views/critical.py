"""What a run measures: steps, seconds, tokens. Three currencies, never mixed.

Critical steps (the K2.5 report, §3) are the sum over the stages of S_main + max S_sub: a count
of turns, as if every stage waited for its slowest sub-agent. The span is in seconds and knows
no stages: it is the longest chain of work through the run as it went.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.prices import PRICES, Price, total_usd
from kimi_nb.views.state import Run, Tokens

__all__ = ["Metrics", "metrics", "run_cost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The measures of a run, or of the part of it that has happened. None means unknown."""

    agents: int
    """All that began: the main agent and its sub-agents."""
    stages: int
    """Steps of the main agent, each with the sub-agents that it launched; levels of a plan."""
    total_steps: int
    """Assistant turns that were paid for. A turn whose attempts all failed is none."""
    critical_steps: int
    """Sum over the stages of S_main + max S_sub."""
    tool_calls: int
    """Calls of turns that count, assignments to sub-agents among them."""
    work_s: float
    """Seconds that agents were busy, summed over all: model calls out (failed attempts too) and
    tools running (several at once in one agent count once). Waiting for the limiter, for a
    retry or for sub-agents is not work."""
    span_s: float
    """Seconds of the longest chain of work: what unlimited parallelism could not go below."""
    wall_s: float
    """Seconds from the begin to the latest record; time between two processes is not in it."""
    average_concurrency: float | None
    """work / wall: how many agents were busy on average. None if no time has passed."""
    parallelism: float | None
    """work / span: how many could have been. None before any work."""
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    """Part of `tokens_in`."""
    cost_usd: float | None
    """US dollars; 0.0 for the simulator, which costs nothing; None if the price is unknown."""
    failed_agents: int
    """Those that ended as failed. Cancelled and over budget are other outcomes."""
    retries: int
    """Attempts that failed and were followed by another."""
    simulated: bool = False
    """No language model took part: its times, tokens and cost are no model's."""

    def as_dict(self) -> dict[str, int | float | None]:
        """Exactly the keys of the `metrics` object that programs read: without `simulated`."""
        names = (field.name for field in fields(self) if field.name != "simulated")
        return {name: getattr(self, name) for name in names}


def metrics(run: Fold | Iterable[Record], prices: Mapping[str, Price] = PRICES) -> Metrics:
    """The measures of a trace or of a fold at its latest record."""
    state = as_fold(run)
    now = state.now
    agents = state.agents.values()
    work = sum(agent.busy(now) for agent in agents)
    span = max((agent.chain_at(now) for agent in agents), default=0.0)
    return Metrics(
        agents=len(agents),
        stages=sum(1 for s in state.stages.values() if s.main_steps or s.sub_agents),
        total_steps=state.steps,
        critical_steps=state.critical_steps,
        tool_calls=state.tool_calls,
        work_s=round(work, 6),
        span_s=round(span, 6),
        wall_s=round(now, 6),
        average_concurrency=round(work / now, 4) if now else None,
        parallelism=round(work / span, 4) if span else None,
        tokens_in=state.tokens_in,
        tokens_out=state.tokens_out,
        tokens_cached=state.tokens_cached,
        cost_usd=run_cost(state, prices),
        failed_agents=sum(1 for agent in agents if agent.state == "failed"),
        retries=state.retries,
        simulated=state.simulated,
    )


def run_cost(state: Run, prices: Mapping[str, Price] = PRICES) -> float | None:
    """What the run cost so far, in US dollars: 0.0 for the simulator, None if unknown."""
    return 0.0 if state.simulated else total_usd({state.model: Tokens()} | state.by_model, prices)
