"""One iteration of the training: rollouts, their rewards, and the updates that come of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kimi_nb.events import IterationEnded
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.policy import POLICIES
from kimi_nb.parl.reward import Reward
from kimi_nb.parl.rollout import Rollouts, components, roll_out
from kimi_nb.parl.tasks import Floats, draw, repeat
from kimi_nb.parl.update import Adam, advantages, gradient

__all__ = ["Learner", "begin", "learn"]


@dataclass(slots=True, kw_only=True)
class Learner:
    """All that the next iterations depend on, besides the plan and the rewards' weights."""

    weights: Floats
    """Of the policy; a vector that is replaced and never changed."""
    policy: str = "linear"
    adam: Adam
    iteration: int
    """The last that is in the weights; 0 before the first."""
    dice: np.random.Generator


def begin(plan: Plan) -> Learner:
    """The pretrained single agent with which a training begins."""
    weights = POLICIES[plan.policy].prior(plan.spawning)
    return Learner(
        weights=weights,
        policy=plan.policy,
        adam=Adam(plan.rate, np.zeros_like(weights), np.zeros_like(weights)),
        iteration=0,
        dice=np.random.default_rng(plan.seed),
    )


def learn(learner: Learner, plan: Plan, reward: Reward) -> IterationEnded:
    """The next iteration, of which `learner` comes out wiser; means over its rollouts."""
    progress = learner.iteration / plan.iterations
    tasks = repeat(draw(learner.dice, plan.tasks, plan.families), plan.rollouts)
    taken = roll_out(learner.weights, tasks, learner.dice, policy=learner.policy, noise=plan.noise)
    totals = reward.total(components(taken.outcome), progress)
    gains = advantages(totals, plan.rollouts, plan.baseline)

    for _ in range(plan.epochs):
        slope = gradient(learner.weights, taken, gains, plan.mask, plan.tau)
        learner.weights = learner.weights + learner.adam.step(slope)

    learner.iteration += 1
    return _row(learner.iteration, progress, reward, taken, totals)


def _row(
    iteration: int, progress: float, reward: Reward, taken: Rollouts, totals: Floats
) -> IterationEnded:
    outcome = taken.outcome
    parallel, finish = reward.weights(progress)
    means = {
        **components(outcome)._asdict(),
        "total": totals,
        "critical_steps": outcome.critical_steps,
        "total_steps": outcome.total_steps,
        "sub_agents": outcome.sub_agents,
        "success": outcome.success,
    }
    return IterationEnded(
        iteration=iteration,
        progress=progress,
        lambda_parallel=parallel,
        lambda_finish=finish,
        **{name: round(float(values.mean()), 6) for name, values in means.items()},
    )
