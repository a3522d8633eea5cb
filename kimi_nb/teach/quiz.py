"""A quiz: its items, their options, and which misconception a wrong one comes from."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_nb.teach.text import Text

__all__ = ["Option", "Quiz", "QuizItem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the answers that one may choose from."""

    says: Text
    key: str = ""
    """"" for the right one; else the misconception that chooses it, M1 to M16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizItem:
    """One thing that is asked."""

    asks: Text
    options: tuple[Option, ...]
    """Three or four, of which one is right."""
    because: Text
    """Why the right one is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiz:
    """What `kn.quiz(id)` asks at the end of a notebook."""

    id: str
    """As quiz03: of notebook 03."""
    items: tuple[QuizItem, ...]
    """Three or four."""
