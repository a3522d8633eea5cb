"""PARL's rewards, of rollouts as arrays and of the log of any run.

Published are two ways to put them together (`blog` and `report`, after the technical overview of
Kimi K2.5 and after its report, §3) and what each reward is for. How r_parallel and r_finish are
worked out, their scale and the weights are not published: the closed forms here are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.fold import Fold, as_fold

__all__ = [
    "ENOUGH",
    "FORMS",
    "NEVER",
    "Components",
    "Floats",
    "Form",
    "Reward",
    "blog",
    "of_trace",
    "r_finish",
    "r_parallel",
    "r_perf",
    "report",
]

Floats = NDArray[np.float64]
T = TypeVar("T", float, Floats)
Form = Literal["report", "blog"]
FORMS: tuple[Form, ...] = get_args(Form)

ENOUGH = 8
"""Sub-agents for which r_parallel is 1. Ours: λ means something only relative to this scale."""
NEVER = Schedule(0.0, 0.0, "constant", 1.0)
"""The weight of a reward that is not paid."""


class Components(NamedTuple, Generic[T]):
    """The three rewards of one rollout as numbers, or of many as arrays."""

    r_parallel: T
    r_finish: T
    r_perf: T


def r_parallel(sub_agents: ArrayLike) -> Floats:
    """Instantiation reward, in our form: min(1, sub-agents instantiated / ENOUGH)."""
    return np.minimum(1.0, np.asarray(sub_agents, float) / ENOUGH)


def r_finish(completed: ArrayLike, assigned: ArrayLike) -> Floats:
    """Part of the assigned sub-tasks that were completed, in our form: 0 where none was."""
    number = np.asarray(assigned, float)
    return np.where(number > 0, np.asarray(completed, float) / np.maximum(number, 1.0), 0.0)


def r_perf(success: ArrayLike, quality: ArrayLike) -> Floats:
    """1[success]·Q, as the overview has it."""
    return np.where(np.asarray(success, bool), np.asarray(quality, float), 0.0)


def blog(components: Components[T], weight: float) -> T:
    """λ·r_parallel + (1 − λ)·r_perf, with λ = `weight`; r_finish has no part in it."""
    return weight * components.r_parallel + (1.0 - weight) * components.r_perf


def report(components: Components[T], parallel: float, finish: float) -> T:
    """λ1·r_parallel + λ2·r_finish + r_perf, with λ1 = `parallel` and λ2 = `finish`."""
    paid = parallel * components.r_parallel + finish * components.r_finish
    return paid + components.r_perf


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What a training pays for: a published form, and how its weights go.

    Raises UsageFault where they do not fit together.
    """

    form: Form = "report"
    parallel: Schedule = field(default=NEVER)
    """The weight of r_parallel; in the overview's form its λ, in [0, 1]."""
    finish: Schedule = field(default=NEVER)
    """The weight of r_finish, which the overview's form does not have."""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            message = f"form is one of {', '.join(map(repr, FORMS))}, not {self.form!r}"
            raise UsageFault(message)

        if self.form == "report":
            return

        if max(self.finish.start, self.finish.end) > 0:
            raise UsageFault("the blog's form has no r_finish: type Reward(form='report', …)")

        if max(self.parallel.start, self.parallel.end) > 1:
            raise UsageFault("in the blog's form λ is at most 1: type Reward(form='report', …)")

    def weights(self, progress: float) -> tuple[float, float]:
        """λ of r_parallel and of r_finish when that part of the training, in [0, 1], is done."""
        return self.parallel.at(progress), self.finish.at(progress)

    def total(self, components: Components[T], progress: float) -> T:
        """What the rollouts are paid at that progress, in [0, 1]."""
        parallel, finish = self.weights(progress)

        if self.form == "blog":
            return blog(components, parallel)

        return report(components, parallel, finish)


def of_trace(run: Fold | Iterable[Record], success: bool, quality: float) -> Components[float]:  # noqa: FBT001 -- a grade is (success, quality)
    """The rewards of a real run, or of the part of it that its log has.

    An assignment is a sub-agent that began; it is completed when it has ended as "finished".
    Success and `quality`, in [0, 1], come from whoever graded the answer. Raises UsageFault for a
    quality outside of that and for the log of a training.
    """
    if not 0 <= quality <= 1:
        raise UsageFault(f"quality is a part of what was asked for, 0 to 1, not {quality!r}")

    subs = as_fold(run).sub_agents()
    done = sum(agent.state == "finished" for agent in subs)
    found = (r_parallel(len(subs)), r_finish(done, len(subs)), r_perf(success, quality))
    return Components(*map(float, found))
