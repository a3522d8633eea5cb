"""What all agents of one run share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from kimi_nb.events import AgentBegan, AgentEnded, Judged
from kimi_nb.models.base import Model, ToolSpecs, Usage
from kimi_nb.models.gate import Gate
from kimi_nb.swarm.assignment import Assignment, Outcome
from kimi_nb.swarm.budget import Account
from kimi_nb.swarm.past import Past
from kimi_nb.tools import ToolContext, Toolset
from kimi_nb.tools.render import clean
from kimi_nb.tools.rights import ALL, NONE, Labels, labels_of
from kimi_nb.tools.threads import in_thread
from kimi_nb.trace import Log

__all__ = ["BY_USER", "AgentFault", "Engine", "Judge", "Place", "Report", "Settings", "Stop"]


BY_USER = "cancelled by the user"


class AgentFault(Exception):
    """An agent cannot go on: too many steps, empty answers, or nothing but invalid calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What decides a run beside its goal, model and tools."""

    mode: str = "swarm"
    """"swarm", "single" or "plan"."""
    max_agents: int = 20
    """Sub-agents in one run. Kimi K2.6 announces 300."""
    max_steps: int = 100
    """Model calls of one agent."""
    max_tokens: int = 16_384
    """Longest answer of a sub-agent, thinking included; the orchestrator may use twice that."""
    max_attempts: int = 6
    """Attempts at one call. Waiting for a rate limit has a count of its own."""
    thinking: str | None = None
    """How the model is to think, see `models.rules`; None: as it does by itself."""
    early_start: bool = True
    """A sub-agent starts when its call is complete in the orchestrator's stream."""
    seed: int = 0
    folder: Path = Path()


class Judge(Protocol):
    """Who knows the truth, which no model sees, and grades by it."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    def judge(self, answer: str, folder: Path) -> Judged:
        """The verdict on an answer and on what was left in the working folder."""
        ...


class Place(Protocol):
    """Where the sub-agents of a run live that do not live beside their orchestrator."""

    async def open(self, engine: Engine) -> None:
        """Make ready for that run; from then on the place keeps the pace of all its calls.

        Raises ClusterLost where nothing can live there, and UsageFault.
        """
        ...

    async def outcome(self, engine: Engine, id: str, work: Assignment) -> Outcome:
        """Let a sub-agent live there until it ends; its facts go into the engine's log.

        Raises CancelledError when it is cancelled, and has ended it there.
        """
        ...

    async def close(self) -> None:
        """The run has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ends before its orchestrator has answered."""

    status: str
    why: str


class Report(NamedTuple):
    """What a sub-agent brings back."""

    ok: bool
    text: str
    interrupted: bool = False
    """The budget ended it; a resumed run with a larger one goes on."""
    labels: Labels = NONE
    """What may be in it: all that the sub-agent has taken in."""


@dataclass(slots=True)
class Engine:
    """One run's log, model, limits and tools, and the tasks of its agents."""

    log: Log
    model: Model
    limiter: Gate
    account: Account
    tools: Toolset
    past: Past
    settings: Settings
    judge: Judge | None = None
    place: Place | None = None
    """Where the sub-agents live; None: here."""
    random: random.Random = field(init=False)
    """For jitter only."""
    tasks: dict[str, asyncio.Task[Report]] = field(
        default_factory=dict[str, "asyncio.Task[Report]"]
    )
    """Running sub-agents by id."""
    stopped: Stop | None = None
    stopped_at: float = 0.0
    """When, by the clock of the event loop."""
    root: asyncio.Task[tuple[str, str, str]] | None = None
    """The task that a stop cancels; None before the run begins and once its end is being logged."""
    judging: asyncio.Task[Judged] | None = None
    """The judge at work, whom a stop sends home: he may never come to an end."""
    launched: int = 0
    """Number of the last sub-agent."""
    cancelled: dict[str, str] = field(default_factory=dict[str, str])
    """Sub-agents that were cancelled one by one, and why."""
    open: dict[str, None] = field(default_factory=dict[str, None])
    """Agents that have begun and not ended, in their order."""
    draft: list[str] = field(default_factory=list[str])
    """What the main agent has said of its turn so far."""
    cache_key: str = ""
    """The same for all calls of the run."""
    sub_specs: ToolSpecs = field(init=False)
    """The ordinary tools, as every sub-agent gets them."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.settings.seed)  # noqa: S311 -- jitter, not a secret
        self.sub_specs = ToolSpecs(self.tools.specs)
        self._take_up_past()

    def _take_up_past(self) -> None:
        """Count what earlier processes have launched and paid for."""
        for id, agent in self.past.agents.items():
            if agent.began.role == "sub-agent":
                self.launched += 1
                self.account.agents += 1

            if agent.open:
                self.open[id] = None

            for reply in agent.replies.values():
                self.account.replay(id, agent.began.stage, reply.usage)

            wasted = Usage(tokens_in=agent.wasted_in, tokens_out=agent.wasted_out)
            self.account.recall(wasted)

    def labels_of(self, tools: Iterable[str]) -> Labels:
        """What results of these tools may hold: anything, if only an earlier process had one.

        What was said of a tool counts on: results from then may be in an agent's memory.
        """
        return NONE.union(*map(self._labels, tools))

    def _labels(self, name: str) -> Labels:
        if (tool := self.tools.get(name)) is not None:
            return labels_of(tool) | self.past.labels.get(name, NONE)

        return ALL if name in self.past.tools else NONE

    def hush(self, stage: int) -> None:
        """What the agent of that stage was saying is said, or void."""
        if stage == 0:
            self.draft.clear()

    def stop(self, stop: Stop) -> None:
        """End the run: all agents are cancelled, what was done is kept. The first stop counts.

        While the run is judged, any stop ends that, and the run is over as it was.
        """
        if self.judging is not None:
            self.judging.cancel()
        elif self.stopped is None:
            self.stopped = stop
            self.stopped_at = asyncio.get_running_loop().time()

            if self.root is not None:
                self.root.cancel()

    def cancel_agent(self, id: str, why: str = BY_USER) -> bool:
        """End one sub-agent; its siblings go on. False if it is not running."""
        task = self.tasks.get(id)

        if task is None or task.done():
            return False

        self.cancelled[id] = why
        task.cancel()
        return True

    def check(self, id: str) -> None:
        """Raises CancelledError if this agent is to end.

        Not every tool and model lets its cancellation through; this stops what comes next.
        """
        if self.stopped is not None or id in self.cancelled:
            raise asyncio.CancelledError

    def begin(self, id: str, began: AgentBegan) -> None:
        """Log that an agent begins; one that an earlier process began goes on, if it can."""
        past = self.past.agent(id)

        if past is None:
            self.log.add(id, began)

        if past is None or past.ended is None or past.ended.outcome != "finished":
            self.open[id] = None

    def end(self, id: str, outcome: str, text: str) -> None:
        """Log how an agent ended: once, whoever comes first."""
        if id in self.open:
            del self.open[id]
            self.log.add(id, AgentEnded(outcome=outcome, text=clean(text)))

    def new_agent_id(self) -> str:
        """An id that no agent of this run has had."""
        self.launched += 1
        return f"a{self.launched}"

    async def sync(self) -> None:
        """Return once all records so far are on the disk itself, or the log says why not.

        In a thread: a slow disk is no reason for all other agents to wait.
        """
        self.log.give_up(await in_thread(self.log.flush))

    def tool_context(self, agent: str) -> ToolContext:
        """What a tool may know of who calls it."""
        left = self.account.left()

        if (seconds := self.account.budget.seconds) is not None:
            left["seconds"] = max(0.0, seconds - self.log.now)

        return ToolContext(folder=self.settings.folder, agent=agent, run=self.cache_key, left=left)
