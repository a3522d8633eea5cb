"""Predictions: what was asked before a run, what was answered, and what the trace says.

Whoever commits to an expectation before the run sees what surprises them after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.teach import curriculum
from kimi_nb.teach.asked import Kind, Value
from kimi_nb.teach.choice import Choice
from kimi_nb.teach.curve import COLUMNS, Curve
from kimi_nb.teach.language import language
from kimi_nb.teach.number import Number
from kimi_nb.teach.quantity import QUANTITIES
from kimi_nb.teach.text import Language, Text
from kimi_nb.teach.words import said as say
from kimi_nb.trace import Record, Trace
from kimi_nb.views.fold import Fold, as_fold, records_of
from kimi_nb.views.text import one_line
from kimi_nb.views.words import seconds

__all__ = ["Asked", "Locked", "Outcome", "ask", "clock", "outcome"]

CURVE = "concurrency"
"""What a curve is of."""
CUT = frozenset({"cancelled", "over_budget", "failed"})
"""How a run ends whose figures are those of a part of it."""
_ID = re.compile(r"p\d\d\.\S+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a run that is still to come."""

    question: str
    kind: Kind
    id: str = ""
    """Of a question of the curriculum; "" for one of one's own."""

    @property
    def key(self) -> Hashable:
        """Equal for the same question, typed again."""
        return self.id or self.question, self.kind.key


@dataclass(frozen=True, slots=True)
class Locked:
    """An answer that does not change any more."""

    value: Value
    at: float
    """Wall-clock time, seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A prediction beside what came of the run."""

    said: str
    """The prediction in words, with its unit."""
    true: str
    """What the trace says, likewise; "" where it does not say."""
    words: str
    """How far apart they are, in a sentence or two."""
    off: float | None
    """Of a number: predicted − true, in its unit. Of a curve: the mean of |drawn − true| over 40
    equal parts of the time, in agents. None for a choice, and where the truth is not known."""
    right: bool | None
    """To the digits shown; None where the truth is not known."""
    truth: Value | None
    """The true number, choice, or curve as points on the axes that were asked for."""
    notes: tuple[str, ...]
    """What a reader has to know beside it: made too late, not ended yet, of the simulator."""


def ask(
    question: str,
    of: str | Callable[[Any], object] | None = None,
    choices: Sequence[object] | None = None,
    curve: bool | tuple[float, int] = False,  # noqa: FBT001, FBT002 -- True or axes
) -> Asked:
    """What is asked, in words or by the id of a question of the curriculum.

    Raises UsageFault where no kind of prediction can be made of it.
    """
    text = one_line(question) if isinstance(cast("object", question), str) else ""

    if not text:
        raise UsageFault('give the question as text first: kn.predict("How many …?", of=…)')

    if of is None:
        return _by_id(text, alone=choices is None and curve is False)

    if choices is not None and curve is not False:
        raise UsageFault("ask for a choice or for a curve: leave out choices= or curve=")

    if choices is not None:
        if not callable(of):
            raise UsageFault("with choices=, of= is a function of the run that gives the true one")

        return Asked(text, Choice.among(of, choices))

    if curve is not False:
        if of != CURVE:
            raise UsageFault(f'a curve is drawn of one thing: of="{CURVE}"')

        return Asked(text, Curve.on(curve))

    return Asked(text, Number(_known(of)))


def _by_id(identity: str, *, alone: bool) -> Asked:
    if not _ID.fullmatch(identity):
        raise UsageFault(
            'say what it is about with of=, as in kn.predict("How many critical steps?", '
            'of="critical_steps"); or give the id of a question, as kn.predict("p03.critical")'
        )

    if not alone:
        raise UsageFault(f"{identity} is asked as it is: leave out choices= and curve=")

    known, tongue = curriculum.question(identity), language()
    choices = known.choices and [_in(tongue, choice) for choice in known.choices]
    of = known.of

    if known.choices is not None and callable(of):
        of = _translated(of, known.choices, tongue)

    asked = replace(ask(known.asks.said(tongue), of, choices, known.curve), id=identity)

    if known.most is None or not isinstance(asked.kind, Number):
        return asked

    return replace(asked, kind=replace(asked.kind, most=known.most))


def _in(tongue: Language, choice: Text | str) -> str:
    return choice.said(tongue) if isinstance(choice, Text) else choice


def _translated(
    of: Callable[[Any], object], choices: Sequence[Text | str], tongue: Language
) -> Callable[[Any], object]:
    """What gives the true choice in the reader's language, whichever of its texts `of` gives."""

    def true(run: Any) -> object:
        found = of(run)
        same = (choice for choice in choices if found in (choice, _in("en", choice)))
        return next((_in(tongue, choice) for choice in same), found)

    return true


def _known(of: str | Callable[[Any], object]) -> str | Callable[[Any], object]:
    if callable(of) or of in QUANTITIES:
        return of

    if of == CURVE:
        raise UsageFault(f'of="{CURVE}" is a curve: add curve=True')

    near = get_close_matches(str(of), QUANTITIES, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    names = ", ".join(QUANTITIES)
    raise UsageFault(f"of= is a function of the run, or one of its measures: {names}{meant}")


def outcome(asked: Asked, locked: Locked, run: Fold | Iterable[Record]) -> Outcome:
    """The prediction beside a run, a trace, or a fold so far."""
    given = Trace(records_of(run)) if isinstance(run, Iterator) else run  # read more than once
    state = as_fold(given)
    kind = asked.kind
    truth = kind.truth(given, state)
    said = kind.said(locked.value)
    notes = tuple(_notes(kind, locked, state))

    if truth is None:
        words = say("unknown", said=said)
        return Outcome(
            said=said, true="", words=words, off=None, right=None, truth=None, notes=notes
        )

    found = kind.apart(locked.value, truth)
    return Outcome(
        said=said,
        true=kind.said(truth),
        words=found.words,
        off=found.off,
        right=found.right,
        truth=truth,
        notes=notes,
    )


def _notes(kind: Kind, locked: Locked, state: Fold) -> Iterator[str]:
    late = locked.at - state.started

    if state.status == "running":
        yield say("running")
    elif state.status in CUT:
        yield say("cut")

    if state.started:
        yield say("late", ago=_ago(late)) if late > 0 else say("early")

    if isinstance(kind, Curve):
        yield say("formula", columns=COLUMNS)

    if state.simulated:
        yield say("simulator")


def _ago(late: float) -> str:
    """A time span that may be of years, as in traces that come with a lesson."""
    for size, unit in ((86_400.0, "days"), (3600.0, "hours")):
        if late >= 2 * size:
            return say(unit, n=f"{late / size:,.0f}")

    return seconds(late)


def clock(at: float) -> str:
    """A wall-clock time, as "2026-11-28 14:02:11", in this machine's time zone."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
