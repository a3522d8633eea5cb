"""The policy gradient of the Kimi K2.5 report, §4.4, in its order and words.

    maximise  1/N Σ_j Σ_i  mask(π/π_old ∈ [α, β]) · (π/π_old) · (r(y_j) − r̄)  −  τ · (log π/π_old)²

r̄ is the mean of the rollouts of the same task, with no division by their standard deviation; N is
the number of all actions ("tokens") of the batch. Outside of [α, β] a reward has no say whatever
its sign: only the last term, which pulls back to the old policy, is left. The sub-agents' steps are
the environment's and no actions. K, α, β and τ are not published: the values used are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from kimi_nb.parl.policy import NUMBER, POLICIES
from kimi_nb.parl.rollout import Rollouts
from kimi_nb.parl.tasks import Floats

__all__ = ["BASELINES", "EVEN", "Adam", "Baseline", "advantages", "gradient", "objective", "trust"]

Baseline = Literal["mean", "normalised"]
"""What is taken from a reward: the group's mean, as published; or that, and what is left is divided
by the group's standard deviation, as GRPO does."""
BASELINES: tuple[Baseline, ...] = get_args(Baseline)

EVEN = 1e-6
"""Standard deviation that is added, so that a group whose rewards are all equal divides by it."""


def advantages(rewards: Floats, rollouts: int, baseline: Baseline = "mean") -> Floats:
    """(E,) each reward beside those of its group: the `rollouts` of one task, side by side."""
    groups = rewards.reshape(-1, rollouts)
    above = groups - groups.mean(axis=1, keepdims=True)

    if baseline == "normalised":
        above /= groups.std(axis=1, keepdims=True) + EVEN

    return above.ravel()


def trust(ratio: Floats, mask: float) -> Floats:
    """1 where π/π_old lies in [α, β] = [exp(−mask), exp(mask)], else 0."""
    return ((ratio >= np.exp(-mask)) & (ratio <= np.exp(mask))).astype(float)


def objective(weights: Floats, taken: Rollouts, gains: Floats, mask: float, tau: float) -> float:
    """What is maximised, with the mask; `gains` are the advantages of the episodes."""
    moved = _moved(weights, taken)[1]
    ratio = np.exp(moved)
    paid = trust(ratio, mask) * ratio * gains[taken.episodes]
    return float((paid - tau * moved**2).sum() / len(moved))


def gradient(weights: Floats, taken: Rollouts, gains: Floats, mask: float, tau: float) -> Floats:
    """The gradient of the `objective` by the weights, worked out by hand."""
    odds, moved = _moved(weights, taken)
    ratio = np.exp(moved)
    by = trust(ratio, mask) * ratio * gains[taken.episodes] - 2.0 * tau * moved
    policy = POLICIES[taken.policy]
    return policy.pull(weights, taken.seen, odds, taken.actions, by / len(moved))


def _moved(weights: Floats, taken: Rollouts) -> tuple[Floats, Floats]:
    """All log-probabilities as they are now, and log π/π_old of the actions that were taken."""
    odds = POLICIES[taken.policy].log_odds(weights, taken.seen)
    return odds, odds[np.arange(len(odds)), taken.actions] - taken.odds


@dataclass(slots=True)
class Adam:
    """The steps that weights take up a gradient, with Adam's own constants."""

    rate: float
    mean: Floats = field(default_factory=lambda: np.zeros(NUMBER))
    square: Floats = field(default_factory=lambda: np.zeros(NUMBER))
    count: int = 0

    def step(self, slope: Floats) -> Floats:
        """What is added to the weights."""
        self.count += 1
        self.mean = 0.9 * self.mean + 0.1 * slope
        self.square = 0.999 * self.square + 0.001 * slope**2
        mean = self.mean / (1 - 0.9**self.count)
        square = self.square / (1 - 0.999**self.count)
        return self.rate * mean / (np.sqrt(square) + 1e-8)
