"""What a party has asked others and is to be answered."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Generator
from typing import NamedTuple

from kimi_nb.swarm.cluster.mailbox import Message

__all__ = ["Answers", "Questions"]

Answers = asyncio.Queue[Message | ConnectionError]
"""What comes for one question: those with `meanwhile` in them, and then the answer."""


class Asked(NamedTuple):
    to: str
    answers: Answers


class Questions:
    """Open questions by number."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._open: dict[int, Asked] = {}

    @contextlib.contextmanager
    def asked(self, to: str) -> Generator[tuple[int, Answers]]:
        """A new question's number, and where its answers come, within this block."""
        number, answers = next(self._numbers), Answers()
        self._open[number] = Asked(to, answers)

        try:
            yield number, answers
        finally:
            del self._open[number]

    def take(self, sender: str, message: Message) -> None:
        """Hand an answer to who waits for it, if anybody still does."""
        asked = self._open.get(message.pop("answered"))

        if asked is not None and asked.to == sender:
            asked.answers.put_nowait(message)

    def refuse(self, reason: str, party: str | None = None) -> None:
        """End the questions to one party, or all, with a ConnectionError."""
        for asked in self._open.values():
            if party in {None, asked.to}:
                asked.answers.put_nowait(ConnectionError(reason))
