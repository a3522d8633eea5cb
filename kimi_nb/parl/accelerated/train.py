"""Many trainings as one compiled program: all iterations scanned, all seeds side by side."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# JAX does not tell all of its types.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax, random, vmap

from kimi_nb.events import IterationEnded
from kimi_nb.parl.accelerated.learner import Episodes, Learner, begin, episodes, learn
from kimi_nb.parl.accelerated.tasks import draw, repeat
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.reward import Reward
from kimi_nb.parl.tasks import Floats, Ints
from kimi_nb.views.anneal import Schedule

__all__ = ["Trained", "run"]


class Trained(NamedTuple):
    """What S trainings came to."""

    weights: Floats
    """(S, W) of the policies, in the order of the seeds."""
    rows: list[list[IterationEnded]]
    """Of each seed, of each iteration."""
    actions: Ints
    """(iterations, S)"""


def run(schedules: Mapping[str, Schedule], plan: Plan, seeds: Sequence[int]) -> Trained:
    """As `train_many`."""
    reward = Reward(form=plan.form, **schedules)
    progress = [at / plan.iterations for at in range(plan.iterations)]
    lambdas = np.array([reward.weights(at) for at in progress])
    same = replace(plan, iterations=1, seed=0, spawning=0.0)  # these need no new compilation

    with jax.enable_x64(True):  # noqa: FBT003 -- its only parameter
        keys = jnp.stack([random.key(seed) for seed in seeds])
        learner, told = _train(begin(plan, len(seeds)), keys, tuple(jnp.asarray(lambdas.T)), same)
        means = {name: np.asarray(values) for name, values in told.items()}
        actions = means.pop("actions")
        rows = _rows(means, progress, lambdas)
        return Trained(np.asarray(learner.weights), rows, actions)


@partial(jax.jit, static_argnames="plan")
def _train(
    first: Learner, keys: Array, lambdas: tuple[Array, Array], plan: Plan
) -> tuple[Learner, dict[str, Array]]:
    """The last learner, and (iterations, S) means."""

    def iterate(
        now: tuple[Learner, Array], lambdas: tuple[Array, Array]
    ) -> tuple[tuple[Learner, Array], dict[str, Array]]:
        learner, keys = now
        keys, tasks, steps = jnp.moveaxis(vmap(partial(random.split, num=3))(keys), 1, 0)
        played = vmap(partial(_draw, plan=plan))(tasks)
        drawn = vmap(partial(_uniform, number=plan.tasks * plan.rollouts), (0, None))
        learner, told = learn(learner, played, partial(drawn, steps), lambdas, plan)
        return (learner, keys), told

    (learner, _), told = lax.scan(iterate, (first, keys), lambdas)
    return learner, told


def _draw(key: Array, *, plan: Plan) -> Episodes:
    drawing, luck = random.split(key)
    given = repeat(draw(drawing, plan.tasks, plan.families), plan.rollouts)
    return episodes(given, random.bits(luck, given.family.shape, jnp.uint64), plan.noise)


def _uniform(key: Array, at: Array, *, number: int) -> Array:
    return random.uniform(random.fold_in(key, at), (number,))


def _rows(
    means: Mapping[str, Floats], progress: Sequence[float], lambdas: Floats
) -> list[list[IterationEnded]]:
    """Of (iterations, seeds) means."""
    number = means["total"].shape[1]
    return [
        [
            IterationEnded(
                iteration=at + 1,
                progress=progress[at],
                lambda_parallel=float(lambdas[at, 0]),
                lambda_finish=float(lambdas[at, 1]),
                **{name: round(float(values[at, seed]), 6) for name, values in means.items()},
            )
            for at in range(len(progress))
        ]
        for seed in range(number)
    ]
