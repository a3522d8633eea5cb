"""Slots in a text, `<!-- name about -->` on a line of its own, and what is put there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from building.source import Pair, Source, SourceFault
from kimi_nb.teach.text import Language

__all__ = ["Fill", "filled", "said", "texts"]

Fill = Callable[[str, Language], str]
"""From what stands in the slot after its name."""
SLOT = re.compile(r"^<!-- (?P<name>[a-z]+)(?: (?P<about>[\w. -]+))? -->$", re.MULTILINE)


def said(pair: Pair, language: Language) -> str:
    """Its text; English where there is no Chinese yet."""
    piece = pair.zh if language == "zh" and pair.zh is not None else pair.piece
    return piece.text


def filled(text: str, language: Language, fills: Mapping[str, Fill]) -> str:
    """The text with its slots filled. Raises SourceFault for a slot that nothing fills."""

    def put(slot: re.Match[str]) -> str:
        if slot["name"] not in fills:
            raise SourceFault(f"{slot[0]}: there is {', '.join(sorted(fills)) or 'no slot'}")

        return fills[slot["name"]](slot["about"] or "", language)

    return SLOT.sub(put, text)


def texts(source: Source, language: Language, fills: Mapping[str, Fill]) -> list[str]:
    """Of each of its cells."""
    return [filled(said(pair, language), language, fills) for pair in source.pairs()]
