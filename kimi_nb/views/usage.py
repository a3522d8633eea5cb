"""Tokens and dollars, by agent and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.prices import PRICES, Price, total_usd
from kimi_nb.views.state import Agent, Run, Tokens

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

    nothing = {state.model: Tokens()}  # an unknown price makes even that unknown

    def row(id: str, of: Agent | Run) -> Use:
        cost = 0.0 if state.simulated else total_usd(nothing | of.by_model, prices)
        return Use(id, of.steps, of.tool_calls, of.tokens_in, of.tokens_out, of.tokens_cached, cost)

    return [*(row(agent.id, agent) for agent in state.agents.values()), row("", state)]
