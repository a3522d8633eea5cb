"""What a fold knows of a run, its stages and its agents.

Plain state: `fold.Fold` writes it, the views read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kimi_nb.events import Judged, ToolCalled

__all__ = ["BUSY", "ENDED", "Agent", "Interval", "Kind", "Run", "Stage", "Tokens"]

Kind = Literal["call", "failed", "tool", "queued", "retry"]
"""What an agent's time went into.

call: a model call was out, and its answer came or may still come.
failed: a model call was out, and no answer came of it (error, cancel, killed process).
tool: at least one ordinary tool of the last step ran; several at once count once.
queued: waiting for the limiter or the budget.
retry: waiting after a failed attempt.
"""

BUSY = frozenset({"call", "failed", "tool"})
"""The kinds that are work. A failed attempt is: the time was spent, though no step came of it."""

ENDED = frozenset({"finished", "failed", "cancelled", "over_budget"})
"""The states in which an agent has ended."""


class Tokens(NamedTuple):
    """How many went in, came out, and were cached of those that went in."""

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


class Interval(NamedTuple):
    """A stretch of one agent's time."""

    began: float
    ended: float
    kind: Kind
    step: int
    record: int
    """Number of the record with which it began."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """One step of a main agent with the sub-agents that it launched; in a plan, one level."""

    parent: str
    """Agent id of the main agent; "" for the levels of an explicit plan."""
    number: int
    """Step of the main agent, from 1; in a plan, the level, from 1."""
    began: float
    ended: float | None = None
    """When its step was paid for or its last sub-agent ended, whichever is later so far."""
    main_steps: int = 0
    """1 once the main agent's step is paid for."""
    main_tokens: int = 0
    """Tokens of the main agent's step, in and out, failed attempts too."""
    max_sub_steps: int = 0
    sub_agents: list[str] = field(default_factory=list[str])
    """Ids, in the order in which they began."""

    @property
    def critical_steps(self) -> int:
        """S_main + max S_sub."""
        return self.main_steps + self.max_sub_steps


@dataclass(slots=True, kw_only=True)
class Agent:
    """One agent so far. Times are seconds since the run began."""

    id: str
    role: str
    name: str
    task: str
    parent: str
    stage: int
    """Stage in which it works, as `Stage.number`; 0 for a main agent."""
    call: int
    after: tuple[str, ...]
    """Ids of the agents of a plan that had to end first."""
    began: float
    record: int
    """Number of the record with which it began."""
    last_record: int
    """Number of its latest record: of its end, once it has ended."""
    where: str = ""
    """The worker of a cluster on which it lives; "" where it lives beside its orchestrator."""
    unplaced: bool = False
    """It waits for one."""
    moves: int = 0
    """How often a worker was lost under it and another took it up."""
    ended: float | None = None
    state: str = "waiting"
    """ "waiting" (for its first step, or for sub-agents), "queued", "thinking" (a call is out),
    "retrying", "tool", or how it ended: one of `ENDED`."""
    outcome: str = ""
    """What it returned; for a failure, why."""
    said: str = ""
    """Text of its last turn that had any."""
    tool: ToolCalled | None = None
    """Its latest tool call that was not void."""
    why: str = ""
    """Why its latest attempt failed."""
    steps: int = 0
    """Steps that were paid for. A step whose attempts all failed is none."""
    tool_calls: int = 0
    failed_tool_calls: int = 0
    retries: int = 0
    queued_s: float = 0.0
    busy_s: float = 0.0
    """Seconds of `BUSY` intervals that are closed; `busy(now)` has the open one too."""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    by_model: dict[str, Tokens] = field(default_factory=dict[str, Tokens])
    """The same by the model that answered."""
    intervals: list[Interval] = field(default_factory=list[Interval])
    """Closed ones, in order, never overlapping; `timeline(now)` has the open one too."""

    step: int = 0
    """Number of the step that it is at."""
    kind: Kind | None = None
    """Kind of the open interval; None where none is."""
    since: float = 0.0
    """Where the open interval began."""
    opener: int = 0
    """Number of the record with which the open interval began."""
    until: float = 0.0
    """Where a "retry" turns into a "call" by itself."""
    chain: float = 0.0
    """Longest chain of busy seconds through the run that ends in its closed intervals."""
    step_chain: float = 0.0
    """The same without the tools of its latest step: what the sub-agents of that wait for."""
    joined: bool = False
    """It had ended when the next step of its orchestrator first began, which so came after it."""
    asked: dict[int, ToolCalled] = field(default_factory=dict[int, ToolCalled])
    """Calls of the turn that is being written, by position; void if it is retried."""
    idle: bool = False
    """The run was taken up again, and nothing shows that this agent went on."""
    outstanding: dict[int, ToolCalled] = field(default_factory=dict[int, ToolCalled])
    """Calls of the latest step that have not returned."""
    tools_out: int = 0
    """How many of those are ordinary tools, not assignments to sub-agents."""
    interrupted: bool = False
    """The run stopped while some of those were out."""

    def settle(self, t: float) -> None:
        """Turn a retry's wait that is over at `t` into the call that followed it."""
        if self.kind == "retry" and t > self.until:
            self.close(self.until)
            self.kind, self.since = "call", self.until

    def open(self, kind: Kind, t: float) -> None:
        """Begin an interval at `t`, with the latest record; one that is still open ends there."""
        if self.kind is not None:
            self.close(t)

        self.kind, self.since, self.opener = kind, t, self.last_record

    def close(self, t: float, kind: Kind | None = None) -> None:
        """End the open interval at `t`, as `kind` where it turned out to be another."""
        kind, began = kind or self.kind, self.since
        self.kind = None

        if kind is None or t <= began:
            return

        self.intervals.append(Interval(began, t, kind, self.step, self.opener))

        if kind in BUSY:
            self.busy_s += t - began
            self.chain += t - began

            if kind != "tool":  # before the tools of its step, so all of it is waited for
                self.step_chain = self.chain
        elif kind == "queued":
            self.queued_s += t - began

    def timeline(self, now: float) -> list[Interval]:
        """All intervals up to `now`, the open one cut there."""
        return [*self.intervals, *self.pending(now)]

    def busy(self, now: float) -> float:
        """Seconds of work up to `now`."""
        return self.busy_s + self._open_busy(now)

    def chain_at(self, now: float) -> float:
        """Longest chain of busy seconds that ends in this agent at `now`."""
        return self.chain + self._open_busy(now)

    def launches_at(self, now: float) -> float:
        """Chain with which a sub-agent begins that it launches at `now`: without its tools."""
        return self.step_chain if self.kind == "tool" else self.step_chain + self._open_busy(now)

    def state_at(self, now: float) -> str:
        """`state`, knowing that a retry's wait may be over without a record of it."""
        return "thinking" if self.state == "retrying" and now > self.until else self.state

    def seconds(self, now: float) -> float:
        """From its begin to its end, or to `now`."""
        return (now if self.ended is None else self.ended) - self.began

    def _open_busy(self, now: float) -> float:
        if self.kind is None:
            return 0.0

        return sum(i.ended - i.began for i in self.pending(now) if i.kind in BUSY)

    def pending(self, now: float) -> list[Interval]:
        """The open interval cut at `now`, as one or, where a retry's wait is over, as two."""
        if self.kind is None or now <= self.since:
            return []

        if self.kind == "retry" and now > self.until:
            wait = Interval(self.since, self.until, "retry", self.step, self.opener)
            return [wait, Interval(self.until, now, "call", self.step, self.opener)]

        return [Interval(self.since, now, self.kind, self.step, self.opener)]


@dataclass(slots=True, kw_only=True)
class Run:
    """A run so far."""

    count: int = 0
    """Records seen."""
    now: float = 0.0
    """Time of the latest record: the wall time so far, in seconds."""
    goal: str = ""
    model: str = ""
    """The latest, where a resumed run went on with another."""
    simulated: bool = False
    options: str = ""
    """Canonical JSON, as RunBegan has it."""
    started: float = 0.0
    """Wall-clock time of the begin, seconds since the epoch."""
    version: str = ""
    resumed: int = 0
    """How often another process took the run up."""
    forked_from: str = ""
    """The log that this one forks from; "" for one that does not."""
    copied: int = 0
    """How many of its records came from there."""
    status: str = "running"
    """ "running" until RunEnded says otherwise, also in the log of a killed process."""
    answer: str = ""
    why: str = ""
    judgements: list[Judged] = field(default_factory=list[Judged])
    """Of the answer; [] again once the run is taken up, for it will have another."""
    agents: dict[str, Agent] = field(default_factory=dict[str, Agent])
    """By id, in the order in which they began."""
    workers: set[str] = field(default_factory=set[str])
    """All of a cluster on which sub-agents have lived, lost ones too."""
    stages: dict[tuple[str, int], Stage] = field(default_factory=dict[tuple[str, int], Stage])
    """By (main agent, number), in the order in which they began."""
    steps: int = 0
    critical_steps: int = 0
    """Sum over the stages of S_main + max S_sub."""
    tool_calls: int = 0
    failed_tool_calls: int = 0
    retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    by_model: dict[str, Tokens] = field(default_factory=dict[str, Tokens])
    estimated: bool = False
    """Some token counts are estimates, for want of usage from the endpoint."""

    def main(self) -> Agent | None:
        """The agent that answers: the orchestrator or the single one; None in a plan."""
        return next((a for a in self.agents.values() if a.role != "sub-agent"), None)

    def sub_agents(self) -> list[Agent]:
        """All sub-agents, in the order in which they began."""
        return [agent for agent in self.agents.values() if agent.role == "sub-agent"]
