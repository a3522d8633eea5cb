"""The quantities that a run is measured in: their units, and how one speaks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kimi_nb.views.words import dollars, seconds

__all__ = ["PLAIN", "QUANTITIES", "Quantity"]


class Quantity(NamedTuple):
    """A quantity, its unit, and the words for too little and too much of it."""

    unit: str
    words: Callable[[float], str]
    """A value with its unit."""
    whole: bool = False
    far: float = 60.0
    """Where a slider ends at first; it grows when one reaches its end."""
    step: float = 1.0
    """Of a slider."""
    less: str = "too low"
    more: str = "too high"
    least: float | None = 0.0
    """None where it may be negative."""


def _counted(one: str, many: str, far: float, step: float = 1.0) -> Quantity:
    def words(value: float) -> str:
        return f"{value:,.0f} {one if value == 1 else many}"

    return Quantity(many, words, True, far, step, "too few", "too many")  # noqa: FBT003


def _plain(value: float) -> str:
    if value == round(value):
        return f"{value:,.0f}"

    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"


def _dollars(value: float) -> str:
    return dollars(value, simulated=False)


def _busy(value: float) -> str:
    return f"{value:.2f} agents"


def _times(value: float) -> str:
    return f"{value:.2f}×"


PLAIN = Quantity("", _plain, far=100.0, least=None)
"""A number of one's own, whose unit the question says."""

_TIME = Quantity("seconds", seconds, step=0.5, less="too short", more="too long")

QUANTITIES: Mapping[str, Quantity] = {
    "agents": _counted("agent", "agents", 20),
    "stages": _counted("stage", "stages", 10),
    "total_steps": _counted("step", "steps", 100),
    "critical_steps": _counted("critical step", "critical steps", 40),
    "tool_calls": _counted("tool call", "tool calls", 100),
    "work_s": _TIME,
    "span_s": _TIME,
    "wall_s": _TIME,
    "average_concurrency": Quantity("agents at work on average", _busy, far=20, step=0.1),
    "parallelism": Quantity("× (work / span)", _times, far=20, step=0.1),
    "tokens_in": _counted("input token", "input tokens", 100_000, 1000),
    "tokens_out": _counted("output token", "output tokens", 100_000, 1000),
    "tokens_cached": _counted("cached token", "cached tokens", 100_000, 1000),
    "cost_usd": Quantity("US dollars", _dollars, far=1, step=0.01),
    "failed_agents": _counted("failed agent", "failed agents", 10),
    "retries": _counted("retry", "retries", 20),
}
"""By key of `Metrics.as_dict`."""
