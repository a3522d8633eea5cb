"""The spans of a run so far, by key, and the moment that they are written at."""

from __future__ import annotations

from typing import Any

from kimi_nb.views.otel.draft import Draft, Event, Value, provider_of
from kimi_nb.views.text import one_line

__all__ = ["Book", "key_of"]


class Book:
    """Drafts in the order in which they began to be known."""

    def __init__(self, *, content: bool) -> None:
        self.content = content
        """What was said is told too."""
        self.drafts: dict[str, Draft] = {}
        self._kept: dict[str, Draft] = {}
        """Of these, the ones that `take` has not given away."""
        self._doubtful: set[str] = set()
        """Of these, the ones that a resumed run may go on with."""
        self.model = ""
        self.simulated = False
        self.now = 0
        """Nanoseconds since the epoch."""
        self.early: dict[str, int] = {}
        """When sub-agents began whose launching call was still being written, by its key."""

    def draft(self, key: str, operation: str, what: str, *parents: str) -> Draft:
        """A new span that begins now."""
        count = 1
        free = key

        while free in self.drafts:  # a resumed run does the same thing again
            count += 1
            free = f"{key}#{count}"

        draft = Draft(
            key=free,
            name=one_line(f"{operation} {what}"),
            parents=parents,
            began=self.now,
            attributes={
                "gen_ai.operation.name": operation,
                "gen_ai.provider.name": provider_of(self.model, simulated=self.simulated),
            },
        )
        self.drafts[free] = self._kept[free] = draft
        return draft

    def drop(self, draft: Draft) -> None:
        """It turned out to be none."""
        del self.drafts[draft.key], self._kept[draft.key]

    def doubt(self) -> None:
        """Another process takes the run up: what has ended in an error may go on and end anew."""
        self._doubtful |= {key for key, draft in self._kept.items() if draft.error}

    def take(self) -> list[Draft]:
        """Those that have ended for good since the last call, in the order in which they began.

        One whose launching call is still being written waits: that may be void in the end, and
        then another is its parent.
        """
        taken = [draft for draft in self._kept.values() if self._is_final(draft)]

        for draft in taken:
            del self._kept[draft.key]

        return taken

    def take_rest(self) -> list[Draft]:
        """All that `take` has kept; the run's own is the last."""
        rest = [*self._kept.values()]
        self._kept.clear()
        return [*rest[1:], *rest[:1]]

    def _is_final(self, draft: Draft) -> bool:
        known = draft.ended is not None and draft.key not in self._doubtful
        return known and draft.parents[:1] != () and draft.parents[0] in self.drafts

    def note(self, draft: Draft, name: str, attributes: dict[str, Value]) -> None:
        """Something that happens now, within that span."""
        draft.events.append(Event(name, self.now, attributes))


def key_of(*parts: Any) -> str:
    """The key of a span, as "step/a0/3"."""
    return "/".join(map(str, parts))
