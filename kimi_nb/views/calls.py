"""The tool calls of a run, each with the time in which it ran."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from kimi_nb.events import (
    AgentEnded,
    RunForked,
    RunResumed,
    StepBegan,
    StepEnded,
    StepRetried,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.trace import Record

__all__ = ["Call", "tool_calls"]


class Call(NamedTuple):
    """One tool that ran. Times are seconds since the run began."""

    agent: str
    step: int
    call: int
    """Position in the turn, from 0."""
    tool: str
    arguments: str
    """JSON text as the model wrote it."""
    began: float
    """When the turn that asked for it was complete, or when a resumed run asked again."""
    ended: float | None
    """None while it runs."""
    outcome: Literal["ok", "failed", "interrupted", "running"]
    text: str
    """What it returned; "" while it runs."""
    record: int
    """Number of the record of its ToolCalled."""


def tool_calls(run: Iterable[Record]) -> list[Call]:
    """The calls of every turn that counts, assignments to sub-agents among them.

    In the order in which they began. One that was interrupted stands there once more if a
    resumed run asked again.
    """
    ledger = _Ledger()

    for record in run:
        ledger.add(record)

    return ledger.calls


class _Ledger:
    """What has been asked for so far, by agent and position in the turn."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._asked: dict[str, list[Call]] = {}
        """Of the turn that is being written; void if it is retried."""
        self._out: dict[str, dict[int, int]] = {}
        """Indices in `calls` of those that run."""
        self._again: dict[str, dict[int, int]] = {}
        """Indices of those that were interrupted."""

    def add(self, record: Record) -> None:
        agent, t = record.agent, record.t

        match record.fact:
            case ToolCalled() as fact:
                place = (agent, fact.step, fact.call, fact.tool, fact.arguments)
                call = Call(*place, t, None, "running", "", record.seq)
                self._asked.setdefault(agent, []).append(call)
            case StepRetried():
                self._asked.pop(agent, None)
            case StepBegan():
                self._drop(agent, t)
                self._again.pop(agent, None)
            case StepEnded(finish=finish):
                asked = self._asked.pop(agent, [])

                for call in asked if finish != "failed" else ():
                    self._start(call, t)

            case ToolReturned() as fact:
                self._returned(agent, fact, t)
            case AgentEnded():
                self._drop(agent, t)
            case RunResumed() | RunForked():
                self._ask_again(t)
            case _:
                pass

    def _start(self, call: Call, t: float) -> None:
        self._out.setdefault(call.agent, {})[call.call] = len(self.calls)
        self.calls.append(call._replace(began=t, ended=None, outcome="running", text=""))

    def _returned(self, agent: str, fact: ToolReturned, t: float) -> None:
        index = self._out.get(agent, {}).pop(fact.call, None)

        if index is None:
            return

        outcome = "interrupted" if fact.interrupted else "ok" if fact.ok else "failed"
        self.calls[index] = self.calls[index]._replace(ended=t, outcome=outcome, text=fact.text)

        if fact.interrupted:
            self._again.setdefault(agent, {})[fact.call] = index

    def _drop(self, agent: str, t: float) -> None:
        """What has not returned by then never will."""
        self._asked.pop(agent, None)

        for index in self._out.pop(agent, {}).values():
            self.calls[index] = self.calls[index]._replace(ended=t, outcome="interrupted")

    def _ask_again(self, t: float) -> None:
        self._asked.clear()

        for calls in self._again.values():
            for index in calls.values():
                self._start(self.calls[index], t)

        self._again.clear()
