"""What a page is told about one run, and what its questions are answered."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.views.artefact import artefact
from kimi_nb.views.fold import Fold
from kimi_nb.views.header import header
from kimi_nb.views.scene import Scene, path_of
from kimi_nb.views.text import one_line
from kimi_nb.views.turns import changed_since, detail
from kimi_nb.widgets.saving import save
from kimi_nb.widgets.source import Source

__all__ = ["Desk", "Message"]

Message = dict[str, Any]
"""A JSON value for the page; `kind` says what it is about."""

MEASURED = 1.0
"""Seconds at least between two reckonings of what costs more the longer the run is."""
SHARE = 20.0
"""They take at most one part in so many of the time."""


class Desk:
    """Everything that the pages which show one run are sent. For one thread."""

    def __init__(self, source: Source, background: Callable[[], None] | None = None) -> None:
        self.source = source
        self.ended = False
        """The last change was told."""
        self.scene = Scene(source.name, source.prices)
        self._background = background
        self._chosen = ""
        self._next = 0.0
        self._past = Fold()
        self.snapshot: dict[str, Any] | None = None
        """All of it, where a second has passed since the last; else None."""

    def beat(self) -> list[Message]:
        """What has happened since the last beat."""
        done = self.source.done  # before its records are read: then none is missed at the end
        began, begins = time.monotonic(), self.scene.count == 0
        measured = done or began >= self._next
        fresh = self.source.records[self.scene.count :]
        self.scene.add(fresh)
        now = self.source.seconds
        changes = self.scene.changes(now, measured=measured)
        found = [{"kind": "changes", **changes, **self._about(done=done)}]
        self.snapshot = self.scene.whole(now) | self._about(done=done) if measured else None
        self.ended = done

        if done and begins:  # no page waits for news of it, and the snapshot has it all
            return []

        if measured:
            cost = time.monotonic() - began
            self._next = began + max(MEASURED, cost * SHARE)

        if self._chosen and (since := changed_since(fresh, self._chosen)) is not None:
            found.append(self._detail(since))

        return found

    def answer(self, question: Message) -> list[Message]:
        """What the page is told in return: never an exception, whatever it sends."""
        handler = getattr(self, f"_on_{question.get('kind')}", None)

        if handler is None:
            return []

        try:
            return handler(question)
        except (KimiNbError, OSError, ValueError, TypeError, KeyError) as error:
            return [_told(f"{error}" or type(error).__name__)]

    def _about(self, *, done: bool) -> Message:
        """What no record says: what the run is at, and whether anything is still to come."""
        waited_for = self._background is not None and not done
        now = {"draft": self.source.draft, "pace": self.source.pace}
        return {**now, "live": not done, "can_background": waited_for}

    def _on_sync(self, question: Message) -> list[Message]:
        if question.get("since") == self.scene.count and self.scene.count:
            return [{"kind": "here"}]

        whole = self.scene.whole(self.source.seconds)
        return [{"kind": "changes", **whole, **self._about(done=self.ended)}]

    def _on_cancel(self, question: Message) -> list[Message]:
        agent = question.get("agent")
        self.source.cancel(None if agent is None else str(agent))
        return [_told(f"cancelling {agent or 'the run'}; what was done is kept")]

    def _on_background(self, _question: Message) -> list[Message]:
        if self._background is None:
            return [_told("it is in the background already")]

        self._background()
        self._background = None
        return [_told("it goes on in the background; the notebook is free")]

    def _on_save(self, question: Message) -> list[Message]:
        return [_told(f"saved: {save(self.source, str(question.get('what')))}")]

    def _on_agent(self, question: Message) -> list[Message]:
        self._chosen = str(question["id"])
        known = self._chosen in self.scene.fold.agents
        return [self._detail(0) if known else {"kind": "here"}]

    def _on_artefact(self, question: Message) -> list[Message]:
        name = str(question["name"])
        told = {"kind": "artefact", "name": name, "type": "", "why": ""}

        try:
            found = artefact(self.source.path, name)
        except UsageFault as fault:
            return [told | {"why": one_line(f"{fault}")}]

        return [told | {"type": found.type, "buffers": [found.data]}]

    def _on_at(self, question: Message) -> list[Message]:
        t = float(question["t"])
        records = self.source.records[: self.scene.count]
        upto = bisect_right(records, t, key=attrgetter("t"))

        if self._past.count > upto:
            self._past = Fold()

        for record in records[self._past.count : upto]:
            self._past.add(record)

        run = header(self._past, t, self.source.name, self.source.prices)
        path = path_of(self._past, self.scene.numbers)
        return [{"kind": "at", "t": t, "run": run, "path": path}]

    def _detail(self, since: int) -> Message:
        return {"kind": "agent", **detail(self.source.records, self._chosen, since)}


def _told(text: str) -> Message:
    return {"kind": "told", "text": one_line(text)}
