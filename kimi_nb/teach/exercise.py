"""An exercise: what is asked, what is true, and what each misconception would answer.

Right and wrong are told from plain data alone, so that the same exercise checks itself in a
notebook, in an assignment, and in a grader that never runs a learner's code in its own process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kimi_nb.teach.plain import Odd, Raised, called, plain, same
from kimi_nb.teach.source import bare
from kimi_nb.teach.text import Text

__all__ = ["ODD", "RAISED", "UNANSWERED", "WRONG", "Args", "Exercise", "Mistake", "Verdict"]

Args = list[Any]
"""Of one call: plain data."""

WRONG = "wrong"
"""Key of an answer that no known mistake explains."""
UNANSWERED = "unanswered"
ODD = "odd"
"""Key of an answer that is no plain data, as a generator."""
RAISED = "raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A wrong answer that is known, and what to say to whoever gives it."""

    key: str
    """A misconception, M1 to M16; or a short name of its own, unlike any other of the exercise."""
    wrong: Callable[..., object]
    """What it makes of a case's arguments."""
    says: Text
    """Names the error and a counter-example or a question; never the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of an answer."""

    passed: bool
    share: float
    """Of the cases that are right, from 0 to 1."""
    key: str
    """"" for a right answer; else the mistake's key, or one of wrong, unanswered, odd, raised."""
    says: Text | None
    """The mistake's message; None where there is none."""
    case: Args | None
    """The arguments of the first case that is wrong."""
    gave: Any
    """What the answer was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise. Everything in it is pure and seeded."""

    id: str
    """As ex03.critical: of notebook 03."""
    title: Text
    task: Text
    """What is asked, in Markdown."""
    difficulty: int
    """From 1 to 5."""
    minutes: int
    form: Literal["function", "value"]
    """Whether a function is asked for, or a value for the learner's own data."""
    name: str
    """What the learner's cell binds."""
    stub: str
    """The learner's cell as it comes."""
    cases: Callable[[random.Random], Sequence[Sequence[Any]]]
    """The arguments of each call; of the form "value" one call with one argument."""
    solve: Callable[..., object]
    """The true answer for a case's arguments."""
    solution: str = ""
    """Code that answers it; of the form "function" the source of `solve` unless given."""
    hints: tuple[Text, ...]
    """From vague to concrete."""
    mistakes: tuple[Mistake, ...]
    judge: Callable[[Any, Args], str] | None = None
    """For what has more than one right answer: "" if the output is right for the arguments, else
    the key of a mistake, or "wrong". Without one, the output has to equal that of `solve`."""

    def code(self) -> str:
        """The solution, as one would type it."""
        return self.solution or bare(self.solve)

    def drawn(self, seed: str) -> list[Args]:
        """The cases of a seed, each time the same."""
        dice = random.Random(f"{self.id} {seed}")  # noqa: S311 -- variants keep no secret
        return [list(plain(list(args))) for args in self.cases(dice)]

    def outputs(self, answer: object, cases: Sequence[Args]) -> list[Any]:
        """What an answer gives for each case: a function is called, a value is as it is."""
        if self.form == "value":
            return [plain(answer) for _ in cases]

        if not callable(answer):
            return [None if answer is None else Odd("no function") for _ in cases]

        return [called(answer, args) for args in cases]

    def verdict(self, outputs: Sequence[Any], cases: Sequence[Args]) -> Verdict:
        """Right, or why not: of all outputs, one for each case."""
        faults = [self._fault(output, args) for output, args in zip(outputs, cases, strict=True)]
        first = next((place for place, fault in enumerate(faults) if fault), None)

        if first is None:
            return Verdict(passed=True, share=1.0, key="", says=None, case=None, gave=None)

        key = self._key(outputs, cases, faults[first])
        says = next((mistake.says for mistake in self.mistakes if mistake.key == key), None)
        share = faults.count("") / len(faults)
        gave = outputs[first]
        return Verdict(passed=False, share=share, key=key, says=says, case=cases[first], gave=gave)

    def _fault(self, output: Any, args: Args) -> str:
        if isinstance(output, Raised):
            return RAISED

        if isinstance(output, Odd):
            return ODD

        if output is None and self._true(args) is not None:
            return UNANSWERED

        if self.judge is not None:
            return self.judge(output, args)

        return "" if same(output, self._true(args)) else WRONG

    def _true(self, args: Args) -> Any:
        return called(self.solve, args)

    def _key(self, outputs: Sequence[Any], cases: Sequence[Args], fault: str) -> str:
        """The first mistake that explains all outputs; of a judge the one that it names."""
        if self.judge is not None and fault not in {RAISED, ODD, UNANSWERED}:
            return fault

        for mistake in self.mistakes:
            made = (called(mistake.wrong, args) for args in cases)

            if self.judge is None and all(map(same, outputs, made)):
                return mistake.key

        some = any(output is not None for output in outputs)
        return WRONG if fault == UNANSWERED and some else fault
