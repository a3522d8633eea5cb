"""Where results of sub-agents went: into later prompts, turns of the orchestrator, or nowhere.

The evidence is text. What is telling in a result (see `features`) and was new with it, so that
it stood neither in its own task nor in anything that the orchestrator had seen or said before,
and that turns up later, has come from there. It is evidence, no proof:

- A prompt that names nothing of a result may still have been written because of it: what a
  result only confirms, a sum of several, a translation and a free paraphrase leave no trace.
  So a result is called unused only where others of the run show that their words are taken over,
  and where what its task was about is not named later either.
- A word may turn up by chance. One plain word is no need, only a doubt (`doubtful`); two are,
  or one name or one number that nobody writes by chance. Words that many results of a stage
  brought alike are the vocabulary of the job.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from kimi_nb import events
from kimi_nb.trace import Record
from kimi_nb.views.features import STRONG, features
from kimi_nb.views.steps import DELEGATES

__all__ = ["Flow", "Flows", "flow", "needs"]

ENOUGH = STRONG
"""Weight of shared news from which a text is taken to have come from a result."""
TELLABLE = 8
"""Weight of news that a result must have brought before its absence tells anything: an "ok", or
one figure that went into a sum, may well have been used."""
STRAY = 0.03
"""Share of its news, in plain words, that turns up by chance where two texts are long."""
SHARED = 3
"""Results of one stage that may bring the same news; what more of them bring is vocabulary."""
OWNERS = 2
CAPACITY = 1_000_000
"""Words of a run that are kept. What comes after counts as new, and results as used."""


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


@dataclass(slots=True)
class _Result:
    stage: int
    news: int = 0
    """Weight of what it brought that was new."""
    shown: int = 0
    """Weight of its news that turned up in one later text, the most of all."""
    named: bool = False
    """What only its task was about was named later."""
    sure: bool = False
    """A name or a number of its news turned up later."""

    @property
    def tellable(self) -> bool:
        return self.news >= TELLABLE

    @property
    def silent(self) -> bool:
        return not self.sure and self.shown <= STRAY * self.news


@dataclass(slots=True)
class _Word:
    weight: int
    stage: int
    results: list[str]
    """Those that brought it; empty for what the orchestrator knew anyway."""


_KNOWN = _Word(0, 0, [])


@dataclass(slots=True)
class Flows:
    """Reads a run record by record. `add` costs in proportion to the record's text."""

    _words: dict[str, _Word] = field(default_factory=dict[str, _Word])
    _subjects: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By word, the sub-agents in whose task it stands: two at most, for then it is nobody's."""
    _results: dict[str, _Result] = field(default_factory=dict[str, _Result])
    _began: dict[str, events.AgentBegan] = field(default_factory=dict[str, events.AgentBegan])
    _failed: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By task, who failed at it."""
    _needs: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    _doubtful: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    _delegated: set[int] = field(default_factory=set[int])
    """Calls of the orchestrator's latest turn whose answers are results."""

    def add(self, record: Record) -> None:
        """Take in the next record."""
        fact = record.fact

        match fact:
            case events.RunBegan():
                self._learn(fact.goal)
            case events.AgentBegan():
                self._begin(record.agent, fact)
            case events.AgentEnded():
                self._end(record.agent, fact)
            case events.RunEnded():
                self._say(fact.answer)
            case (
                events.StepBegan() | events.Said() | events.ToolCalled() | events.ToolReturned()
            ) if self._is_main(record.agent):
                self._hear(fact)
            case _:
                pass

    def so_far(self) -> Flow:
        """Where the results went until now."""
        told = {name: result for name, result in self._results.items() if result.tellable}
        silent = {name for name, result in told.items() if result.silent}
        used = {n for n, r in self._results.items() if r.shown >= ENOUGH and n not in silent}
        telling = len(self._words) < CAPACITY and 2 * len(used & told.keys()) >= len(told)
        unused = {name for name in silent if telling and not told[name].named}
        return Flow(
            needs=dict(self._needs),
            doubtful=dict(self._doubtful),
            used=frozenset(used),
            unused=frozenset(unused),
        )

    def _is_main(self, agent: str) -> bool:
        began = self._began.get(agent)
        return began is not None and began.role == "orchestrator"

    def _begin(self, agent: str, fact: events.AgentBegan) -> None:
        self._began[agent] = fact

        if fact.role != "sub-agent":
            return

        if not fact.parent:  # of a plan: the arrows are the needs, and its prompt has the results
            self._needs[agent] = frozenset(fact.after.split()) & self._began.keys()
            self._doubtful[agent] = frozenset()
            self._pass_on(self._needs[agent])
            self._learn(fact.task)
            return

        weights = self._say(fact.task, before=fact.stage)
        self._note_subject(agent, fact.task)
        sure = {name for name, weight in weights.items() if weight >= ENOUGH}
        retried = {n for n in self._failed.get(fact.task, ()) if self._began[n].stage < fact.stage}
        self._needs[agent] = frozenset(sure | retried)
        self._doubtful[agent] = frozenset(weights.keys() - sure)

    def _pass_on(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._results:
                self._results[name].sure = True
                self._results[name].shown = max(ENOUGH, self._results[name].shown)

    def _note_subject(self, agent: str, task: str) -> None:
        for feature in features(task):
            agents = self._subjects.get(feature)

            if agents is not None:
                if len(agents) < OWNERS:
                    agents.append(agent)
            elif len(self._subjects) < CAPACITY:
                self._subjects[feature] = [agent]

    def _end(self, agent: str, fact: events.AgentEnded) -> None:
        began = self._began.get(agent)

        if began is None or began.role != "sub-agent":
            return

        if fact.outcome == "finished":
            self._bring(agent, began, fact.text)
        elif fact.outcome == "failed":
            self._failed.setdefault(began.task, []).append(agent)

    def _bring(self, agent: str, began: events.AgentBegan, text: str) -> None:
        own = features(began.task)
        result = self._results[agent] = _Result(began.stage)

        for feature, weight in features(text).items():
            if feature in own:
                continue

            word = self._words.get(feature)

            if word is None:
                if len(self._words) < CAPACITY:
                    self._words[feature] = _Word(weight, began.stage, [agent])

                result.news += weight
            elif word.results and word.stage == began.stage:
                word.results.append(agent)
                result.news += weight

    def _hear(self, fact: events.Fact) -> None:
        match fact:
            case events.StepBegan():
                self._delegated.clear()
            case events.Said():
                self._say(fact.text)
                self._say(fact.thinking)
            case events.ToolCalled():
                if fact.tool in DELEGATES:  # its tasks come with the sub-agents
                    self._delegated.add(fact.call)
                else:
                    self._say(_plain(fact.arguments))
            case events.ToolReturned() if fact.call not in self._delegated:
                self._learn(fact.text)
            case _:
                pass

    def _learn(self, text: str) -> None:
        """The orchestrator knows this text from elsewhere."""
        for feature in features(text):
            if len(self._words) >= CAPACITY:
                return

            self._words.setdefault(feature, _KNOWN)

    def _say(self, text: str, before: int | None = None) -> dict[str, int]:
        """The orchestrator says this; returns of which results it has news, and how much.

        With `before`, only of results of earlier stages.
        """
        weights: dict[str, int] = {}
        named: dict[str, int] = {}

        for feature, weight in features(text).items():
            word = self._words.get(feature)
            owners = self._subjects.get(feature, ())

            if len(owners) == 1:
                named[owners[0]] = named.get(owners[0], 0) + weight

            if word is None:
                if len(self._words) < CAPACITY:
                    self._words[feature] = _KNOWN

                continue

            if len(word.results) > SHARED or (before is not None and word.stage >= before):
                continue

            for name in word.results:
                weights[name] = weights.get(name, 0) + min(weight, word.weight)
                self._results[name].sure |= min(weight, word.weight) >= STRONG

        self._mark(weights, named)
        return weights

    def _mark(self, weights: Mapping[str, int], named: Mapping[str, int]) -> None:
        for name, weight in weights.items():
            result = self._results[name]
            result.shown = max(result.shown, weight)

        for name, weight in named.items():
            if name in self._results:
                self._results[name].named |= weight >= ENOUGH


def _plain(arguments: str) -> str:
    """JSON text without its escapes; any other text as it is."""
    try:
        return orjson.dumps(orjson.loads(arguments)).decode().replace("\\n", "\n")
    except (ValueError, TypeError):
        return arguments
