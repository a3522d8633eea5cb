"""What happened in an episode, as the facts of a run. One step of the world is one second."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import Any

from kimi_nb import events
from kimi_nb._version import __version__
from kimi_nb.parl.recorded import Alone, Assigned, Recorded
from kimi_nb.parl.state import Costs
from kimi_nb.parl.texts import Texts
from kimi_nb.trace import Record, Trace

__all__ = ["trace_of"]

MAIN = "a0"
TOOL = "work"
"""What every turn of work calls. The world has no other tools, and this one takes no time."""
Call = tuple[float, str, dict[str, Any]]
"""When a turn has come to it, the tool, its arguments."""


def trace_of(world: Recorded, episode: int, player: str, seed: int) -> Trace:
    """The whole log of one episode, which is over; `player` is the name of who played it."""
    texts = Texts(world, episode)
    over = not world.submitted[episode]
    story = _Story(texts, world.costs)
    story.begin(player, seed, episode)

    for stage in world.stages[episode]:
        if isinstance(stage, Alone):
            story.work_alone(stage)
        else:
            story.launch(stage)

    story.end("the budget of critical steps was spent before it submitted" if over else "")
    return story.trace()


class _Story:
    """A log in the making. Facts may come in any order of their times."""

    def __init__(self, texts: Texts, costs: Costs) -> None:
        self._texts, self._costs = texts, costs
        self._facts: list[tuple[float, str, events.Fact]] = []
        self._now: float = 0.0
        self._turns = 0
        """Of the main agent."""
        self._agents = 0
        """Sub-agents so far."""
        self._by: dict[int, str] = {}
        """By part that is done, who did it."""

    def begin(self, player: str, seed: int, episode: int) -> None:
        goal, texts = self._texts.goal(), self._texts
        options = {
            "rollout": player,
            "episode": episode,
            "family": texts.family,
            "allowed": round(texts.budget, 6),
        }
        began = events.RunBegan(
            goal=goal,
            model="PARL rollout",
            simulated=True,
            seed=seed,
            started=time.time(),
            version=__version__,
            options=json.dumps(options, sort_keys=True),
        )
        self._add("", began)
        self._add(MAIN, _agent("orchestrator", player, goal))

    def work_alone(self, stage: Alone) -> None:
        """A turn for each step; its call tells what the part builds on."""
        task, given = self._texts.line(stage.part), self._texts.given(stage.part, self._by)
        self._by[stage.part] = MAIN

        for step in range(1, stage.steps + 1):
            self._turns += 1
            began, self._now = self._now, self._now + 1.0
            arguments = {"task": task, "step": step, "from": given}
            self._turn(MAIN, self._turns, began, self._now, calls=[(self._now, TOOL, arguments)])
            self._returned(0, self._texts.result(stage.part) if step == stage.steps else "ok")

    def launch(self, team: Sequence[Assigned]) -> None:
        """One turn that assigns them all and takes as long as the briefings; then they work."""
        costs, began = self._costs, self._now
        tasks = [self._texts.task(sub.part, self._by) for sub in team]
        times = [began + costs.turn + costs.briefing * at for at in range(1, len(team) + 1)]
        self._now, self._turns = times[-1], self._turns + 1
        calls: list[Call] = [
            (when, "assign_task", {"agent": f"part {sub.part + 1}", "prompt": task})
            for when, sub, task in zip(times, team, tasks, strict=True)
        ]
        self._turn(MAIN, self._turns, began, self._now, calls=calls)

        for call, (sub, task) in enumerate(zip(team, tasks, strict=True)):
            self._agents += 1
            agent = f"a{self._agents}"
            name = f"part {sub.part + 1}"
            self._add(agent, _agent("sub-agent", name, task, self._turns, call))
            self._by |= {sub.part: agent} if sub.finished else {}
            self._sub_agent(agent, sub)

        self._now += max(sub.steps for sub in team)

        for call, sub in enumerate(team):
            self._returned(call, self._text(sub), ok=sub.finished)

    def end(self, why: str) -> None:
        """`why` it was ended by the world; "" where the main agent submitted."""
        answer = self._texts.answer(self._by)
        outcome, status = ("over_budget", "partial") if why else ("finished", "finished")
        self._add(MAIN, events.AgentEnded(outcome=outcome, text=why or answer))
        self._add("", self._texts.judged(len(self._by)))
        self._add("", events.RunEnded(status=status, answer=answer, why=why))

    def trace(self) -> Trace:
        """All of it, sorted by time; what is at the same time stays in its order."""
        ordered = sorted(self._facts, key=lambda fact: fact[0])
        return Trace(Record(seq, *fact) for seq, fact in enumerate(ordered))

    def _sub_agent(self, agent: str, sub: Assigned) -> None:
        """Turns of one step; the last may be shorter, and says what came of it all."""
        at, last, text = self._now, math.ceil(sub.steps), self._text(sub)

        for step in range(1, last):
            call = (at + 1.0, TOOL, {"part": sub.part + 1, "step": step})
            self._turn(agent, step, at, at + 1.0, calls=[call])
            at += 1.0
            self._add(agent, events.ToolReturned(step=step, call=0, ok=True, text="ok"), at)

        if last:
            self._turn(agent, last, at, self._now + sub.steps, said=text)

        outcome = "finished" if sub.finished else "failed"
        self._add(agent, events.AgentEnded(outcome=outcome, text=text), self._now + sub.steps)

    def _turn(
        self,
        agent: str,
        step: int,
        began: float,
        ended: float,
        *,
        calls: Sequence[Call] = (),
        said: str = "",
    ) -> None:
        self._add(agent, events.StepBegan(step=step), began)

        for call, (at, tool, arguments) in enumerate(calls):
            self._add(agent, _called(step, call, tool, arguments), at)

        if said:
            self._add(agent, events.Said(step=step, text=said), ended)

        self._add(agent, _ended(step, "tool_calls" if calls else "stop"), ended)

    def _returned(self, call: int, text: str, *, ok: bool = True) -> None:
        self._add(MAIN, events.ToolReturned(step=self._turns, call=call, ok=ok, text=text))

    def _text(self, sub: Assigned) -> str:
        return sub.why or self._texts.result(sub.part)

    def _add(self, agent: str, fact: events.Fact, at: float | None = None) -> None:
        self._facts.append((round(self._now if at is None else at, 6), agent, fact))


def _agent(role: str, name: str, task: str, stage: int = 0, call: int = -1) -> events.AgentBegan:
    parent = MAIN if stage else ""
    return events.AgentBegan(role=role, name=name, task=task, parent=parent, stage=stage, call=call)


def _called(step: int, call: int, tool: str, arguments: dict[str, Any]) -> events.ToolCalled:
    text = json.dumps(arguments)
    return events.ToolCalled(
        step=step, call=call, call_id=f"{tool}:{call}", tool=tool, arguments=text
    )


def _ended(step: int, finish: str) -> events.StepEnded:
    return events.StepEnded(step=step, finish=finish, tokens_in=0, tokens_out=0, tokens_cached=0)
