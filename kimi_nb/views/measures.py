"""Work, span and what lies between them, of a whole run: in steps, in seconds and in tokens.

Each currency is measured by itself. The model is that of work and span (Brent 1974, Graham
1969): a run is a graph of tasks, its work T₁ is what all of them take, its span T∞ the longest
chain. A greedy schedule on P workers takes T_P with

    max(T₁ / P, T∞) ≤ T_P ≤ (T₁ − T∞) / P + T∞
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.state import Run, Stage
from kimi_nb.views.tasks import CURRENCIES, After, Currency, Task, ends_of, tasks
from kimi_nb.views.words import SIMULATOR

__all__ = ["Link", "Measure", "Measures", "brent", "measures"]


class Link(NamedTuple):
    """One task of the longest chain."""

    node: str
    """As in `graph`: a sub-agent's id, or a step of a main agent as "a00/3"."""
    agent: str
    amount: float
    """What it adds to the span. Of a task that the next one did not wait for to its end, the
    part before that."""
    share: float
    """Of the span, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A run in one currency. All amounts are in that currency, none in another."""

    currency: Currency
    work: float
    """T₁: what all agents took together."""
    span: float
    """T∞: the longest chain of the graph; what no number of workers goes below."""
    critical: float
    """Sum over the stages of S_main + max S_sub (K2.5 report, §3): as if each stage waited for
    its slowest. In steps these are the Critical Steps. Never below the span."""
    barriers: float
    """Sum over the stages of max S_sub − mean S_sub: what waiting for the slowest costs."""
    overhead: float
    """What the orchestrator itself took; 0 for a single agent and for a plan."""
    burden: float
    """What the orchestrator adds to the span: the span less that of the sub-agents alone."""
    chain: tuple[Link, ...]
    """The longest chain, from the begin to the end; its amounts add up to the span."""
    slack: Mapping[str, float] = field(default_factory=dict[str, float])
    """By sub-agent: how much more it could have taken without making the span longer."""

    @property
    def parallelism(self) -> float | None:
        """T₁ / T∞: the number of workers that the run could have kept busy. None before any."""
        return self.work / self.span if self.span else None

    def bounds(self, workers: int) -> tuple[float, float]:
        """Least and most that a greedy schedule on so many workers takes; see `brent`."""
        return brent(self.work, self.span, workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """A run in each of the three currencies."""

    steps: Measure
    seconds: Measure
    tokens: Measure
    simulated: bool = False
    """No language model took part: its seconds and tokens are no model's."""

    def __repr__(self) -> str:
        lines = [f"{'':<14}{'steps':>12}{'seconds':>12}{'tokens':>12}"]
        every = (self.steps, self.seconds, self.tokens)

        for name in ("work", "span", "critical", "barriers", "overhead", "burden"):
            cells = (_cell(one.currency, getattr(one, name)) for one in every)
            lines.append(f"{name:<14}{''.join(f'{cell:>12}' for cell in cells)}")

        ratios = ("–" if m.parallelism is None else f"{m.parallelism:.2f}×" for m in every)
        lines.append(f"{'parallelism':<14}{''.join(f'{ratio:>12}' for ratio in ratios)}")
        return "\n".join([*lines, *([SIMULATOR] if self.simulated else [])])


def _cell(currency: Currency, amount: float) -> str:
    whole = currency == "tokens" or (currency == "steps" and not amount % 1)
    return f"{amount:,.0f}" if whole else f"{amount:,.1f}"


def brent(work: float, span: float, workers: int) -> tuple[float, float]:
    """Least and most that a greedy schedule of so much work takes on so many workers.

    Raises UsageFault for fewer than one.
    """
    if not isinstance(workers, Real) or not workers >= 1:
        message = f"{workers!r} workers do nothing: give at least 1"
        raise UsageFault(message)

    return max(work / workers, span), (work - span) / workers + span


def measures(run: Fold | Iterable[Record]) -> Measures:
    """The measures of a trace, or of a fold at its latest record.

    The span in seconds is that of `metrics`. It may be more only in a resumed run whose sub-agents
    went on after the orchestrator's next step had begun, as with a larger budget: begun again,
    that step is one task here, and so all of it stands behind all that it came to wait for.
    """
    state = as_fold(run)
    listed = tasks(state)
    found = {currency: _measure(state, listed, currency) for currency in CURRENCIES}
    return Measures(**found, simulated=state.simulated)


def _measure(run: Run, listed: list[Task], currency: Currency) -> Measure:
    weights = {task.id: task.amount(currency) for task in listed}
    main = [task.id for task in listed if task.role == "orchestrator"]
    ends = ends_of(listed, currency)
    span = max(ends.values(), default=0.0)
    bare = max(ends_of(_without(listed, main), currency).values(), default=0.0)
    stages = [_of_stage(stage, weights) for stage in run.stages.values()]
    return Measure(
        currency=currency,
        work=round(sum(weights.values()), 6),
        span=round(span, 6),
        critical=round(sum(own + max(subs, default=0.0) for own, subs in stages), 6),
        barriers=round(sum(max(subs) - sum(subs) / len(subs) for _, subs in stages if subs), 6),
        overhead=round(sum(weights[name] for name in main), 6),
        burden=round(span - bare, 6),
        chain=_chain(listed, ends, currency),
        slack=_slack(listed, ends, currency),
    )


def _of_stage(stage: Stage, weights: Mapping[str, float]) -> tuple[float, list[float]]:
    """What the main agent's step and each of the sub-agents of a stage took."""
    own = weights.get(f"{stage.parent}/{stage.number}", 0.0)
    return own, [weights[name] for name in stage.sub_agents]


def _without(listed: list[Task], names: list[str]) -> list[Task]:
    """The tasks, those of these names for nothing, and so with no lead over them either."""
    free = set(names)
    return [
        task._replace(
            after=tuple(After(b.id, 0.0 if b.id in free else b.lead) for b in task.after),
            **(dict.fromkeys(CURRENCIES, 0.0) if task.id in free else {}),
        )
        for task in listed
    ]


def _chain(listed: list[Task], ends: Mapping[str, float], currency: Currency) -> tuple[Link, ...]:
    """Back from the task that ends last, each time along the one that was waited for."""
    by_id = {task.id: task for task in listed}
    name = max(ends, key=lambda one: ends[one], default=None)
    span = ends[name] if name else 0.0
    until = span
    back: list[Link] = []

    while name is not None:
        task = by_id[name]
        ready = {b.id: b.ready(ends[b.id], currency) for b in task.after}
        name = max(ready, key=lambda one: ready[one], default=None)
        began = ready[name] if name else 0.0

        amount = round(until - began, 6)  # of floats: what is less than a microsecond is nothing

        if amount > 0:
            back.append(Link(task.id, task.agent, amount, round(amount / span, 6)))

        until = began

    return tuple(reversed(back))


def _slack(listed: list[Task], ends: Mapping[str, float], currency: Currency) -> dict[str, float]:
    """By how much each sub-agent could end later without making the span longer."""
    latest = dict.fromkeys(ends, max(ends.values(), default=0.0))

    for task in reversed(listed):
        start = latest[task.id] - task.amount(currency)

        for before in task.after:
            end = start + before.lead if currency == "seconds" else start
            latest[before.id] = min(latest[before.id], end)

    subs = (task.id for task in listed if task.role == "sub-agent")
    return {name: round(latest[name] - ends[name], 6) for name in subs}
