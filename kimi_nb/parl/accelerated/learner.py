"""Rollouts and the update of the report's §4.4 once more, for XLA; all seeds side by side.

What a policy sees is not kept but worked out again from the little that it follows from: an
accelerator waits for memory, not for arithmetic. Loops are outside of vmap: inside, every turn
would copy all that is kept.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# JAX does not tell all of its types.

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax, vmap

from kimi_nb.parl.accelerated import policy, world
from kimi_nb.parl.accelerated.policy import Glance
from kimi_nb.parl.accelerated.tasks import HARDEST
from kimi_nb.parl.accelerated.world import Given, State
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.policy import prior
from kimi_nb.parl.reward import ENOUGH, blog, report
from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import LOOSE
from kimi_nb.parl.update import EVEN

__all__ = [
    "COSTS",
    "Episodes",
    "Learner",
    "Rollouts",
    "advantages",
    "begin",
    "components",
    "episodes",
    "gradient",
    "learn",
    "live",
    "roll_out",
]

COSTS = Costs()
"""A training knows no others."""
COUNTED = ("critical_steps", "total_steps", "sub_agents", "success")


class Episodes(NamedTuple):
    """S seeds with E episodes each; every array begins with (S, E)."""

    given: Given
    keys: Array
    """What the luck of each hangs on."""
    fixed: Array
    """(S, E, N, 3) the features that do not change."""


class Rollouts(NamedTuple):
    """What was done, (T, S, E); an episode that is over goes on with FINISH, for nothing."""

    glances: Glance
    actions: Array
    odds: Array
    length: Array
    """Steps until all were over; the rest of the T is empty."""
    state: State
    """(S, E, …) in the end."""


class Paid(NamedTuple):
    """`parl.reward.Components`, of the device's arrays."""

    r_parallel: Array
    r_finish: Array
    r_perf: Array


class Learner(NamedTuple):
    """Weights and Adam's memory of all seeds, (S, W)."""

    weights: Array
    mean: Array
    square: Array
    steps: Array
    """Adam's, so far."""


def begin(plan: Plan, seeds: int) -> Learner:
    """The pretrained single agent with which the training of every seed begins."""
    weights = jnp.tile(prior(plan.spawning), (seeds, 1))
    none = jnp.zeros_like(weights)
    return Learner(weights, none, none, jnp.zeros((), int))


def episodes(given: Given, keys: Array, noise: float) -> Episodes:
    """Episodes of these tasks, one each, for one seed."""
    coupling = world.blurred(given, keys, noise) if noise else given.coupling
    return Episodes(given, keys, policy.still(given, coupling))


def roll_out(weights: Array, played: Episodes, dice: Callable[[Array], Array]) -> Rollouts:
    """Every episode to its end; `dice(t)` are the (S, E) numbers in [0, 1) of a step."""
    state = vmap(partial(world.begin, costs=COSTS))(played.given)
    room = _longest(played.given.work.shape[-1]), *played.keys.shape
    kept = (*_glance(state), jnp.zeros(played.keys.shape, jnp.int8), jnp.zeros(played.keys.shape))
    empty = [jnp.zeros(room, values.dtype) for values in kept]

    def move(now: tuple[Array, State, list[Array]]) -> tuple[Array, State, list[Array]]:
        at, state, kept = now
        action, odds, after = vmap(_move)(weights, played, state, dice(at))
        values = (*_glance(state), action.astype(jnp.int8), odds)
        return at + 1, after, [all_.at[at].set(new) for all_, new in zip(kept, values, strict=True)]

    start = jnp.zeros((), int), state, empty
    length, state, kept = lax.while_loop(lambda now: ~now[1].over.all(), move, start)
    return Rollouts(Glance(*kept[:-2]), kept[-2], kept[-1], length, state)


def components(played: Episodes, state: State) -> Paid:
    """(S, E) the three rewards of each episode."""
    made = vmap(world.quality)(played.given, state)
    return Paid(
        jnp.minimum(1.0, state.sub_agents / ENOUGH),
        state.completed / jnp.maximum(state.sub_agents, 1),
        jnp.where(state.success, made, 0.0),
    )


def advantages(rewards: Array, plan: Plan) -> Array:
    """(S, E) each reward beside those of its group: the rollouts of one task, side by side."""
    groups = rewards.reshape(len(rewards), -1, plan.rollouts)
    above = groups - groups.mean(axis=2, keepdims=True)

    if plan.baseline == "normalised":
        above /= groups.std(axis=2, keepdims=True) + EVEN

    return above.reshape(rewards.shape)


def gradient(weights: Array, played: Episodes, taken: Rollouts, gains: Array, plan: Plan) -> Array:
    """(S, W) the gradient of the published objective by the weights, worked out by hand."""

    def add(at: Array, slope: Array) -> Array:
        glances = Glance(*(values[at] for values in taken.glances))
        step = partial(_slope, plan=plan)
        return slope + vmap(step)(
            weights, played, glances, taken.actions[at], taken.odds[at], gains
        )

    slope = lax.fori_loop(0, taken.length, add, jnp.zeros_like(weights))
    return slope / live(taken).sum(axis=(0, 2))[:, None]


def update(
    learner: Learner, played: Episodes, taken: Rollouts, gains: Array, plan: Plan
) -> Learner:
    """After the plan's epochs of Adam's steps up the gradient."""

    def climb(_: Array, now: Learner) -> Learner:
        slope = gradient(now.weights, played, taken, gains, plan)
        steps = now.steps + 1
        mean, square = 0.9 * now.mean + 0.1 * slope, 0.999 * now.square + 0.001 * slope**2
        size = jnp.sqrt(square / (1 - 0.999**steps)) + 1e-8
        weights = now.weights + plan.rate * mean / (1 - 0.9**steps) / size
        return Learner(weights, mean, square, steps)

    return lax.fori_loop(0, plan.epochs, climb, learner)


def learn(
    learner: Learner,
    played: Episodes,
    dice: Callable[[Array], Array],
    lambdas: tuple[Array, Array],
    plan: Plan,
) -> tuple[Learner, dict[str, Array]]:
    """The next iteration; with it (S,) means over its rollouts, and its number of actions."""
    taken = roll_out(learner.weights, played, dice)
    paid = components(played, taken.state)
    totals = _total(paid, lambdas, plan)
    learner = update(learner, played, taken, advantages(totals, plan), plan)
    told = {
        **paid._asdict(),
        "total": totals,
        **{name: getattr(taken.state, name) for name in COUNTED},
    }
    means = {name: values.mean(axis=1) for name, values in told.items()}
    return learner, {**means, "actions": live(taken).sum(axis=(0, 2))}


def _move(
    weights: Array, played: Episodes, state: State, drawn: Array
) -> tuple[Array, Array, State]:
    seen = policy.look(played.given, played.fixed, _glance(state), COSTS)
    odds = policy.log_odds(weights, seen)
    action = policy.choose(odds, drawn)
    taken = jnp.take_along_axis(odds, action[:, None], axis=1)[:, 0]
    return action, taken, world.step(played.given, played.keys, state, action, COSTS)


def _slope(
    weights: Array,
    played: Episodes,
    glance: Glance,
    action: Array,
    before: Array,
    gains: Array,
    *,
    plan: Plan,
) -> Array:
    """What one step of all episodes of a seed adds to N times the gradient."""
    seen = policy.look(played.given, played.fixed, glance, COSTS)
    odds = policy.log_odds(weights, seen)
    moved = jnp.take_along_axis(odds, action[:, None], axis=1)[:, 0] - before
    ratio = jnp.exp(moved)
    trusted = (ratio >= jnp.exp(-plan.mask)) & (ratio <= jnp.exp(plan.mask))
    by = trusted * ratio * gains - 2.0 * plan.tau * moved
    return policy.pull(seen, odds, action, by * ~glance.over)


def _total(paid: Any, lambdas: Any, plan: Plan) -> Array:
    """By the published forms themselves, which are written for floats and for NumPy's arrays."""
    return blog(paid, lambdas[0]) if plan.form == "blog" else report(paid, *lambdas)


def live(taken: Rollouts) -> Array:
    """(T, S, E) where an action was taken."""
    steps = jnp.arange(len(taken.odds)) < taken.length
    return ~taken.glances.over & steps[:, None, None]


def _glance(state: State) -> Glance:
    found = Glance(*(getattr(state, name) for name in Glance._fields))
    return found._replace(waiting=found.waiting.astype(jnp.int8))


def _longest(parts: int) -> int:
    """Actions that no episode exceeds: full turns of useless sub-agents are the most for a step.

    What is useless costs a step at least: COSTS.done, or COSTS.blocked of the least work.
    """
    turn = COSTS.turn + COSTS.briefing * COSTS.most + COSTS.done
    turns = int(LOOSE[1] * HARDEST * parts / turn) + 1
    return (turns + 1) * (COSTS.most + 1)
