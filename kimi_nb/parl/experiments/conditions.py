"""What trainings are compared: each condition is a plan, its rewards' schedules and a name."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from kimi_nb.parl.experiments.apart import Apart
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.reward import NEVER, Reward
from kimi_nb.views.anneal import Schedule

__all__ = ["CHEAP", "Condition", "annealed", "blog", "constant", "report"]

SHORT: dict[str, Any] = {"iterations": 150}
"""Half of the usual iterations. With fewer tasks chance decides more of a training: with half of
them one in twelve failed under λ 0.3 → 0, and one in twelve did not under λ 0.1 → 0."""
CHEAP: dict[str, Any] = {"tasks": 16}
"""Half of the usual tasks, where there are many trainings or long ones."""
UNTIL = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A way to train, the same for every seed."""

    name: str
    """By which its rows know it."""
    plan: Plan
    parallel: Schedule = NEVER
    finish: Schedule = NEVER
    running: float = 0.0
    """Added to the logit of RUN before the training: below 0 the prior ends its turns later."""
    apart: bool = False
    """The advantages of each reward are divided by their own standard deviation."""

    @property
    def reward(self) -> Reward:
        """What the training pays for."""
        if self.apart:
            return Apart(form="blog", parallel=self.parallel, rollouts=self.plan.rollouts)

        return Reward(form=self.plan.form, parallel=self.parallel, finish=self.finish)

    @property
    def options(self) -> dict[str, Any]:
        """All that decides the training but its seed; what is as usual is left out."""
        usual, plan = Plan(), asdict(self.plan)
        changed = {name: plan[name] for name in plan if plan[name] != getattr(usual, name)}
        mine: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in fields(self)[2:]
            if getattr(self, field.name) != field.default
        }
        return {name: _plain(value) for name, value in (changed | mine).items()}


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    if isinstance(value, Schedule):
        return str(value)

    return list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value


def constant(value: float) -> Schedule:
    """The same λ in the whole training."""
    return Schedule(value, value, "constant", 1.0) if value else NEVER


def annealed(start: float, until: float = UNTIL) -> Schedule:
    """λ from `start` in a straight line to 0, where it is when `until` of the training is done."""
    return Schedule(start, 0.0, "linear", until)


def blog(
    name: str, parallel: Schedule, *, running: float = 0.0, apart: bool = False, **plan: Any
) -> Condition:
    """A condition in the overview's form, λ·r_parallel + (1 − λ)·r_perf."""
    return Condition(
        name=name,
        plan=Plan(form="blog", **SHORT | plan),
        parallel=parallel,
        running=running,
        apart=apart,
    )


def report(name: str, parallel: Schedule, finish: Schedule) -> Condition:
    """A condition in the report's form, λ₁·r_parallel + λ₂·r_finish + r_perf."""
    return Condition(name=name, plan=Plan(form="report", **SHORT), parallel=parallel, finish=finish)
