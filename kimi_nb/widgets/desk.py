"""What a page is told about one run, and what its questions are answered."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.artefact import artefact, small
from kimi_nb.views.fold import Fold
from kimi_nb.views.header import header
from kimi_nb.views.scene import Scene, path_of
from kimi_nb.views.text import one_line
from kimi_nb.views.turns import changed_since, detail
from kimi_nb.widgets.messages import Message, answered, told
from kimi_nb.widgets.saving import save
from kimi_nb.widgets.source import Source

__all__ = ["Desk"]

MEASURED = 1.0
"""Seconds at least between two reckonings of what costs more the longer the run is."""
SHARE = 20.0
"""They take at most one part in so many of the time. What they cost is the processor's time: were
it the clock's, one reckoning that something else held up would hold the next ones up, too."""
RATE = 500_000
"""Bytes a second of snapshots at most: pages that are there get all changes anyhow."""
DETAIL = 4.0
"""Likewise, what the chosen agent does: somebody reads it."""


class Desk:
    """Everything that the pages which show one run are sent. For one thread."""

    def __init__(self, source: Source, background: Callable[[], None] | None = None) -> None:
        self.source = source
        self.ended = False
        """The last change was told."""
        self.scene = Scene(source.name, source.prices)
        self._background = background
        self._chosen = ""
        self._stale: int | None = None
        """The first step of the chosen agent that its page does not have as it is."""
        self._next = self._later = self._kept = 0.0
        self._past = Fold()
        self.snapshot: dict[str, Any] | None = None
        """All of it, for orjson, where a second or more has passed since the last; else None."""

    def beat(self) -> list[Message]:
        """What has happened since the last beat."""
        done = self.source.done  # before its records are read: then none is missed at the end
        began, begins = time.monotonic(), self.scene.count == 0
        worked = time.thread_time()
        measured = done or began >= self._next
        fresh = self.source.records[self.scene.count :]
        self.scene.add(fresh)
        now = self.source.seconds
        changes = self.scene.changes(now, measured=measured)
        found = [{"kind": "changes", **changes, **self._about(done=done)}]
        self.snapshot = None
        self.ended = done

        if measured and (done or began >= self._kept):
            self.snapshot = self.scene.snapshot(now) | self._about(done=done)
            self._kept = began + self.scene.kept.size / RATE

        if measured:
            cost = time.thread_time() - worked
            self._next = began + max(MEASURED, cost * SHARE)

        if done and begins:  # no page waits for changes, and the snapshot has it all
            found = []

        return found + self._news(fresh, done=done)

    def answer(self, question: Message) -> list[Message]:
        """What the page is told in return: never an exception, whatever it sends."""
        return answered(self, question)

    def _about(self, *, done: bool) -> Message:
        """What no record says: what the run is at, and whether anything is still to come."""
        waited_for = self._background is not None and not done
        now = {"draft": self.source.draft, "pace": self.source.pace}
        return {**now, "live": not done, "can_background": waited_for}

    def _news(self, fresh: Iterable[Record], *, done: bool) -> list[Message]:
        """What the chosen agent has done, which costs more the longer the run is."""
        since = changed_since(fresh, self._chosen) if self._chosen else None

        if since is not None:
            self._stale = since if self._stale is None else min(since, self._stale)

        began = time.monotonic()

        if self._stale is None or not (done or began >= self._later):
            return []

        worked = time.thread_time()
        found = [self._detail(self._stale)]
        self._stale = None
        self._later = began + (time.thread_time() - worked) * DETAIL
        return found

    def _on_sync(self, question: Message) -> list[Message]:
        now, count = self.source.seconds, self.scene.count
        about = self._about(done=self.ended)  # its last message may have been lost

        if question.get("since") == count and count:
            return [{"kind": "changes", "from": count, "to": count, "now": now, **about}]

        return [{"kind": "changes", **self.scene.whole(now), **about}]

    def _on_cancel(self, question: Message) -> list[Message]:
        agent = question.get("agent")
        self.source.cancel(None if agent is None else str(agent))
        return [told(f"cancelling {agent or 'the run'}; what was done is kept")]

    def _on_background(self, _question: Message) -> list[Message]:
        if self._background is None:
            return [told("it is in the background already")]

        self._background()
        self._background = None
        return [told("it goes on in the background; the notebook is free")]

    def _on_save(self, question: Message) -> list[Message]:
        return [told(f"saved: {save(self.source, str(question.get('what')))}")]

    def _on_agent(self, question: Message) -> list[Message]:
        self._chosen, self._stale = str(question["id"]), None
        known = self._chosen in self.scene.fold.agents
        return [self._detail(0) if known else {"kind": "here"}]

    def _on_artefact(self, question: Message) -> list[Message]:
        name, path = str(question["name"]), self.source.path
        message = {"kind": "artefact", "name": name, "type": "", "why": "", "small": False}

        try:
            less = small(path, name) if question.get("small") is True else None
            found = less or artefact(path, name)
        except UsageFault as fault:
            return [message | {"why": one_line(f"{fault}")}]

        about = {"type": found.type, "small": less is not None}
        return [message | about | {"buffers": [found.data]}]

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
