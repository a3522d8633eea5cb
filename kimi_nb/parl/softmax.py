"""A softmax over the legal actions, and its slope."""

from __future__ import annotations

import numpy as np

from kimi_nb.parl.tasks import Bools, Floats, Ints

__all__ = ["log_softmax", "push"]


def log_softmax(logits: Floats, legal: Bools) -> Floats:
    """The logarithm of each action's probability; −∞ for what is illegal. Changes `logits`."""
    logits[~legal] = -np.inf
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def push(odds: Floats, actions: Ints, by: Floats) -> Floats:
    """The slope of Σ by · log π(action) by each logit, where `odds` are the log-probabilities."""
    found = np.exp(odds) * -by[:, None]
    found[np.arange(len(by)), actions] += by
    return found
