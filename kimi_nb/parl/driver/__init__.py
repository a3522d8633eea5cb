"""A trained policy as the orchestrator of a real swarm: the model "parl:CHECKPOINT".

There is no language in it. What the parts of the goal are, what a sub-agent is told and how
reports are joined comes from the simulator's rules, and its sub-agents are the simulator. Which
part the orchestrator does itself with its tools, which it gives to a sub-agent, when the turn ends
and when it submits is decided by the checkpoint's weights, over what they saw in training.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.models.simulator import Options, Simulator
from kimi_nb.parl.checkpoint import load
from kimi_nb.parl.driver.conduct import Conductor
from kimi_nb.parl.policy import POLICIES

if TYPE_CHECKING:
    from kimi_nb.models.base import Model

__all__ = ["SCHEME", "driver"]

SCHEME = "parl"


def driver(checkpoint: str, options: Options, critical_steps: int | None = None) -> Model:
    """The model `parl:checkpoint`, whose sub-agents are the simulator with these options.

    `critical_steps`: the run's budget; None for none. Raises UsageFault for what is no checkpoint
    that a training has written, and for a policy that there is not.
    """
    path = Path(os.path.expanduser(checkpoint))  # noqa: PTH111 -- Path's own fails for no such user

    if not os.path.isfile(path):  # noqa: PTH113 -- Path's own fails for a name that is too long
        message = (
            f"there is no checkpoint {checkpoint!r} (here is {Path.cwd()}): name the .npz that "
            f"lies beside the log of a training, as in model='{SCHEME}:training.npz'"
        )
        raise UsageFault(message)

    try:
        learner = load(path)
    except TraceError as error:
        raise UsageFault(str(error)) from None

    conductor = Conductor(POLICIES[learner.policy], learner.weights, critical_steps)
    return Simulator(options, name=f"{SCHEME}:{checkpoint}", answer=conductor.answer)
