"""The same training by JAX: all of it one compiled program, many seeds side by side.

NumPy is the default. This is for an accelerator, and for many seeds at once; the policy is the
linear one, the world and its rules are the same, the dice are others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kimi_nb.errors import UsageFault
from kimi_nb.parl.plan import Plan
from kimi_nb.views.anneal import Schedule

if TYPE_CHECKING:
    from kimi_nb.parl.accelerated.train import Trained

__all__ = ["train_many"]

POLICY = "linear"


def train_many(
    schedules: Mapping[str, Schedule] | None = None,
    /,
    plan: Plan | None = None,
    seeds: Sequence[int] | None = None,
) -> Trained:
    """The weights and the rows of one training for each seed; without seeds, of the plan's own.

    `schedules` and `plan` are those of `train`. The program is compiled for each number of seeds
    and of iterations, which takes seconds; it cannot be cancelled on its way. Raises UsageFault
    without JAX, and for what does not fit.
    """
    plan = plan or Plan()
    seeds = [plan.seed] if seeds is None else list(seeds)

    if find_spec("jax") is None or find_spec("jaxlib") is None:
        raise UsageFault("JAX is not installed: type pip install 'kimi-nb[jax]'")

    if plan.policy != POLICY:
        raise UsageFault(f"JAX trains the linear policy only: type Plan(policy={POLICY!r})")

    if unknown := sorted(set(schedules or ()) - {"parallel", "finish"}):
        raise UsageFault(f"the rewards with a schedule are parallel and finish, not {unknown}")

    if min(seeds, default=-1) < 0:
        raise UsageFault(f"seeds are whole numbers from 0 on, not {seeds!r}: type seeds=range(12)")

    from kimi_nb.parl.accelerated.train import run

    return run(schedules or {}, plan, seeds)
