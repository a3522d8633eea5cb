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
        self.drafts[free] = draft
        return draft

    def note(self, draft: Draft, name: str, attributes: dict[str, Value]) -> None:
        """Something that happens now, within that span."""
        draft.events.append(Event(name, self.now, attributes))


def key_of(*parts: Any) -> str:
    """The key of a span, as "step/a0/3"."""
    return "/".join(map(str, parts))
