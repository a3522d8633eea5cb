"""The widget of a run: graph, timeline, critical steps; and that of a training: rewards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import traitlets

from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.page import STATIC, Page, widget_bundle
from kimi_nb.widgets.source import Source

__all__ = ["SwarmView", "TrainingView"]


class SwarmView(Page):
    """Shows one run."""

    _esm = STATIC / "swarm.js"
    _css = STATIC / "swarm.css"

    view = traitlets.Enum(["graph", "timeline", "critical"], "graph").tag(sync=True)
    """The picture that a page begins with, and goes to when this changes."""
    selected = traitlets.Unicode().tag(sync=True)
    """Id of the agent that a page begins with; what is chosen there is known there alone."""

    def __init__(
        self, source: Source, *, view: str = "graph", background: Callable[[], None] | None = None
    ) -> None:
        self.begun = threading.Event()
        """It has something to show."""
        super().__init__(Desk(source, background), view=view)

    def beat(self) -> None:
        super().beat()
        self.begun.set()

    def bundle(self, text: str) -> dict[str, Any]:
        """The MIME bundle of the view; `text` for front ends without widgets."""
        return widget_bundle(self) | {"text/plain": text}


class TrainingView(SwarmView):
    """Shows one training, likewise: its rewards and their weights, as they come."""

    _esm = STATIC / "training.js"
    _css = STATIC / "training.css"
