"""kimi_nb's own training, the default."""

# ruff: noqa: E402 -- the imports are what is timed
import time

began = time.perf_counter()
import numpy as np

from kimi_nb.parl.learner import begin, learn
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.reward import Reward
from kimi_nb.parl.rollout import roll_out
from kimi_nb.parl.tasks import Floats, Tasks

import_s = time.perf_counter() - began

from collections.abc import Callable

from measured import SCHEDULE, Learned, main

from kimi_nb.parl import learner as module


class WithNumPy:
    packages = ("numpy",)

    def train(self, plan: Plan) -> tuple[Floats, Learned]:
        number, reward = 0, Reward(form=plan.form, parallel=SCHEDULE)

        def counted(*args: object, **options: object) -> object:
            nonlocal number
            taken = roll_out(*args, **options)
            number += len(taken.actions)
            return taken

        module.roll_out = counted
        learner = begin(plan)
        rows = [learn(learner, plan, reward) for _ in range(plan.iterations)]
        module.roll_out = roll_out
        last = rows[-max(1, plan.iterations // 10) :]
        means = (float(np.mean([getattr(r, of) for r in last])) for of in ("r_perf", "sub_agents"))
        return learner.weights, Learned(number, *means)

    def ready(self, weights: Floats, tasks: Tasks) -> Callable[[int], int]:
        def play(seed: int) -> int:
            return len(roll_out(weights, tasks, np.random.default_rng(seed)).actions)

        return play


if __name__ == "__main__":
    main(WithNumPy(), import_s)
