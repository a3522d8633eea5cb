"""One turn of the orchestrator: its sub-agents run side by side, the stage ends with the last.

A sub-agent starts as soon as its call is complete in the stream. The turn's end decides: a
call that it shows to be another one is answered with an error and its sub-agent is cancelled,
never run twice; after a cut stream the repeated turn takes over the sub-agents that it asks
for again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson

from kimi_nb.errors import ToolError
from kimi_nb.events import ToolReturned
from kimi_nb.models.base import ToolCall
from kimi_nb.swarm.agent import ToolTurn
from kimi_nb.swarm.assignment import Assignment
from kimi_nb.swarm.engine import Engine, Report
from kimi_nb.swarm.reply import sound_call
from kimi_nb.swarm.step import record_call
from kimi_nb.swarm.subagent import launch, report_of
from kimi_nb.swarm.team import OWN_TOOLS, Team, own_arguments
from kimi_nb.swarm.turn import Answer, Stepper
from kimi_nb.tools.rights import NONE, Labels, marked

__all__ = ["NOT_WANTED", "Stage"]

PLACEHOLDER = "{{item}}"
NOT_WANTED = "not asked for again"
"""How a sub-agent ends that a repeated turn, or a resumed run, has no use for."""


@dataclass(slots=True)
class Begun:
    """An own call of the orchestrator that has been carried out as far as it can be at once."""

    call: ToolCall
    text: str = ""
    """Its answer, for a call without sub-agents."""
    ok: bool = True
    agents: list[str] = field(default_factory=list[str])
    """Sub-agents whose messages are its answer."""
    items: list[str] | None = None
    """The items of a map_task."""
    answered: bool = False
    """Its answer is in the log."""
    labels: Labels = NONE
    """What may be in that answer."""


class Stage:
    """A `Turn` of the orchestrator."""

    def __init__(
        self, engine: Engine, orchestrator: Stepper, step: int, team: Team, group: asyncio.TaskGroup
    ) -> None:
        self._engine = engine
        self._orchestrator = orchestrator
        self._step = step
        self._team = team
        self._group = group
        self._begun: dict[int, Begun] = {}
        self._spare: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._work: dict[str, tuple[str, str]] = {}
        self._ordinary = ToolTurn(engine, orchestrator, step)
        self._heard = 0
        self.recorded: dict[int, ToolCall] = {}
        self.answered = self._ordinary.answered

    def on_text(self, text: str) -> None:
        self._ordinary.on_text(text)

    def on_thinking(self, text: str) -> None: ...

    def on_call(self, call: ToolCall) -> None:
        call = sound_call(call, self._heard)
        self._heard += 1
        self._engine.check(self._orchestrator.id)

        if self._engine.settings.early_start and call.name in OWN_TOOLS:
            record_call(self._engine, self._orchestrator, call)
            self.recorded[call.index] = call
            self._begun[call.index] = self._begin(call)

    def restart(self) -> None:
        self._ordinary.restart()

        for begun in self._begun.values():
            self._release(begun)

        self._begun.clear()
        self.recorded.clear()
        self._heard = 0

    async def answer(self, calls: tuple[ToolCall, ...]) -> list[Answer]:
        """The results in the order of the calls, when the last sub-agent has ended."""
        for call in calls:
            if call.name in OWN_TOOLS:
                self._confirm(call)

        self._drop_spare()
        ordinary = tuple(call for call in calls if call.name not in OWN_TOOLS)

        async with asyncio.TaskGroup() as group:
            beside = group.create_task(self._ordinary.answer(ordinary))
            own = {call.index: await self._result(call) for call in calls if call.name in OWN_TOOLS}

        if self._work:
            await self._engine.sync()

        answers = own | {
            call.index: found for call, found in zip(ordinary, beside.result(), strict=True)
        }
        return [answers[call.index] for call in calls]

    def _confirm(self, call: ToolCall) -> None:
        """Begin a call that has not begun early; refuse one that has begun as another."""
        begun = self._begun.get(call.index)

        if begun is None:
            self._begun[call.index] = self._begin(call)
        elif (begun.call.name, begun.call.arguments) != (call.name, call.arguments):
            self._release(begun)
            text = "the call changed after it had begun, and was stopped; call again"
            self._begun[call.index] = Begun(call, text=f"ERROR: {text}", ok=False)

    def _begin(self, call: ToolCall) -> Begun:
        past = self._engine.past.agent(self._orchestrator.id)

        if past and (returned := past.returns.get((self._step, call.index))):
            return self._from_past(call, returned)

        begun = Begun(call)

        try:
            arguments = own_arguments(call)

            if call.name == "create_subagent":
                begun.text = self._team.create(arguments["name"], arguments["system_prompt"])
            elif call.name == "assign_task":
                self._launch(begun, arguments["agent"], [arguments["prompt"]])
            else:
                self._map(begun, arguments)
        except ToolError as error:
            begun.ok, begun.text = False, f"ERROR: {error}"

        return begun

    def _from_past(self, call: ToolCall, returned: ToolReturned) -> Begun:
        """An answered call of an earlier process: only what later turns need is done again."""
        begun = Begun(call, text=returned.text, ok=returned.ok, answered=True)

        if call.name != "create_subagent":
            begun.labels = self._brought()
            self._retire(call)
        elif returned.ok:
            arguments = own_arguments(call)
            self._team.create(arguments["name"], arguments["system_prompt"])

        return begun

    def _retire(self, call: ToolCall) -> None:
        """Keep the sub-agents that have answered a call from answering its twin."""
        try:
            arguments = own_arguments(call)
        except ToolError:  # so it launched none
            return

        tasks = [arguments["prompt"]] if "prompt" in arguments else _filled(arguments)

        for task in tasks:
            self._engine.past.adopt(
                self._orchestrator.id, self._step, arguments["agent"], task, call.index
            )

    def _brought(self) -> Labels:
        """What the stage's reports may hold; which of them answered which call, no log says."""
        engine, orchestrator = self._engine, self._orchestrator
        team = engine.past.stage(orchestrator.id, self._step)
        labels = (engine.labels_of(agent.heard) for agent in team)
        return orchestrator.labels.union(*labels) if team else NONE

    def _map(self, begun: Begun, arguments: dict[str, Any]) -> None:
        template, items = arguments["template"], arguments["items"]

        if PLACEHOLDER not in template:
            message = f"the template has no {PLACEHOLDER}: every sub-agent would do the same"
            raise ToolError(message)

        if not items:
            message = "map_task needs at least one item"
            raise ToolError(message)

        begun.items = items
        self._launch(begun, arguments["agent"], _filled(arguments))

    def _launch(self, begun: Begun, name: str, tasks: list[str]) -> None:
        engine = self._engine
        system_prompt = self._team.prompt(name)

        if not all(task.strip() for task in tasks):
            message = "the task is empty: say what the sub-agent is to do"
            raise ToolError(message)

        new = sum(max(0, count - self._known(name, task)) for task, count in Counter(tasks).items())
        left = engine.account.agents_left(engine.settings.max_agents)

        if new > left:
            message = (
                f"{new} more sub-agents were asked for, but only {max(left, 0)} of "
                f"{engine.account.agents + left} are left; give each more to do, or answer"
            )
            raise ToolError(message)

        for task in tasks:
            work = Assignment(
                name=name,
                system_prompt=system_prompt,
                task=task,
                parent=self._orchestrator.id,
                stage=self._step,
                call=begun.call.index,
                labels=self._orchestrator.labels,
            )
            begun.agents.append(self._take_over(work) or launch(engine, self._group, work))
            self._work[begun.agents[-1]] = (name, task)

    def _known(self, name: str, task: str) -> int:
        """How many sub-agents have this very task already and wait to be asked for again."""
        past = self._engine.past
        spare = self._spare.get((name, task), ())
        return len(spare) + past.count(self._orchestrator.id, self._step, name, task)

    def _take_over(self, work: Assignment) -> str | None:
        spare = self._spare.get((work.name, work.task))
        return spare.pop(0) if spare else None

    def _release(self, begun: Begun) -> None:
        for agent in begun.agents:
            self._spare[self._work[agent]].append(agent)

    def _drop_spare(self) -> None:
        for agents in self._spare.values():
            for agent in agents:
                self._engine.cancel_agent(agent, NOT_WANTED)

    async def _result(self, call: ToolCall) -> Answer:
        begun = self._begun[call.index]

        if begun.answered:
            return _answer(Report(begun.ok, begun.text, labels=begun.labels))

        report = await self._joined(begun)
        fact = ToolReturned(
            step=self._step,
            call=call.index,
            ok=report.ok,
            text=report.text,
            interrupted=report.interrupted,
        )
        self._engine.log.add(self._orchestrator.id, fact)
        self.answered.add(call.index)
        return _answer(report)

    async def _joined(self, begun: Begun) -> Report:
        if not begun.agents:
            return Report(begun.ok, begun.text)

        reports = [await report_of(self._engine, agent) for agent in begun.agents]

        if begun.items is None:
            return reports[0]

        rows = [
            {"item": item, "ok": report.ok, "text": report.text}
            for item, report in zip(begun.items, reports, strict=True)
        ]
        return Report(
            any(report.ok for report in reports),
            orjson.dumps(rows).decode(),
            any(report.interrupted for report in reports),
            NONE.union(*(report.labels for report in reports)),
        )


def _answer(report: Report) -> Answer:
    """What the orchestrator sees of it; the log has it without the mark."""
    return Answer(report.ok, marked(report.text, report.labels), labels=report.labels)


def _filled(arguments: dict[str, Any]) -> list[str]:
    """The tasks of a map_task."""
    return [arguments["template"].replace(PLACEHOLDER, item) for item in arguments["items"]]
