"""The widget of a run: graph, timeline, critical steps; and that of a training: rewards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import anywidget
import orjson
import traitlets

from kimi_nb.widgets.desk import Desk, Message
from kimi_nb.widgets.feed import FEED
from kimi_nb.widgets.source import Source

__all__ = ["STATIC", "SwarmView", "TrainingView"]

STATIC = Path(__file__).parents[1] / "static"
"""The built front end; an installation brings it."""


class SwarmView(anywidget.AnyWidget):
    """Shows one run, live and afterwards. Any number of places in a page may show the same."""

    _esm = STATIC / "swarm.js"
    _css = STATIC / "swarm.css"

    snapshot = traitlets.Unicode().tag(sync=True)
    """All that there is to see, as JSON: for a page that comes later, or has no kernel."""
    view = traitlets.Enum(["graph", "timeline", "critical"], "graph").tag(sync=True)
    """The picture that a page begins with, and goes to when this changes."""
    selected = traitlets.Unicode().tag(sync=True)
    """Id of the agent that a page begins with; what is chosen there is known there alone."""

    def __init__(
        self, source: Source, *, view: str = "graph", background: Callable[[], None] | None = None
    ) -> None:
        super().__init__(view=view)
        self.ended = False
        self.begun = threading.Event()
        """It has something to show."""
        self._desk = Desk(source, background)
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
        self.begun.set()

    def answer(self, question: Message) -> None:
        """Answer the page; for the feed."""
        for message in self._desk.answer(question):
            self._tell(message)

    def _tell(self, message: Message) -> None:
        buffers = message.pop("buffers", None)
        cast("Any", self).send(message, buffers)

    def bundle(self, text: str) -> dict[str, Any]:
        """The MIME bundle of the view; `text` for front ends without widgets."""
        data: Any = cast("Any", self)._repr_mimebundle_()
        bundle = cast("dict[str, Any]", data[0] if isinstance(data, tuple) else data or {})
        return bundle | {"text/plain": text}


class TrainingView(SwarmView):
    """Shows one training, likewise: its rewards and their weights, as they come."""

    _esm = STATIC / "training.js"
    _css = STATIC / "training.css"
