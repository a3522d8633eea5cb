"""What can happen in a run."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_nb.events.base import Fact

__all__ = [
    "AgentBegan",
    "AgentEnded",
    "AgentPlaced",
    "Judged",
    "RunBegan",
    "RunEnded",
    "RunForked",
    "RunResumed",
    "Said",
    "StepBegan",
    "StepEnded",
    "StepQueued",
    "StepRetried",
    "StepSent",
    "ToolCalled",
    "ToolReturned",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBegan(Fact):
    """The first fact of every trace."""

    goal: str
    model: str
    simulated: bool
    """The answers come from the simulator, not from a language model."""
    seed: int
    started: float
    """Wall-clock time, seconds since the epoch; record times count from here."""
    version: str
    """Version of kimi_nb that wrote the log."""
    options: str
    """Canonical JSON of everything else that decides the run: mode, budget, tools, folder."""
    process: str = ""
    """Who writes the log, as "host:pid"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed(Fact):
    """A process took the log up again. Time between the two processes is not counted."""

    started: float
    version: str
    model: str = ""
    """The model from here on; "" if it is the same."""
    options: str = ""
    """As RunBegan has them, from here on; "" if they are the same."""
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunForked(Fact):
    """The log parts here from that of another run, which stays as it is.

    With the same goal all before it was copied from there; with another goal or plan, of which
    nothing could be taken over, only a RunBegan of its own stands before it.
    """

    source: str
    """The other log."""
    copied: int
    """How many records came from there."""
    started: float
    version: str
    model: str = ""
    options: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBegan(Fact):
    role: str
    """"orchestrator", "sub-agent" or "single"."""
    name: str
    """Name of its configuration, as `create_subagent` gave it."""
    task: str
    parent: str
    """Agent id of who assigned it; "" for the orchestrator."""
    stage: int
    """Step of the parent, from 1, in which it was assigned; 0 for the orchestrator."""
    call: int
    """Position of the assigning tool call in that step; -1 for the orchestrator."""
    after: str = ""
    """Agent ids that had to end first, separated by spaces (explicit plans only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlaced(Fact):
    """From here on the sub-agent lives in another process, a worker of a cluster."""

    where: str
    """The worker: its name in the cluster, or its address; "": it waits for one."""
    number: int
    """How often it has begun since the run was started or taken up, from 1, 0 before: again
    where the worker before was lost. What was open there went down with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBegan(Fact):
    """An agent wants its next model call. A step is one assistant turn."""

    step: int
    """Counts from 1 for each agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQueued(Fact):
    """The call waits for the limiter or for a budget reservation."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSent(Fact):
    """A call that had waited goes out."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetried(Fact):
    """An attempt failed and another follows after `wait` seconds."""

    step: int
    attempt: int
    """The attempt that failed, from 1."""
    error: str
    """Class name in `errors`."""
    why: str
    wait: float
    tokens_in: int = 0
    """What the failed attempt is believed to have cost; estimates."""
    tokens_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Fact):
    """The text of an assistant turn, merged; absent where the turn had none."""

    step: int
    text: str
    thinking: str = ""
    thinking_key: str = ""
    """The field in which the endpoint sent the thinking, to be echoed under the same name."""
    cut: bool = False
    """All that came before the stream broke off: kept, and never taken for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded(Fact):
    """The call is complete and paid for."""

    step: int
    finish: str
    """"stop", "tool_calls", "length", "content_filter", or "failed" when all attempts failed."""
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    """Part of `tokens_in` that the endpoint had cached."""
    estimated: bool = False
    """The endpoint sent no usage; the counts are estimates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(Fact):
    step: int
    call: int
    """Position in the turn, from 0. Ids of endpoints repeat; (agent, step, call) does not."""
    call_id: str
    tool: str
    arguments: str
    """JSON text as the model wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReturned(Fact):
    step: int
    call: int
    ok: bool
    text: str
    artefact: str = ""
    """Files beside the log that came with the text: names by content hash, separated by spaces."""
    interrupted: bool = False
    """The run stopped before the tool answered; a resumed run asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEnded(Fact):
    outcome: str
    """"finished", "failed", "cancelled" or "over_budget"."""
    text: str
    """What it returns to who assigned it; for a failure, a short sentence why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Fact):
    by: str
    success: bool
    quality: float
    """In [0, 1]."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Fact):
    status: str
    """"finished", "partial", "cancelled", "over_budget" or "failed"."""
    answer: str
    why: str = ""
    """One sentence for every status but "finished"; also if it could not be judged, or logged."""
