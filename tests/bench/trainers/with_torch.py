"""The same training in PyTorch, eagerly on one thread of the CPU."""

# ruff: noqa: E402 -- the imports are what is timed
import time

began = time.perf_counter()
import in_torch
import numpy as np
import torch

from kimi_nb.parl.plan import Plan
from kimi_nb.parl.tasks import Tasks

import_s = time.perf_counter() - began

from collections.abc import Callable

from measured import SCHEDULE, Learned, main


class WithTorch:
    packages = ("torch", "numpy")

    def train(self, plan: Plan) -> tuple[torch.Tensor, Learned]:
        torch.set_num_threads(1)
        weights, actions, rows = in_torch.train(plan, SCHEDULE)
        last = np.mean(rows[-max(1, plan.iterations // 10) :], axis=0)
        return weights, Learned(actions, *map(float, last))

    def ready(self, weights: torch.Tensor, tasks: Tasks) -> Callable[[int], int]:
        @torch.inference_mode()
        def play(seed: int) -> int:
            torch.manual_seed(seed)
            return len(in_torch.roll_out(weights, tasks).actions)

        return play


if __name__ == "__main__":
    main(WithTorch(), import_s)
