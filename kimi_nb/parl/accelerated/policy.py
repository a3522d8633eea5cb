"""The policy that one can read, for XLA: the features and the softmax of `parl.policy`."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# JAX does not tell all of its types.

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from kimi_nb.parl.accelerated.world import BIT, Given, has, ready
from kimi_nb.parl.features import MANY, OF_PART, OF_STATE, WORK
from kimi_nb.parl.policy import AIMED, KINDS
from kimi_nb.parl.state import Costs

__all__ = ["Glance", "Seen", "choose", "log_odds", "look", "pull", "still", "to_the_end"]


class Glance(NamedTuple):
    """The part of a State from which all that a policy sees can be worked out again."""

    done: Array
    assigned: Array
    waiting: Array
    context: Array
    critical_steps: Array
    over: Array


class Seen(NamedTuple):
    """As `parl.features.Seen`, of E episodes."""

    parts: Array
    state: Array
    legal: Array


def to_the_end(given: Given) -> Array:
    """(E, N) the work on the longest way from a part to the end, its own included."""
    parts = given.work.shape[1]

    def add(at: Array, longest: Array) -> Array:
        part = parts - 2 - at
        waits = (given.needs >> part.astype(BIT)) & 1 == 1
        return longest.at[:, part].add(jnp.where(waits, longest, 0).max(axis=1))

    return lax.fori_loop(0, parts - 1, add, given.work)


def still(given: Given, seen_coupling: Array) -> Array:
    """(E, N, 3) the features that do not change."""
    way = to_the_end(given) / jnp.maximum(given.serial, 1)[:, None]
    return jnp.stack([given.work / WORK, seen_coupling, way], axis=2)


def look(given: Given, fixed: Array, glance: Glance, costs: Costs) -> Seen:
    """What the episodes look like at that moment."""
    number, parts = given.work.shape
    done, assigned = has(glance.done, parts), has(glance.assigned, parts)
    fits, left = ready(given, glance.done), jnp.where(done, 0, given.work).sum(axis=1)
    spare = given.budget - glance.critical_steps - left
    of_state = [
        jnp.ones(number),
        jnp.maximum(glance.context - costs.roomy, 0) / costs.roomy,
        spare / jnp.maximum(given.serial, 1),
        (fits & ~assigned).sum(axis=1) / MANY,
        glance.waiting / MANY,
        left == 0,
    ]
    changing = jnp.stack([fits, done, assigned], axis=2).astype(float)
    return Seen(
        jnp.concatenate([fixed, changing], axis=2),
        jnp.stack(of_state, axis=1),
        _legal(given, glance, fits, costs),
    )


def _legal(given: Given, glance: Glance, fits: Array, costs: Costs) -> Array:
    live, idle = ~glance.over[:, None], glance.waiting[:, None] == 0
    room = live & (glance.waiting < costs.most)[:, None]
    present = has(given.present, fits.shape[1])
    return jnp.concatenate([fits & live & idle, present & room, live & ~idle, ~live | idle], axis=1)


def log_odds(weights: Array, seen: Seen) -> Array:
    """(E, 2 N + 2) the logarithm of each action's probability; −∞ for what is illegal."""
    cut = AIMED * len(OF_PART)
    aimed = seen.parts @ weights[:cut].reshape(AIMED, len(OF_PART)).T
    whole = seen.state @ weights[cut:].reshape(len(KINDS), len(OF_STATE)).T
    by_part = (aimed + whole[:, None, :AIMED]).swapaxes(1, 2).reshape(len(whole), -1)
    logits = jnp.concatenate([by_part, whole[:, AIMED:]], axis=1)
    logits = jnp.where(seen.legal, logits, -jnp.inf)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - jnp.log(jnp.exp(logits).sum(axis=1, keepdims=True))


def choose(odds: Array, drawn: Array) -> Array:
    """(E,) an action for each episode, by its log-probabilities and a number in [0, 1)."""
    number = odds.shape[1]
    heights = jnp.exp(odds) @ jnp.triu(jnp.ones((number, number)))
    return (heights <= (drawn * heights[:, -1])[:, None]).sum(axis=1)


def pull(seen: Seen, odds: Array, actions: Array, by: Array) -> Array:
    """Σ over the episodes of by · ∇ log π(action), as a vector of the weights' shape."""
    number = seen.parts.shape[1]
    chosen = jnp.arange(odds.shape[1]) == actions[:, None]
    push = (chosen - jnp.exp(odds)) * by[:, None]
    aimed = push[:, :-2].reshape(len(by), AIMED, number)
    ends = jnp.concatenate([aimed.sum(axis=2), push[:, -2:]], axis=1)
    of_parts = jnp.einsum("ekn,enf->kf", aimed, seen.parts)
    return jnp.concatenate([of_parts.ravel(), (ends.T @ seen.state).ravel()])
