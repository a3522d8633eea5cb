"""A text in both languages of the curriculum."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Language", "Text"]

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """The same said in English and in Chinese."""

    en: str
    zh: str

    def said(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en
