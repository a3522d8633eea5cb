"""Who brought which word first: the book that `flow` keeps while it reads a run."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest

from kimi_nb.views.diagnosis.features import STRONG, features, script

__all__ = ["ENOUGH", "Brought", "Ledger", "Sketch"]

ENOUGH = STRONG
"""Weight of shared news from which a text is taken to have come from a result."""
TELLABLE = 8
"""Weight of news that a result must have brought before its absence tells anything: an "ok", or
one figure that went into a sum, may well have been used."""
STRAY = 0.03
"""Share of its news, in plain words, that turns up by chance where two texts are long."""
SHARED = 3
"""Results of one stage that may bring the same news; what more of them bring is vocabulary."""
CAPACITY = 1_000_000
"""Words of a run that are kept. What comes after is nobody's news, and nothing is told unused."""
SAMPLE = 64
"""Words by which two results are compared."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """The telling words of a text without those of its task: how many, and a fixed sample."""

    count: int
    sample: frozenset[int]

    def likeness(self, other: Sketch) -> float:
        """Share of the words of both that are in both, from 0 to 1; exact where there are few."""
        both = sorted(self.sample | other.sample)[:SAMPLE]
        return len((self.sample & other.sample).intersection(both)) / max(len(both), 1)


@dataclass(slots=True)
class Brought:
    """What the result of a sub-agent brought, and what became of it."""

    stage: int
    sketch: Sketch
    script: str
    """In which most of it is written; see `features.script`."""
    news: int = 0
    """Weight of what was new with it."""
    shown: int = 0
    """Weight of its news that turned up in one later text, the most of all."""
    sure: bool = False
    """A name or a number of its news turned up later."""
    named: bool = False
    """What only its task was about was named later."""

    @property
    def tellable(self) -> bool:
        """It brought enough that it would show if it were used."""
        return self.news >= TELLABLE

    @property
    def silent(self) -> bool:
        """Nothing of it turned up later but what may be chance."""
        return not self.sure and self.shown <= STRAY * self.news

    def would_show(self, answer: str) -> bool:
        """Whether its use would show in an answer of that script, so that silence tells."""
        return not self.named and (self.script == answer or not (self.script and answer))


@dataclass(slots=True)
class _Word:
    weight: int
    since: int
    """Turn of the orchestrator in which it first stood anywhere."""
    results: list[str]
    """Those that brought it; empty for what the orchestrator knew anyway."""


@dataclass(slots=True)
class Ledger:
    """All words of a run that the orchestrator could know of."""

    turn: int = 0
    """The orchestrator's latest."""
    results: dict[str, Brought] = field(default_factory=dict[str, Brought])
    _words: dict[str, _Word] = field(default_factory=dict[str, _Word])
    _subjects: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By word, the sub-agents in whose task it stands: two at most, for then it is nobody's."""
    _known: _Word = field(default_factory=lambda: _Word(0, 0, []))

    @property
    def full(self) -> bool:
        """It takes no more words."""
        return len(self._words) >= CAPACITY

    def learn(self, text: str) -> None:
        """The orchestrator knows this from elsewhere."""
        for feature in features(text):
            self._note(feature)

    def since(self, text: str) -> int:
        """The turn in or before which every telling word of this text was known."""
        words = (self._words.get(feature) for feature in features(text))
        return max((word.since if word else self.turn for word in words), default=self.turn)

    def subject(self, agent: str, task: str) -> None:
        """What a sub-agent is to work on."""
        for feature in features(task):
            agents = self._subjects.get(feature)

            if agents is None:
                if len(self._subjects) < CAPACITY:
                    self._subjects[feature] = [agent]
            elif len(agents) == 1:
                agents.append(agent)

    def bring(self, agent: str, stage: int, task: str, text: str) -> None:
        """The result of a sub-agent. New is what stood nowhere, or came with it in its stage."""
        told = features(text)

        for feature in features(task):
            told.pop(feature, None)

        hashes = (zlib.crc32(f.encode("utf-8", "surrogatepass")) for f in told)
        sketch = Sketch(len(told), frozenset(nsmallest(SAMPLE, hashes)))
        result = self.results[agent] = Brought(stage, sketch, script(text))

        for feature, weight in told.items():
            word = self._words.get(feature)

            if word is not None and word.results and word.since == stage:
                word.results.append(agent)
                result.news += weight
            elif word is None and not self.full:
                self._words[feature] = _Word(weight, stage, [agent])
                result.news += weight

    def say(self, text: str, before: int | None = None) -> dict[str, int]:
        """The orchestrator says this; returns how much news of which results is in it.

        With `before`, only of results of earlier stages.
        """
        weights: dict[str, int] = {}
        named: dict[str, int] = {}

        for feature, weight in features(text).items():
            if len(owners := self._subjects.get(feature, ())) == 1:
                named[owners[0]] = named.get(owners[0], 0) + weight

            word = self._words.get(feature)

            if word is None:
                self._note(feature)
            elif len(word.results) <= SHARED and (before is None or word.since < before):
                for name in word.results:
                    weights[name] = weights.get(name, 0) + min(weight, word.weight)
                    self.results[name].sure |= min(weight, word.weight) >= STRONG

        self._mark(weights, named)
        return weights

    def hand_over(self, agents: Iterable[str]) -> None:
        """The whole results of these go into a prompt."""
        for result in (self.results[name] for name in agents if name in self.results):
            result.sure, result.shown = True, max(ENOUGH, result.shown)

    def _mark(self, weights: Mapping[str, int], named: Mapping[str, int]) -> None:
        for name, weight in weights.items():
            result = self.results[name]
            result.shown = max(result.shown, weight)

        for name, weight in named.items():
            if name in self.results:
                self.results[name].named |= weight >= ENOUGH

    def _note(self, feature: str) -> None:
        if self._known.since != self.turn:
            self._known = _Word(0, self.turn, [])

        if not self.full:
            self._words.setdefault(feature, self._known)
