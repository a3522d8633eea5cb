"""What the widgets of a run and of the playground share: a desk, and the feed in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, cast

import anywidget
import orjson
import traitlets

from kimi_nb.widgets.feed import FEED
from kimi_nb.widgets.messages import Message, told

__all__ = ["STATIC", "Page", "widget_bundle"]

STATIC = Path(__file__).parents[1] / "static"
"""The built front end; an installation brings it."""


class Teller(Protocol):
    """What a page is told, and what its questions are answered."""

    ended: bool
    snapshot: dict[str, Any] | None

    def beat(self) -> list[Message]: ...
    def answer(self, question: Message) -> list[Message]: ...


class Page(anywidget.AnyWidget):
    """Shows what a desk says, live and afterwards, in any number of places."""

    snapshot = traitlets.Unicode().tag(sync=True)
    """All that there is to see, as JSON: for a page that comes later, or has no kernel."""

    def __init__(self, desk: Teller, **traits: Any) -> None:
        super().__init__(**traits)
        self.ended = False
        self._desk = desk
        cast("Any", self).on_msg(self._asked)
        FEED.add(self)

    def _asked(self, _widget: object, content: Any, _buffers: object) -> None:
        if isinstance(content, dict):
            FEED.ask(self, cast("Message", content))

    def beat(self) -> None:
        """Tell the page what has happened; for the feed."""
        for message in self._desk.beat():
            self._tell(message)

        if self._desk.snapshot is not None:
            self.snapshot = orjson.dumps(self._desk.snapshot).decode()

        self.ended = self._desk.ended

    def answer(self, question: Message) -> None:
        """Answer the page; for the feed."""
        for message in self._desk.answer(question):
            self._tell(message)

    def fail(self) -> None:
        """Tell the page that no more news comes; for the feed."""
        self._tell(told("this view broke off, what it shows is old; the kernel's log says why"))

    def _tell(self, message: Message) -> None:
        buffers = message.pop("buffers", None)
        cast("Any", self).send(message, buffers)


def widget_bundle(widget: anywidget.AnyWidget) -> dict[str, Any]:
    """The MIME bundle of a widget alone, without a text in its stead."""
    data: Any = cast("Any", anywidget.AnyWidget)._repr_mimebundle_(widget)
    made = cast("dict[str, Any]", data[0] if isinstance(data, tuple) else data or {})
    return {name: value for name, value in made.items() if name != "text/plain"}
