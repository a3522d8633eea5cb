"""What an earlier process has done and paid for, read from its log.

Resuming runs the same loops again; wherever the log has the answer, it is used instead of a
call. Nothing is restored but what the log says.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from kimi_nb.events import (
    AgentBegan,
    AgentEnded,
    Fact,
    RunBegan,
    RunForked,
    RunResumed,
    Said,
    StepBegan,
    StepEnded,
    StepRetried,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.models.base import Reply, ToolCall, Usage
from kimi_nb.tools.rights import Labels
from kimi_nb.trace import Record

__all__ = ["Past", "PastAgent"]


@dataclass(slots=True)
class PastAgent:
    """An agent as the log knows it."""

    began: AgentBegan
    replies: dict[int, Reply] = field(default_factory=dict[int, Reply])
    """Paid and complete, by step."""
    returns: dict[tuple[int, int], ToolReturned] = field(
        default_factory=dict[tuple[int, int], ToolReturned]
    )
    """Answers of tools, by (step, call)."""
    interrupted: dict[tuple[int, int], ToolReturned] = field(
        default_factory=dict[tuple[int, int], ToolReturned]
    )
    """Answers that only the end of the run gave; they stand where the agent went on with them."""
    ended: AgentEnded | None = None
    calls: dict[int, ToolCall] = field(default_factory=dict[int, ToolCall])
    """Of the step that is open."""
    said: Said | None = None
    wasted_in: int = 0
    """Tokens of failed attempts, which were paid for all the same."""
    wasted_out: int = 0

    @property
    def heard(self) -> set[str]:
        """Names of the tools whose answers it has had."""
        return {
            call.name
            for step, reply in self.replies.items()
            for call in reply.calls
            if (step, call.index) in self.returns
        }

    @property
    def open(self) -> bool:
        """Whether it has not ended, or only because the run stopped under its tools."""
        return self.ended is None or any(key not in self.returns for key in self.interrupted)


class Past:
    """The past of a run; empty for a new one."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.agents: dict[str, PastAgent] = {}
        self.tools: set[str] = set()
        """Names of all tools that there were, those of a log that this one forks from included."""
        self.labels: dict[str, Labels] = defaultdict(frozenset)
        """What their results may hold by what was said of them then."""
        self._spare: dict[tuple[str, int, str, str], deque[str]] = defaultdict(deque)

        for record in records:
            self._add(record.agent, record.fact)

    def agent(self, agent: str) -> PastAgent | None:
        """What is known of an agent; None for one that had not begun."""
        return self.agents.get(agent)

    def adopt(self, parent: str, stage: int, name: str, task: str, call: int) -> str | None:
        """The id of a sub-agent that had begun this very task, each once; None if there is none.

        Matched by task first: an orchestrator's turn that was cut may come back in another order.
        Of several with the same task it is the one that the same call had launched.
        """
        spare = self._spare.get((parent, stage, name, task))

        if not spare:
            return None

        own = next((id for id in spare if self.agents[id].began.call == call), spare[0])
        spare.remove(own)
        return own

    def count(self, parent: str, stage: int, name: str, task: str) -> int:
        """How many `adopt` would find."""
        return len(self._spare.get((parent, stage, name, task), ()))

    def stage(self, parent: str, stage: int) -> list[PastAgent]:
        """The sub-agents of one stage that were not cancelled: those may have brought something."""
        return [
            agent
            for agent in self.agents.values()
            if (agent.began.parent, agent.began.stage) == (parent, stage)
            and not (agent.ended and agent.ended.outcome == "cancelled")
        ]

    def _had(self, fact: RunBegan | RunResumed | RunForked) -> None:
        if not fact.options:
            return

        options = orjson.loads(fact.options)
        self.tools.update(options.get("tools", ()))

        for name, labels in options.get("labels", {}).items():
            self.labels[name] |= frozenset(labels)

    def _add(self, agent: str, fact: Fact) -> None:
        match fact:
            case RunBegan():
                self._had(fact)
            case RunResumed() | RunForked():
                self._had(fact)

                for other in self.agents.values():
                    _void(other)
            case AgentBegan():
                self.agents[agent] = PastAgent(fact)
                self._spare[fact.parent, fact.stage, fact.name, fact.task].append(agent)
            case _ if agent in self.agents:
                _add_to(self.agents[agent], fact)
            case _:
                pass


def _void(agent: PastAgent) -> None:
    agent.calls = {}
    agent.said = None


def _waste(agent: PastAgent, fact: StepRetried | StepEnded) -> None:
    agent.wasted_in += fact.tokens_in
    agent.wasted_out += fact.tokens_out
    _void(agent)


def _add_to(agent: PastAgent, fact: Fact) -> None:
    match fact:
        case StepBegan():
            agent.ended = None
            _void(agent)
        case StepRetried():
            agent.ended = None
            _waste(agent, fact)
        case ToolCalled():
            agent.calls[fact.call] = ToolCall(
                index=fact.call, id=fact.call_id, name=fact.tool, arguments=fact.arguments
            )
        case Said():
            agent.said = fact
        case StepEnded():
            if fact.finish == "failed":
                _waste(agent, fact)
            else:
                agent.replies[fact.step] = _reply(agent, fact)
                agent.returns = agent.interrupted | agent.returns
                _void(agent)
        case ToolReturned():
            answers = agent.interrupted if fact.interrupted else agent.returns
            answers[fact.step, fact.call] = fact
        case AgentEnded():
            agent.ended = fact
        case _:
            pass


def _reply(agent: PastAgent, ended: StepEnded) -> Reply:
    said = agent.said
    return Reply(
        text=said.text if said else "",
        thinking=said.thinking if said else "",
        thinking_key=said.thinking_key if said else "",
        calls=tuple(agent.calls[index] for index in sorted(agent.calls)),
        finish=ended.finish,
        usage=Usage(
            tokens_in=ended.tokens_in,
            tokens_out=ended.tokens_out,
            tokens_cached=ended.tokens_cached,
            estimated=ended.estimated,
        ),
    )
