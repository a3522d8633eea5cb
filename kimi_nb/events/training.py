"""What can happen in the training of an orchestrator, a log of its own.

TrainingBegan · (ScheduleSet | IterationEnded)* · TrainingEnded, all with the agent id "".
One that is taken up again goes on behind that with another TrainingBegan, the same but `started`.
The rewards are those of PARL (the K2.5 report, §3): r_parallel, r_finish and r_perf.
"""

from __future__ import annotations

from dataclasses import dataclass

from kimi_nb.events.base import Fact

__all__ = ["IterationEnded", "ScheduleSet", "TrainingBegan", "TrainingEnded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBegan(Fact):
    """The first fact of a training's log."""

    what: str
    """Which policy learns, and on which tasks, in one sentence."""
    seed: int
    iterations: int
    """How many are meant; the training may be ended before."""
    started: float
    """Wall-clock time, seconds since the epoch; record times count from here."""
    version: str
    options: str
    """Canonical JSON of everything else that decides the training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSet(Fact):
    """The weight of an auxiliary reward follows this schedule from here on."""

    reward: str
    """"parallel" or "finish"."""
    start: float
    end: float
    shape: str
    """"constant", "linear", "cosine", "exponential" or "step"."""
    until: float
    """Progress, in (0, 1], at which `end` is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IterationEnded(Fact):
    """One update of the policy: means over the rollouts that it was made from."""

    iteration: int
    """Counts from 1."""
    progress: float
    """Part of the training that was done when its rollouts began, in [0, 1]."""
    lambda_parallel: float
    """Weight of `r_parallel` in this iteration's reward."""
    lambda_finish: float
    r_parallel: float
    """Instantiation reward: were sub-agents created at all."""
    r_finish: float
    """Completion rate of the assigned sub-tasks."""
    r_perf: float
    """Success times quality of the task itself."""
    total: float
    """The reward that the policy was updated with."""
    critical_steps: float
    total_steps: float
    sub_agents: float
    """For each task."""
    success: float
    """Part of the tasks that succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEnded(Fact):
    status: str
    """"finished", "cancelled" or "failed"."""
    why: str = ""
    """One sentence for every status but "finished"."""
