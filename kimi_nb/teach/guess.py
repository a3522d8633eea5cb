"""A prediction that one holds in a notebook: open until it is locked, then set beside a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Self

from kimi_nb.errors import UsageFault
from kimi_nb.teach.asked import Value
from kimi_nb.teach.page import Page, has_page, shown
from kimi_nb.teach.picture import guess_html, guess_text, said_when
from kimi_nb.teach.predict import Asked, Locked, Outcome, clock, outcome
from kimi_nb.teach.progress import record
from kimi_nb.teach.words import page_words
from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold

__all__ = ["Guess", "guess"]


class Guess:
    """One prediction: open until it is locked, and then as it is."""

    def __init__(self, asked: Asked, page: Callable[[Guess], Page]) -> None:
        self._asked = asked
        self._open = page
        self._locked: Locked | None = None
        self._outcome: Outcome | None = None
        self._earlier: list[Locked] = []
        self._page: Page | None = None
        self._guard = threading.RLock()  # a page is heard in another thread than the cell's

    @property
    def question(self) -> str:
        return self._asked.question

    @property
    def value(self) -> Value | None:
        """What is predicted; None until it is locked."""
        return None if self._locked is None else self._locked.value

    @property
    def locked_at(self) -> float | None:
        """When it was locked, in seconds since the epoch; None until it is."""
        return None if self._locked is None else self._locked.at

    @property
    def outcome(self) -> Outcome | None:
        """What `against` found last; None before."""
        return self._outcome

    def lock(self, value: object) -> Self:
        """Commit to a value: what the Lock button does.

        A number; one of the choices; or a curve as a list of (time, agents), each number from
        its time on, until the end of the axis. Raises UsageFault for a value that does not fit,
        and for another value than the one that is locked.
        """
        with self._guard:
            checked = self._asked.kind.check(value)

            if self._locked is None:
                self._locked = Locked(checked, time.time())

                if self._asked.id:
                    record("predicted", self._asked.id, passed=None)

                self._tell()
            elif self._locked.value != checked:
                said = said_when(self._asked, self._locked)
                raise UsageFault(f"it stays as it is: {said}. To start anew: .anew()")

            return self

    def against(self, run: Fold | Iterable[Record]) -> Self:
        """Set it beside a run, a trace, or a run so far; `outcome` has the figures.

        Raises UsageFault while nothing is locked.
        """
        with self._guard:
            if self._locked is None:
                how = f"press Lock, or type {self._asked.kind.example}"
                raise UsageFault(f"first lock a prediction, then see the truth: {how}")

            self._outcome = outcome(self._asked, self._locked, run)
            self._tell()
            return self

    def anew(self) -> Self:
        """Ask once more. What was locked is told as an earlier prediction."""
        with self._guard:
            if self._locked is not None:
                self._earlier.append(self._locked)

            self._locked = self._outcome = None
            self._tell()
            return self

    def heard(self, message: dict[str, Any]) -> None:
        """What a page asks for, which may be anything. Raises what `lock` does."""
        if message.get("kind") == "lock":
            self.lock(message.get("value"))

    def form(self) -> dict[str, Any]:
        """The question, as JSON for a page."""
        kind = self._asked.kind
        words = page_words()
        return {"question": self.question, "kind": kind.name, "words": words, **kind.form()}

    def state(self) -> dict[str, Any]:
        """What is locked and what is true, as JSON for a page."""
        earlier = [said_when(self._asked, other) for other in self._earlier]
        return {"locked": self._said(), "outcome": self._found(), "earlier": earlier}

    def _said(self) -> dict[str, Any] | None:
        if self._locked is None:
            return None

        kind, value = self._asked.kind, self._locked.value
        words, when = kind.said(value), clock(self._locked.at)
        return {"value": kind.drawn(value), "words": words, "when": when}

    def _found(self) -> dict[str, Any] | None:
        found = self._outcome

        if found is None:
            return None

        truth = None if found.truth is None else self._asked.kind.drawn(found.truth)
        return {
            "true": found.true,
            "words": found.words,
            "right": found.right,
            "truth": truth,
            "notes": list(found.notes),
        }

    def _tell(self) -> None:
        if self._page is not None:
            self._page.tell(self.state())

    def again(self, asked: Asked) -> Self:
        """The same question, typed again; a function in it may have been mended."""
        self._asked = asked
        return self

    def __repr__(self) -> str:
        return guess_text(self._asked, self._locked, self._outcome, self._earlier)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """The widget where there is a page; beside it what a reader without a kernel sees."""
        html = guess_html(self._asked, self._locked, self._outcome, self._earlier)
        below = "" if self._outcome is None else "A prediction; what came of it stands below."
        return shown(self._widget(), repr(self), html, below)

    def _widget(self) -> dict[str, Any]:
        if not has_page():
            return {}

        with self._guard:
            self._page = self._page or self._open(self)
            return self._page.bundle()


KEPT: dict[Hashable, Guess] = {}
"""The kernel's predictions by what was asked: a cell that is run again loses none."""


def guess(asked: Asked, page: Callable[[Guess], Page]) -> Guess:
    """The prediction of what is asked: the one that this kernel has, or a new one."""
    return KEPT.setdefault(asked.key, Guess(asked, page)).again(asked)
