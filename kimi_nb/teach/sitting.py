"""A quiz that one holds in a notebook: each answer is told at once whether it is right, and why."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Self

from kimi_nb.errors import UsageFault
from kimi_nb.teach.curriculum import quiz
from kimi_nb.teach.language import here
from kimi_nb.teach.page import Page, has_page, shown
from kimi_nb.teach.posed import MARKS, posed
from kimi_nb.teach.progress import record
from kimi_nb.teach.quiz import Quiz
from kimi_nb.teach.sheet import quiz_html, quiz_text, title
from kimi_nb.teach.student import student
from kimi_nb.teach.words import page_words

__all__ = ["Sitting", "sitting"]


class Sitting:
    """A quiz, as far as it was answered."""

    def __init__(self, quiz: Quiz, who: str, page: Callable[[Sitting], Page]) -> None:
        self._quiz = quiz
        self._items = posed(quiz, who)
        self._open = page
        self._page: Page | None = None
        self._guard = threading.RLock()  # a page is heard in another thread than the cell's

    @property
    def right(self) -> int:
        """Items whose first answer was right."""
        return sum(item.first is True for item in self._items)

    @property
    def done(self) -> bool:
        """Whether every item was answered to its end."""
        return all(item.over for item in self._items)

    def answer(self, number: int, letter: str) -> Self:
        """Choose an option of an item, as 1, "b": what a press of its button does.

        Raises UsageFault where there is no such item or option, and where the item is over.
        """
        if type(number) is not int or not 1 <= number <= len(self._items):
            raise UsageFault(f"{self._quiz.id} has the items 1 to {len(self._items)}")

        with self._guard:
            item = self._items[number - 1]

            if item.take(letter):
                key = item.key(item.tried[-1])
                record("answered", f"{self._quiz.id}.{number}", passed=not key, key=key)

            if self._page is not None:
                self._page.tell(self.state())

            return self

    def heard(self, message: dict[str, Any]) -> None:
        """What a page asks for, which may be anything. Raises what `answer` does."""
        if message.get("kind") == "answer":
            self.answer(message.get("item", 0), message.get("letter", ""))

    def form(self) -> dict[str, Any]:
        """The items, as JSON for a page."""
        marks = {name: [shape, here(word)] for name, (shape, word) in MARKS.items()}
        items = [
            {
                "asks": here(item.item.asks),
                "options": [[letter, here(each.says)] for letter, each in item.options.items()],
            }
            for item in self._items
        ]
        return {"words": page_words(), "marks": marks, "items": items}

    def state(self) -> dict[str, Any]:
        """What was answered, as JSON for a page."""
        items = [
            {
                "marks": {letter: item.mark(letter) for letter in item.options},
                "lines": item.lines(),
                "over": item.over,
            }
            for item in self._items
        ]
        return {"title": title(self._items), "items": items}

    def __repr__(self) -> str:
        return quiz_text(self._quiz.id, self._items)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """The widget where there is a page; beside it what a reader without a kernel sees."""
        answered = any(item.tried for item in self._items)
        below = "A quiz; its answers stand below." if answered else ""
        return shown(self._widget(), repr(self), quiz_html(self._quiz.id, self._items), below)

    def _widget(self) -> dict[str, Any]:
        if not has_page():
            return {}

        with self._guard:
            self._page = self._page or self._open(self)
            return self._page.bundle()


KEPT: dict[tuple[str, str], Sitting] = {}
"""The kernel's quizzes by id and student: a cell that is run again loses no answer."""


def sitting(identity: str, page: Callable[[Sitting], Page]) -> Sitting:
    """The quiz of that id, as far as this kernel's student has answered it.

    Raises UsageFault where no quiz has that id.
    """
    asked, who = quiz(identity), student()
    return KEPT.setdefault((asked.id, who), Sitting(asked, who, page))
