"""The quantities that a run is measured in: their units, and how one speaks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kimi_nb.teach.language import here
from kimi_nb.teach.text import Text
from kimi_nb.views.words import dollars, seconds

__all__ = ["PLAIN", "QUANTITIES", "Quantity"]


class Quantity(NamedTuple):
    """A quantity, its unit, and the words for too little and too much of it."""

    unit: Text
    words: Callable[[float], str]
    """A value with its unit, in the reader's language."""
    whole: bool = False
    far: float = 60.0
    """Where a slider ends at first; it grows when one reaches its end."""
    step: float = 1.0
    """Of a slider."""
    less: Text = Text("too low", "低了")
    more: Text = Text("too high", "高了")
    least: float | None = 0.0
    """None where it may be negative."""


FEW, MANY = Text("too few", "少了"), Text("too many", "多了")


def _counted(one: str, many: str, chinese: str, far: float, step: float = 1.0) -> Quantity:
    def words(value: float) -> str:
        return f"{value:,.0f} {here(Text(one if value == 1 else many, chinese))}"

    return Quantity(Text(many, chinese), words, True, far, step, FEW, MANY)  # noqa: FBT003


def _plain(value: float) -> str:
    if value == round(value):
        return f"{value:,.0f}"

    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"


def _dollars(value: float) -> str:
    return dollars(value, simulated=False)


def _busy(value: float) -> str:
    return f"{value:.2f} {here(Text('agents', '个智能体'))}"


def _times(value: float) -> str:
    return f"{value:.2f}×"


PLAIN = Quantity(Text("", ""), _plain, far=100.0, least=None)
"""A number of one's own, whose unit the question says."""

_TIME = Quantity(
    Text("seconds", "秒"),
    seconds,
    step=0.5,
    less=Text("too short", "短了"),
    more=Text("too long", "长了"),
)

QUANTITIES: Mapping[str, Quantity] = {
    "agents": _counted("agent", "agents", "个智能体", 20),
    "stages": _counted("stage", "stages", "个阶段", 10),
    "total_steps": _counted("step", "steps", "步", 100),
    "critical_steps": _counted("critical step", "critical steps", "个关键步", 40),
    "tool_calls": _counted("tool call", "tool calls", "次工具调用", 100),
    "work_s": _TIME,
    "span_s": _TIME,
    "wall_s": _TIME,
    "average_concurrency": Quantity(
        Text("agents at work on average", "个智能体（平均）"), _busy, far=20, step=0.1
    ),
    "parallelism": Quantity(
        Text("× (work / span)", "×（工作量 / 跨度）"), _times, far=20, step=0.1
    ),
    "tokens_in": _counted("input token", "input tokens", "个输入 token", 100_000, 1000),
    "tokens_out": _counted("output token", "output tokens", "个输出 token", 100_000, 1000),
    "tokens_cached": _counted("cached token", "cached tokens", "个缓存 token", 100_000, 1000),
    "cost_usd": Quantity(Text("US dollars", "美元"), _dollars, far=1, step=0.01),
    "failed_agents": _counted("failed agent", "failed agents", "个失败的智能体", 10),
    "retries": _counted("retry", "retries", "次重试", 20),
}
"""By key of `Metrics.as_dict`."""
