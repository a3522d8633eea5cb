"""What can happen in a run (`run`) or a training (`training`): one frozen dataclass per fact.

Fields are JSON scalars. *Began* and *ended* are two facts, and no fact is ever changed.
Only `trace.Log` stamps the sequence number, the time and the agent.

Order that readers may rely on, for one agent:
AgentBegan, then per step StepBegan · (StepQueued · StepSent)? · StepRetried* · ToolCalled*
· Said? · StepEnded, then the ToolReturned of that step in any order, and last AgentEnded.
A Said with `cut` stands right before the StepRetried, or the failed StepEnded, of the attempt
that broke off. The ToolCalled and the Said of a step that StepRetried follows are void.
A step is paid for and complete exactly when its StepEnded is in the log.
The sub-agents of a stage may begin before the StepEnded of the orchestrator's step
(early start). The run's own facts carry the agent id "".
AgentPlaced stands before the first StepBegan of a sub-agent that lives on a cluster, and again
wherever its worker was lost and another goes on with it, as after RunResumed.
After RunResumed or RunForked an agent whose step was open, or that ended because the run
stopped, goes on with another StepBegan; its later AgentEnded counts.
"""

from __future__ import annotations

from kimi_nb.events.base import Fact
from kimi_nb.events.run import (
    AgentBegan,
    AgentEnded,
    AgentPlaced,
    Judged,
    RunBegan,
    RunEnded,
    RunForked,
    RunResumed,
    Said,
    StepBegan,
    StepEnded,
    StepQueued,
    StepRetried,
    StepSent,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.events.training import IterationEnded, ScheduleSet, TrainingBegan, TrainingEnded

__all__ = [
    "FACTS",
    "AgentBegan",
    "AgentEnded",
    "AgentPlaced",
    "Fact",
    "IterationEnded",
    "Judged",
    "RunBegan",
    "RunEnded",
    "RunForked",
    "RunResumed",
    "Said",
    "ScheduleSet",
    "StepBegan",
    "StepEnded",
    "StepQueued",
    "StepRetried",
    "StepSent",
    "ToolCalled",
    "ToolReturned",
    "TrainingBegan",
    "TrainingEnded",
]

FACTS: dict[str, type[Fact]] = {cls.__name__: cls for cls in Fact.__subclasses__()}
"""Every fact by the name under which a log has it."""
