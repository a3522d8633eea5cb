"""kimi_nb's training by JAX: whatever device JAX finds; `JAX_PLATFORMS=cpu` makes it the CPU."""

# ruff: noqa: E402 -- the imports are what is timed
import time

began = time.perf_counter()
import jax
import jax.numpy as jnp

from kimi_nb.parl.accelerated import learner as ours
from kimi_nb.parl.accelerated import train_many, world
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.tasks import Floats, Tasks

import_s = time.perf_counter() - began

from collections.abc import Callable

import numpy as np
from measured import SCHEDULE, Learned, main


class WithJAX:
    packages = ("jax",)

    def train(self, plan: Plan) -> tuple[Floats, Learned]:
        trained = train_many({"parallel": SCHEDULE}, plan)
        last = trained.rows[0][-max(1, plan.iterations // 10) :]
        means = (float(np.mean([getattr(r, of) for r in last])) for of in ("r_perf", "sub_agents"))
        return trained.weights[0], Learned(int(trained.actions.sum()), *means)

    def ready(self, weights: Floats, tasks: Tasks) -> Callable[[int], int]:
        """The tasks as NumPy drew them; the luck and the dice are drawn on the device."""
        with jax.enable_x64(True):  # noqa: FBT003
            given, mine = world.give(tasks), jnp.asarray(weights)[None]

        @jax.jit
        def rolled(key: jax.Array) -> jax.Array:
            luck, dice = jax.random.split(key)
            keys = jax.random.bits(luck, (len(tasks),), jnp.uint64)
            played = jax.tree.map(lambda array: array[None], ours.episodes(given, keys, 0.0))

            def drawn(at: jax.Array) -> jax.Array:
                return jax.random.uniform(jax.random.fold_in(dice, at), (1, len(tasks)))

            taken = ours.roll_out(mine, played, drawn)
            return ours.live(taken).sum()

        def play(seed: int) -> int:
            with jax.enable_x64(True):  # noqa: FBT003
                return int(rolled(jax.random.key(seed)))

        return play


if __name__ == "__main__":
    main(WithJAX(), import_s)
