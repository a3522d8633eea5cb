"""One item of a quiz as it is put to a student, and what was answered."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from kimi_nb.errors import UsageFault
from kimi_nb.teach.language import here
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["MARKS", "Posed", "posed"]

LETTERS = "abcdefgh"
TRIES = 2
"""Of an item; the first one counts."""

RIGHT = Text("{letter} is right. {because}", "{letter} 正确。{because}")
WRONG = Text("{letter} is not it. {truth}", "不是 {letter}。{truth}")
AGAIN = Text(
    "You may choose once more; the first answer counts.", "可以再选一次；计分以第一次为准。"
)
MARKS = {
    "right": ("✔", Text("right", "正确")),
    "wrong": ("✘", Text("not this one", "不是这个")),
}
"""Shape and word."""


@dataclass(slots=True)
class Posed:
    """An item, its options in the student's own order."""

    number: int
    """From 1 on."""
    item: QuizItem
    options: dict[str, Option]
    """By letter."""
    tried: list[str] = field(default_factory=list)
    """Letters, in the order of the answers."""

    @property
    def first(self) -> bool | None:
        """Whether the first answer was right; None before there is one."""
        return self._right(self.tried[0]) if self.tried else None

    @property
    def over(self) -> bool:
        """Whether nothing more can be answered."""
        return len(self.tried) >= TRIES or any(map(self._right, self.tried))

    def take(self, letter: object) -> bool:
        """Whether this is an answer, and not one that was given before.

        Raises UsageFault for what is no letter of an option, and after the end.
        """
        if not isinstance(letter, str) or letter.lower() not in self.options:
            raise UsageFault(f'answer with one of {", ".join(self.options)}, as in (1, "b")')

        chosen = letter.lower()

        if chosen in self.tried:
            return False

        if self.over:
            raise UsageFault(f"item {self.number} stays as it is: it was answered")

        self.tried.append(chosen)
        return True

    def key(self, letter: str) -> str:
        """The misconception behind an option; "" for the right one."""
        return self.options[letter].key

    def mark(self, letter: str) -> str:
        """One of right and wrong for what is known of an option; "" before."""
        if letter in self.tried:
            return "right" if self._right(letter) else "wrong"

        return "right" if self.over and self._right(letter) else ""

    def lines(self) -> list[str]:
        """What is to be said of the answers so far, in the reader's language."""
        wrong = [
            here(WRONG).format(letter=letter, truth=here(MISCONCEPTIONS[self.key(letter)].truth))
            for letter in self.tried
            if not self._right(letter)
        ]

        if not self.over:
            return [*wrong, here(AGAIN)] if wrong else []

        right = next(filter(self._right, self.options))
        return [*wrong, here(RIGHT).format(letter=right, because=here(self.item.because))]

    def _right(self, letter: str) -> bool:
        return not self.key(letter)


def posed(quiz: Quiz, student: str) -> tuple[Posed, ...]:
    """The items, the options of each in this student's order."""
    return tuple(_shuffled(quiz, number, student) for number in range(1, len(quiz.items) + 1))


def _shuffled(quiz: Quiz, number: int, student: str) -> Posed:
    item = quiz.items[number - 1]
    dice = random.Random(f"{quiz.id} {number} {student}")  # noqa: S311 -- it keeps no secret
    options = dice.sample(item.options, len(item.options))
    return Posed(number, item, dict(zip(LETTERS, options, strict=False)))
