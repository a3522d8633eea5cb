"""The policies that can be trained; and the default one, which one can read.

It is a softmax over actions whose logits are linear in the features. Each kind of action weighs
the state; doing a part oneself and giving it to a sub-agent weigh the part as well. So there are
few weights, and each says what makes that action likelier.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from kimi_nb.parl.features import OF_PART, OF_STATE, Seen, Sight
from kimi_nb.parl.network import Network
from kimi_nb.parl.softmax import log_softmax, push
from kimi_nb.parl.tasks import Floats, Ints
from kimi_nb.parl.world import World

__all__ = [
    "AIMED",
    "KINDS",
    "NUMBER",
    "POLICIES",
    "Linear",
    "Policy",
    "Table",
    "choose",
    "likeliest",
    "log_odds",
    "prior",
    "pull",
    "table",
]

KINDS = ("SELF", "SPAWN", "RUN", "FINISH")
AIMED = 2
"""Kinds, the first ones, that are aimed at a part."""
NUMBER = AIMED * len(OF_PART) + len(KINDS) * len(OF_STATE)
"""Weights of a policy; some do nothing: those of features that all legal actions share."""


class Policy(Protocol):
    """What a training needs of a policy; its weights are one vector, which lies elsewhere."""

    name: str
    number: int
    """Weights."""
    what: str
    """For the log: what kind of function it is."""

    def sight(self, world: World) -> Sight:
        """What looks at this world for it."""
        ...

    def prior(self, spawning: float = 0.0) -> Floats:
        """Weights of a pretrained single agent; `spawning` is added to the logit of every SPAWN."""
        ...

    def log_odds(self, weights: Floats, seen: Seen) -> Floats:
        """(L, 2 N + 2) the logarithm of each action's probability; −∞ for what is illegal."""
        ...

    def pull(self, weights: Floats, seen: Seen, odds: Floats, actions: Ints, by: Floats) -> Floats:
        """Σ over the rows of by · ∇ log π(action), where `odds` are those of these weights."""
        ...


class Table(NamedTuple):
    """The weights by what they weigh: views into the vector that is learned."""

    parts: Floats
    """(AIMED, len(OF_PART))"""
    state: Floats
    """(len(KINDS), len(OF_STATE))"""


def table(weights: Floats) -> Table:
    """The weights by kind of action and by feature."""
    cut = AIMED * len(OF_PART)
    return Table(
        weights[:cut].reshape(AIMED, len(OF_PART)),
        weights[cut:].reshape(len(KINDS), len(OF_STATE)),
    )


def prior(spawning: float = 0.0) -> Floats:
    """Weights of a pretrained single agent: it works alone, one part after the other, and submits.

    It seldom creates a sub-agent, rather for what is ready, and makes one call a turn: that is
    what serial collapse hangs on. `spawning` is added to the logit of every SPAWN.
    """
    weights = np.zeros(NUMBER)
    parts, state = table(weights)
    self_, spawn, run, finish = range(len(KINDS))
    parts[spawn, OF_PART.index("ready")] = 1.5
    parts[spawn, OF_PART.index("assigned")] = -1.0
    state[self_, 0], state[spawn, 0] = 4.0, spawning - 2.0
    state[run, 0] = 3.0
    state[finish, 0], state[finish, OF_STATE.index("finished")] = -2.0, 6.0
    return weights


def log_odds(weights: Floats, seen: Seen) -> Floats:
    """(L, 2 N + 2) the logarithm of each action's probability; −∞ for what is illegal."""
    parts, state = table(weights)
    number = seen.parts.shape[1]
    aimed, whole = seen.parts @ parts.T, seen.state @ state.T
    logits = np.empty(seen.legal.shape)
    logits[:, :number] = aimed[:, :, 0] + whole[:, 0, None]
    logits[:, number:-2] = aimed[:, :, 1] + whole[:, 1, None]
    logits[:, -2:] = whole[:, 2:]
    return log_softmax(logits, seen.legal)


def choose(odds: Floats, dice: np.random.Generator) -> Ints:
    """(L,) an action for each row, drawn by its log-probabilities."""
    heights = np.exp(odds).cumsum(axis=1)
    drawn = dice.random(len(odds)) * heights[:, -1]
    return (heights <= drawn[:, None]).sum(axis=1)


def likeliest(odds: Floats) -> Ints:
    """(L,) the action of the highest probability in each row; the first of equal ones."""
    return odds.argmax(axis=1)


def pull(seen: Seen, odds: Floats, actions: Ints, by: Floats) -> Floats:
    """Σ over the rows of by · ∇ log π(action), as a vector of the weights' shape."""
    number = seen.parts.shape[1]
    pushed = push(odds, actions, by)
    aimed = pushed[:, :-2].reshape(len(by), AIMED, number)
    ends = np.concatenate([aimed.sum(axis=2), pushed[:, -2:]], axis=1)
    flat = seen.parts.reshape(-1, len(OF_PART))
    of_parts = aimed.swapaxes(0, 1).reshape(AIMED, -1) @ flat
    return np.concatenate([of_parts.ravel(), (ends.T @ seen.state).ravel()])


class Linear:
    """The policy of this module."""

    name = "linear"
    number = NUMBER
    what = "softmax"

    def sight(self, world: World) -> Sight:
        return Sight(world)

    def prior(self, spawning: float = 0.0) -> Floats:
        return prior(spawning)

    def log_odds(self, weights: Floats, seen: Seen) -> Floats:
        return log_odds(weights, seen)

    def pull(
        self,
        weights: Floats,  # noqa: ARG002 -- the slope of a linear function hangs on none
        seen: Seen,
        odds: Floats,
        actions: Ints,
        by: Floats,
    ) -> Floats:
        return pull(seen, odds, actions, by)


POLICIES: dict[str, Policy] = {made.name: made for made in (Linear(), Network(prior))}
"""By the names that a Plan, a log and a checkpoint give them."""
