"""Where results of sub-agents went: into later prompts, turns of the orchestrator, or nowhere.

The evidence is text. What is telling in a result (see `features`) and was new with it, so that
it stood neither in its own task nor in anything that the orchestrator had seen or said before,
and that turns up later, has come from there. It is evidence, no proof:

- A prompt that names nothing of a result may still have been written because of it: what a
  result only confirms, a sum of several, a translation and a free paraphrase leave no trace.
  So a result is called unused only where others of the run show that their words are taken over,
  where the answer is in the same script, and where what its task was about is not named later.
- A word may turn up by chance. One plain word is no need, only a doubt (`doubtful`); two are,
  or one name or one number that nobody writes by chance. Words that many results of a stage
  brought alike are the vocabulary of the job.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import orjson

from kimi_nb import events
from kimi_nb.trace import Record
from kimi_nb.views.diagnosis.features import LONGEST, script
from kimi_nb.views.diagnosis.ledger import ENOUGH, Ledger, Sketch
from kimi_nb.views.steps import DELEGATES

__all__ = ["Flow", "Flows", "OwnCall", "flow", "needs"]

LEAST_SHOWN = 0.5
"""Share of the telling results that must turn up later, before the absence of one tells."""
CREATES = "create_subagent"
MOST_CALLS = 10_000
"""Calls of the orchestrator's own tools that are kept."""


def needs(run: Iterable[Record]) -> Mapping[str, frozenset[str]]:
    """For each sub-agent the ids of earlier ones whose result flowed into its prompt.

    In an explicit plan, of those that it comes after. A sub-agent that takes over the task of
    one that failed needs it as well: the failure was the news.
    """
    return flow(run).needs


def flow(run: Iterable[Record]) -> Flow:
    """Where the results of a run, or of the part of it that has happened, went."""
    flows = Flows()

    for record in run:
        flows.add(record)

    return flows.so_far()


class OwnCall(NamedTuple):
    """A call that an orchestrator gave to a tool, not to a sub-agent."""

    record: int
    turn: int
    since: int
    """The turn in or before which all that its arguments tell was known: from the next one on
    the call could have been made. Of a call that was made before, word for word: its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Where results went. Only results of sub-agents that finished count."""

    needs: Mapping[str, frozenset[str]]
    """By sub-agent, those whose result flowed into its prompt; empty where none did."""
    doubtful: Mapping[str, frozenset[str]]
    """By sub-agent, those of which a single plain word stands in its prompt; may be chance."""
    used: frozenset[str]
    """Results that turn up in a later prompt, a later turn of the orchestrator, or the answer."""
    unused: frozenset[str]
    """Results that turn up nowhere, though they brought enough that it would show."""
    sketches: Mapping[str, Sketch]
    """What each result told, to compare it with others."""
    own_calls: tuple[OwnCall, ...]
    """The orchestrator's, in their order."""


@dataclass(slots=True)
class Flows:
    """Reads a run record by record. `add` costs in proportion to the record's text."""

    _book: Ledger = field(default_factory=Ledger)
    _began: dict[str, events.AgentBegan] = field(default_factory=dict[str, events.AgentBegan])
    _failed: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By task, who failed at it."""
    _needs: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    _doubtful: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    _delegated: set[int] = field(default_factory=set[int])
    """Calls of the orchestrator's latest turn whose answers are results."""
    _own: list[OwnCall] = field(default_factory=list[OwnCall])
    _asked: dict[int, int] = field(default_factory=dict[int, int])
    """By hash of a call of its own, the turn in which it was made first."""
    _script: str = ""
    """Of the answer, or of what the orchestrator said last."""
    _cut: bool = False
    """Something that it said is longer than what is read of it."""

    def add(self, record: Record) -> None:
        """Take in the next record."""
        match fact := record.fact:
            case events.RunBegan():
                self._book.learn(fact.goal)
            case events.AgentBegan():
                self._begin(record.agent, fact)
            case events.AgentEnded():
                self._end(record.agent, fact)
            case events.RunEnded():
                self._say(fact.answer)
            case _:
                began = self._began.get(record.agent)

                if began is not None and began.role == "orchestrator":
                    self._hear(record.seq, fact)

    def so_far(self) -> Flow:
        """Where the results went until now."""
        results = self._book.results
        told = {name: result for name, result in results.items() if result.tellable}
        silent = {name for name, result in told.items() if result.silent}
        used = {n for n, r in results.items() if r.shown >= ENOUGH and n not in silent}
        seen = len(used & told.keys())
        telling = not self._book.full and not self._cut and seen >= LEAST_SHOWN * len(told)
        return Flow(
            needs=dict(self._needs),
            doubtful=dict(self._doubtful),
            used=frozenset(used),
            unused=frozenset(
                name for name in silent if telling and told[name].would_show(self._script)
            ),
            sketches={name: result.sketch for name, result in results.items()},
            own_calls=tuple(self._own),
        )

    def _begin(self, agent: str, fact: events.AgentBegan) -> None:
        self._began[agent] = fact

        if fact.role != "sub-agent":
            return

        if not fact.parent:  # of a plan: the arrows are the needs, and its prompt has the results
            self._needs[agent] = frozenset(fact.after.split()) & self._began.keys()
            self._doubtful[agent] = frozenset()
            self._book.hand_over(self._needs[agent])
            self._book.learn(fact.task)
            return

        weights = self._book.say(fact.task, before=fact.stage)
        self._book.subject(agent, fact.task)
        sure = {name for name, weight in weights.items() if weight >= ENOUGH}
        retried = {n for n in self._failed.get(fact.task, ()) if self._began[n].stage < fact.stage}
        self._needs[agent] = frozenset(sure | retried)
        self._doubtful[agent] = frozenset(weights.keys() - sure)

    def _end(self, agent: str, fact: events.AgentEnded) -> None:
        began = self._began.get(agent)

        if began is None or began.role != "sub-agent":
            return

        if fact.outcome == "finished":
            self._book.bring(agent, began.stage, began.task, fact.text)
        elif fact.outcome == "failed":
            self._failed.setdefault(began.task, []).append(agent)

    def _hear(self, seq: int, fact: events.Fact) -> None:
        match fact:
            case events.StepBegan():
                self._book.turn = fact.step
                self._delegated.clear()
            case events.StepRetried():  # the calls of the attempt are void
                while self._own and self._own[-1].turn == fact.step:
                    self._own.pop()
            case events.Said():
                self._say(fact.text)
                self._book.say(fact.thinking)
            case events.ToolCalled():
                self._call(seq, fact)
            case events.ToolReturned() if fact.call not in self._delegated:  # read already
                self._book.learn(fact.text)
            case _:
                pass

    def _say(self, text: str) -> None:
        self._book.say(text)
        self._script = script(text) or self._script
        self._cut = self._cut or len(text) > LONGEST

    def _call(self, seq: int, fact: events.ToolCalled) -> None:
        if fact.tool in DELEGATES:  # its tasks come with the sub-agents
            self._delegated.add(fact.call)
            return

        text = _values(fact.arguments)

        if fact.tool != CREATES and len(self._own) < MOST_CALLS:
            self._own.append(OwnCall(seq, fact.step, self._since(fact, text)))

        self._book.say(text)

    def _since(self, fact: events.ToolCalled, text: str) -> int:
        """The turn after which the call could have been made.

        What was called before, word for word, as the tests of a program after each change of
        it, is called again because something has changed: that could not be foreseen.
        """
        first = self._asked.setdefault(hash((fact.tool, fact.arguments)), fact.step)
        return fact.step if first < fact.step else self._book.since(text)


def _values(arguments: str) -> str:
    """The values in a JSON text, a line each, without their keys; any other text as it is."""
    try:
        left: list[Any] = [orjson.loads(arguments)]
    except ValueError:
        return arguments

    found: list[str] = []

    while left:
        value = left.pop()

        if isinstance(value, dict):
            left += reversed(cast("dict[str, Any]", value).values())
        elif isinstance(value, list):
            left += reversed(cast("list[Any]", value))
        else:
            found.append(str(value))

    return "\n".join(found)
