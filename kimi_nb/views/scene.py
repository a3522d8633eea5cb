"""A run as a page draws it: whole, or what has changed since it was last asked.

The page lays out and draws; what is counted, priced and put into words is done here. Everything
is a JSON value, and small: agents go by their number, texts are cut, what a turn said is asked
for on its own (`views.turns`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from kimi_nb.events import ToolReturned
from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold
from kimi_nb.views.header import header
from kimi_nb.views.kept import Kept
from kimi_nb.views.live import doing
from kimi_nb.views.markdown import markdown_html
from kimi_nb.views.path import critical_path
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.profile import Profile
from kimi_nb.views.rewards import Rewards
from kimi_nb.views.state import Agent, Stage
from kimi_nb.views.steps import DELEGATES
from kimi_nb.views.text import clean, one_line
from kimi_nb.views.words import label

__all__ = ["Scene", "path_of"]

CUT = 300
"""Characters of a task or an outcome."""
LABEL = 120
Fresh = dict[str, tuple[dict[str, Any], list[list[Any]]]]
"""By id, an agent's row and those of its stretches of time that were not sent."""


@dataclass(slots=True, kw_only=True)
class Sent:
    """How much of a scene the page has, and what has changed since."""

    count: int = 0
    rewards: int = 0
    answer: str = ""
    agents: dict[str, None] = field(default_factory=dict[str, None])
    """Ids of those that have changed, in their order."""
    stages: dict[tuple[str, int], None] = field(default_factory=dict[tuple[str, int], None])


class Scene:
    """What a page shows of one log, a run's or a training's. Costs the same for every record."""

    def __init__(self, name: str = "", prices: Mapping[str, Price] = PRICES) -> None:
        self.fold = Fold()
        self.rewards = Rewards()
        self._name = name
        self._prices = prices
        self.numbers: dict[str, int] = {}
        """By which the page knows each agent, by id."""
        self.kept = Kept()
        """What was sent, as it was."""
        self._ticks: list[list[Any]] = []
        """Tool calls that have returned since."""
        self._ends: dict[str, list[list[Any]]] = {}
        """Earlier ends of agents that a resumed run has taken up: when, as what, until when."""
        self._answer = ("", "")
        self._sent = Sent()
        self._profile = Profile()
        self._measured: tuple[int, dict[str, Any]] = (0, {})
        """What was reckoned of so many records."""

    @property
    def count(self) -> int:
        """How many records are in it."""
        return self.fold.count + self.rewards.count

    def add(self, records: Iterable[Record]) -> None:
        """Take in what has happened since. Raises CorruptTrace as `Fold.add` does."""
        for record in records:
            if self.rewards.takes(record):
                self.rewards.add(record)
            else:
                self._tick(record)
                over = self._over(record.agent)
                self.fold.add(record)
                self._mark(record.agent)
                self._reopened(over, record.t)

    def changes(self, now: float, *, measured: bool = True) -> dict[str, Any]:
        """What has changed since this was last asked, as of `now` seconds since the run began.

        `measured` adds the critical path and the concurrency profile, whose cost grows with the
        run.
        """
        sent = self._sent
        fresh = self._fresh(now)
        rows = {
            "agents": [row for row, _ in fresh.values()],
            "spans": [row for _, rows in fresh.values() for row in rows],
            "ticks": self._ticks,
        }
        found = self._message(now, sent, rows, measured=measured)

        for id, (row, spans) in fresh.items():
            self.kept.take(id, row, spans)

        self.kept.tick(self._ticks)
        self._ticks = []
        self._sent = Sent(count=self.count, rewards=len(self.rewards.rows), answer=self._answer[0])
        return found

    def snapshot(self, now: float) -> dict[str, Any]:
        """All of it, as of `now`, for orjson alone: rows that were sent are in it as they were.

        What `changes` gives next is the same as without this.
        """
        rows = self.kept.told(self.fold.agents, self._fresh(now), self._ticks)
        every = Sent(stages=dict.fromkeys(self.fold.stages))
        return self._message(now, every, rows, measured=True)

    def whole(self, now: float) -> dict[str, Any]:
        """The same as plain values."""
        return orjson.loads(orjson.dumps(self.snapshot(now)))

    def _fresh(self, now: float) -> Fresh:
        """The agents that have changed since they were told of, those that wait included.

        Their seconds run down without a record.
        """
        agents = self.fold.agents
        changed = self._sent.agents | {a.id: None for a in agents.values() if a.state == "retrying"}
        return {id: (self._agent(agents[id], now), self._spans(agents[id])) for id in changed}

    def _message(
        self, now: float, sent: Sent, rows: Mapping[str, Any], *, measured: bool
    ) -> dict[str, Any]:
        run = self.fold
        found: dict[str, Any] = {"to": self.count, "from": sent.count, "now": round(now, 6)}

        if self.rewards.count:
            found["rewards"] = self.rewards.since(sent.rewards)

        if run.count:
            found["run"] = header(run, now, self._name, self._prices)
            found["agents"], found["spans"] = rows["agents"], rows["spans"]
            found["stages"] = [self._stage(run.stages[key]) for key in sent.stages]
            found["ticks"] = rows["ticks"]
            self._tell(found, sent)

        if measured and run.agents:
            found |= self._measures()

        return found

    def _measures(self) -> dict[str, Any]:
        """The critical path and the concurrency profile, reckoned once for each state."""
        if self._measured[0] != self.fold.count:
            found = {
                "path": path_of(self.fold, self.numbers),
                "profile": self._profile.so_far(self.fold),
            }
            self._measured = self.fold.count, found

        return self._measured[1]

    def _tell(self, found: dict[str, Any], sent: Sent) -> None:
        text = self.fold.answer or _said(self.fold)

        if text != self._answer[0]:
            self._answer = text, markdown_html(text)

        if text != sent.answer:
            found["answer"] = self._answer[1]

    def _mark(self, id: str) -> None:
        agent = self.fold.agents.get(id)

        if agent is None:
            if not id:  # a run that ends, or goes on after a kill, changes them all
                self._sent.agents.update(dict.fromkeys(self.fold.agents))

            return

        self._sent.agents[id] = None

        if agent.ended is not None and agent.parent:  # which says how many it waits for
            self._sent.agents[agent.parent] = None

        self.numbers.setdefault(id, len(self.numbers))
        key = (agent.parent, agent.stage) if agent.role == "sub-agent" else (id, agent.step)

        if key in self.fold.stages:
            self._sent.stages[key] = None

    def _over(self, id: str) -> list[tuple[Agent, float, str]]:
        """The ended among the agents that a record of `id` can take up; "" is the run."""
        agents = [self.fold.agents.get(id)] if id else self.fold.agents.values()
        return [(a, a.ended, a.state) for a in agents if a is not None and a.ended is not None]

    def _reopened(self, over: list[tuple[Agent, float, str]], t: float) -> None:
        for agent, ended, state in over:
            if agent.ended is None:
                self._ends.setdefault(agent.id, []).append([ended, state, t])

    def _tick(self, record: Record) -> None:
        """A tool call as a mark on its agent's lane, once it has returned."""
        fact = record.fact

        if not isinstance(fact, ToolReturned) or record.agent not in self.fold.agents:
            return

        agent = self.fold.agents[record.agent]
        call = agent.outstanding.get(fact.call)

        if call is not None and call.tool not in DELEGATES:
            began = agent.since if agent.kind == "tool" else record.t
            number = self.numbers[record.agent]
            self._ticks.append([number, began, record.t, one_line(call.tool)[:40], int(fact.ok)])

    def _spans(self, agent: Agent) -> list[list[Any]]:
        number, had = self.numbers[agent.id], self.kept.had.get(agent.id, 0)
        return [[number, s.began, s.ended, s.kind, s.step] for s in agent.intervals[had:]]

    def _agent(self, agent: Agent, now: float) -> dict[str, Any]:
        opened = None if agent.kind is None else [agent.since, agent.kind, agent.step, agent.until]
        return {
            "number": self.numbers[agent.id],
            "id": agent.id,
            "label": label(agent)[:LABEL],
            "role": agent.role,
            "task": clean(agent.task[:CUT]),
            "parent": agent.parent,
            "stage": agent.stage,
            "after": list(agent.after),
            "state": agent.state_at(now),
            "doing": doing(agent, self.fold, now)[:CUT],
            "open": opened,
            "began": agent.began,
            "ended": agent.ended,
            "ends": self._ends.get(agent.id, []),
            "steps": agent.steps,
            "tool_calls": agent.tool_calls,
            "failed_tool_calls": agent.failed_tool_calls,
            "retries": agent.retries,
            "tokens_in": agent.tokens_in,
            "tokens_out": agent.tokens_out,
            **({"where": agent.where[:LABEL], "moves": agent.moves} if agent.where else {}),
            "queued_s": round(agent.queued_s, 3),
            "busy_s": round(agent.busy_s, 3),
        }

    def _stage(self, stage: Stage) -> dict[str, Any]:
        return {
            "parent": stage.parent,
            "number": stage.number,
            "began": stage.began,
            "ended": stage.ended,
            "main_steps": stage.main_steps,
            "max_sub_steps": stage.max_sub_steps,
            "sub_agents": [self.numbers[name] for name in stage.sub_agents],
        }


def path_of(run: Fold, numbers: Mapping[str, int]) -> list[list[Any]]:
    """The critical path of a run so far, as rows for a page; none before an agent has begun."""
    if not run.agents:
        return []

    return [[numbers[s.agent], s.began, s.ended, s.kind, s.step] for s in critical_path(run)]


def _said(run: Fold) -> str:
    """What the main agent has said last, while there is no answer."""
    main = run.main()
    return main.said if main is not None else ""
