"""Parallel-agent reinforcement learning: an orchestrator learns when to create sub-agents.

    dice = np.random.default_rng(7)
    training = kn.parl.train({"parallel": kn.parl.Schedule(0.3, 0.0, "linear", 0.7)})
    training.result()                                            # some 10 s; or show it meanwhile
    rollouts = kn.parl.as_traces(training.weights, kn.parl.draw(dice, 20))
    kn.metrics(rollouts[0]), kn.diagnose(rollouts[0])

The policy has a few weights and sees numbers, no language. Names are imported when they are first
asked for, for NumPy is no part of `import kimi_nb`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kimi_nb.parl import gym as gym  # not in __all__: it needs gymnasium
    from kimi_nb.parl.as_trace import as_traces
    from kimi_nb.parl.bounds import least, lower_bound
    from kimi_nb.parl.checkpoint import load
    from kimi_nb.parl.heuristics import HEURISTICS, splitting
    from kimi_nb.parl.plan import Plan
    from kimi_nb.parl.policy import POLICIES
    from kimi_nb.parl.reward import Components, Reward, of_trace
    from kimi_nb.parl.rollout import Rollouts, components, roll_out
    from kimi_nb.parl.tasks import FAMILIES, Tasks, draw, pick, repeat
    from kimi_nb.parl.train import Training, resume, train
    from kimi_nb.parl.world import Costs, Outcome, World, play
    from kimi_nb.views.anneal import Schedule

__all__ = [
    "FAMILIES",
    "HEURISTICS",
    "POLICIES",
    "Components",
    "Costs",
    "Outcome",
    "Plan",
    "Reward",
    "Rollouts",
    "Schedule",
    "Tasks",
    "Training",
    "World",
    "as_traces",
    "components",
    "draw",
    "least",
    "load",
    "lower_bound",
    "of_trace",
    "pick",
    "play",
    "repeat",
    "resume",
    "roll_out",
    "splitting",
    "train",
]

_HOMES = {
    "as_trace": ("as_traces",),
    "bounds": ("least", "lower_bound"),
    "checkpoint": ("load",),
    "heuristics": ("HEURISTICS", "splitting"),
    "plan": ("Plan",),
    "policy": ("POLICIES",),
    "reward": ("Components", "Reward", "of_trace"),
    "rollout": ("Rollouts", "components", "roll_out"),
    "tasks": ("FAMILIES", "Tasks", "draw", "pick", "repeat"),
    "train": ("Training", "resume", "train"),
    "world": ("Costs", "Outcome", "World", "play"),
}
_HOME = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}
_HOME["Schedule"] = "kimi_nb.views.anneal"


class _Package(ModuleType):
    """The import of a module, as of `kimi_nb.parl.train`, does not hide the function so called."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _HOME or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name == "gym":
        return import_module(f"{__name__}.gym")

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    found = getattr(import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "gym"])
