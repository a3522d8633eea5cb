"""Tokens and dollars, by agent and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.prices import PRICES, Price, cost_usd

__all__ = ["Use", "usage"]


class Use(NamedTuple):
    """What one agent, or the whole run, used."""

    agent: str
    """Agent id; "" for the total."""
    steps: int
    tool_calls: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    """Part of `tokens_in`."""
    cost_usd: float | None
    """US dollars; 0.0 for the simulator; None if the model's price is unknown."""


def usage(run: Fold | Iterable[Record], prices: Mapping[str, Price] = PRICES) -> list[Use]:
    """One row an agent, in the order of their begin, and the total as the last row."""
    state = as_fold(run)

    def row(agent: str, steps: int, calls: int, t_in: int, t_out: int, cached: int) -> Use:
        cost = cost_usd(
            state.model, tokens_in=t_in, tokens_out=t_out, tokens_cached=cached, prices=prices
        )
        known = 0.0 if state.simulated else None if state.mixed else cost
        return Use(agent, steps, calls, t_in, t_out, cached, known)

    rows = [
        row(a.id, a.steps, a.tool_calls, a.tokens_in, a.tokens_out, a.tokens_cached)
        for a in state.agents.values()
    ]
    total = row(
        "",
        state.steps,
        state.tool_calls,
        state.tokens_in,
        state.tokens_out,
        state.tokens_cached,
    )
    return [*rows, total]
